// A process of its own, which starts a Redis for its parent, and ends it with it. Keeps nothing.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { findRedis } from "./findRedis.js";

const folder = mkdtempSync(join(tmpdir(), "chat-redis-"));
const port = await freePort();
const options = { port, bind: "127.0.0.1", save: "", appendonly: "no", dir: folder, loglevel: "notice" };
const redis = spawn(
  findRedis() ?? "redis-server",
  Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
  { stdio: ["ignore", "pipe", "inherit"] },
);
/** What it says until it is ready: when it never is, that says why. @type {string[] | undefined} */
let log = [];
createInterface(redis.stdout).on("line", (line) => {
  log?.push(line);
  if (!line.includes("Ready to accept connections")) return;
  log = undefined;
  process.send?.({ url: `redis://127.0.0.1:${port}`, pid: redis.pid });
});

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, end);
process.once("disconnect", end);
redis.once("close", () => {
  if (log) console.error(log.join("\n"));
  rmSync(folder, { recursive: true, force: true });
  process.exit();
});
// The parent may have died before there was a listener.
if (!process.connected) end();

function end() {
  redis.kill();
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  server.close();
  return port;
}
