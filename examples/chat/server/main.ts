import { ChatRuntime } from "./ChatRuntime.js";
import { memoryStores } from "./stores/memory.js";
import { openRedis } from "./stores/redis.js";

const DEFAULT_PORT = "3000";

// The HTTP server's default port.
process.env.PORT ||= DEFAULT_PORT;

const { REDIS_URL, NODE_NAME } = process.env;
let runtime: ChatRuntime | undefined;

try {
  const stores = REDIS_URL ? await openRedis(REDIS_URL) : memoryStores();
  runtime = new ChatRuntime(new URL("../web/", import.meta.url), stores, NODE_NAME);
  const port = await runtime.start();
  // What has started one of several nodes says where the chat is.
  if (NODE_NAME && process.send) process.send({ port });
  else console.log(welcome(`http://localhost:${port}`, port === Number(DEFAULT_PORT)));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
  // The process that has started it has died.
  process.once("disconnect", stop);
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
  await runtime?.teardown();
}

/** Tears down, after which the process exits by itself; a second Ctrl-C ends it at once. */
async function stop(): Promise<void> {
  // A listener keeps the channel open, and that the process.
  process.off("disconnect", stop);
  if (!NODE_NAME) console.log("Stopping");
  await runtime?.teardown();
}

function welcome(address: string, isDefault: boolean): string {
  return `The chat is open at ${address}

  In a browser    open ${address} in two windows, log in by two names, and write
  In a terminal   npm run chat -- --name Ann${isDefault ? "" : ` --url ${address}`}
  For Prometheus  ${address}/metrics

Ctrl-C stops it.`;
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
  if (code !== "EADDRINUSE") return error.message;
  return `Port ${process.env.PORT} is taken. Stop the program that uses it, or choose another: PORT=3001 npm start`;
}
