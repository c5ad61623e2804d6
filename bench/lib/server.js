// One contender's server in a process of its own. Its parent sends the tasks.
import { setImmediate as turn } from "node:timers/promises";

import { WebSocket } from "ws";
import { usageTasks } from "./usage.js";

globalThis.WebSocket ??= WebSocket;
const { default: contender } = await import(`../contenders/${process.argv[2]}.js`);
const server = await contender.serve();

const tasks = {
  ...usageTasks,
  async memory() {
    for (let i = 0; i < 5; i++) {
      globalThis.gc();
      await turn();
    }
    const { rss, heapUsed, external } = process.memoryUsage();
    return { rss, heap: heapUsed + external };
  },
  connections: () => server.connections(),
  broadcast: (options) => repeat(server.broadcast, options),
  /** The same to each connection on its own. */
  loop: (options) => repeat(server.loop, options),
  /** Keeps `inFlight` requests to the first client pending for `ms`. */
  async ask({ inFlight, ms }) {
    const end = performance.now() + ms;
    let count = 0;
    const lane = async () => {
      for (; performance.now() < end; count++) await server.ask();
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
    return count;
  },
  ...server.tasks,
};

async function repeat(publish, { times, data }) {
  for (let i = 0; i < times; i++) {
    publish({ ...data, text: `${data.text}${i}` });
    await turn();
  }
}

process.on("message", async ({ task, options }) => {
  process.send({ answer: await tasks[task](options) });
});
process.on("disconnect", () => process.exit());
process.send({ answer: server.port });
