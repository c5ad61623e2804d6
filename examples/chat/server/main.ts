import { randomBytes } from "node:crypto";
import { ChatRuntime } from "./ChatRuntime.js";
import { memoryStores } from "./stores/memory.js";
import { openRedis } from "./stores/redis.js";

const DEFAULT_PORT = "3000";

// The HTTP server's default port.
process.env.PORT ||= DEFAULT_PORT;

// `INSPECT=1` shows frames at /inspect, `INSPECT=payloads` what is in them too. The key is new at each start.
const { REDIS_URL, NODE_NAME, INSPECT } = process.env;
const key = randomBytes(16).toString("hex");
let runtime: ChatRuntime | undefined;
let isStopping = false;

try {
  const stores = REDIS_URL ? await openRedis(REDIS_URL) : memoryStores();
  const inspector = INSPECT
    ? { folder: new URL("../inspect/", import.meta.url), payloads: INSPECT === "payloads", key }
    : undefined;
  runtime = new ChatRuntime(new URL("../web/", import.meta.url), stores, NODE_NAME, inspector);
  const port = await runtime.start();
  // What has started one of several nodes says where the chat is.
  if (NODE_NAME && process.send) {
    process.send({ port });
    if (inspector) console.log(`Its traffic: http://localhost:${port}/inspect?key=${key}`);
  } else console.log(welcome(`http://localhost:${port}`, port === Number(DEFAULT_PORT)));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, stop);
  // The process that has started it has died.
  process.once("disconnect", stop);
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
  await runtime?.teardown();
}

/** Drains, after which the process exits by itself; a second Ctrl-C ends it at once. */
async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  // A listener keeps the channel open, and that the process.
  process.off("disconnect", stop);
  console.log(NODE_NAME ? "Draining: clients move to the other nodes" : "Draining: clients finish what is under way");
  await runtime?.teardown();
  console.log("Stopped");
}

function welcome(address: string, isDefault: boolean): string {
  return `The chat is open at ${address}

  In a browser    open ${address} in two windows, log in by two names, and write
  In a terminal   npm run chat -- --name Ann${isDefault ? "" : ` --url ${address}`}
  Its API         ${address}/docs, and for tools ${address}/asyncapi.json
  For Prometheus  ${address}/metrics${INSPECT ? `\n  Its traffic     ${address}/inspect?key=${key}` : ""}

Ctrl-C stops it.`;
}

function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
  if (code !== "EADDRINUSE") return error.message;
  return `Port ${process.env.PORT} is taken. Stop the program that uses it, or choose another: PORT=3001 npm start`;
}
