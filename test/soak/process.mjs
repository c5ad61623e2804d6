import { setImmediate as turn } from "node:timers/promises";

/** Runs the parent's tasks one after another. */
export function serveTasks(tasks) {
  process.on("message", async ({ task, options }) => {
    try {
      process.send({ result: await tasks[task](options) });
    } catch (error) {
      process.send({ error: String(error?.stack ?? error) });
    }
  });
  process.on("disconnect", () => process.exit());
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.on(event, (error) => {
      console.error(event, error);
      process.exit(1);
    });
  }
}

/** The heap and the TCP sockets of this process after garbage collection. */
export async function remains() {
  for (let i = 0; i < 10; i++) {
    globalThis.gc();
    await turn();
  }
  const sockets = process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
  return { heapMiB: process.memoryUsage().heapUsed / 2 ** 20, sockets };
}
