// The Redis of the bench: started on a free port, without persistence, and stopped with the bench.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { createClient } from "redis";

/** Ends with its input, so that no server outlives the bench, however that ends. */
const GUARD = 'redis-server "$@" & read -r _; kill -9 $!';

export function isRedisInstalled() {
  try {
    execFileSync("redis-server", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

export async function startRedis() {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const options = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--logfile", ""];
  const guard = spawn("sh", ["-c", GUARD, "sh", ...options], { stdio: ["pipe", "pipe", "inherit"] });
  await isReady(guard.stdout);
  const client = await createClient({ url }).connect();
  return {
    url,
    /** The CPU time that it has taken, in µs. */
    async cpu() {
      const info = await client.info("cpu");
      const seconds = (name) => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(info)[1]);
      return (seconds("used_cpu_user") + seconds("used_cpu_sys")) * 1e6;
    },
    /** What the streams take, and how many messages they have. */
    async streams() {
      let bytes = 0;
      let messages = 0;
      for await (const keys of client.scanIterator({ TYPE: "stream", COUNT: 1_000 })) {
        for (const key of keys) {
          bytes += await client.memoryUsage(key, { SAMPLES: 0 });
          messages += await client.xLen(key);
        }
      }
      return { bytes, messages };
    },
    flush: () => client.flushAll(),
    async stop() {
      client.destroy();
      const ended = once(guard, "exit");
      guard.stdin.end();
      await ended;
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function isReady(output) {
  const lines = createInterface(output);
  const seen = [];
  for await (const text of lines) {
    seen.push(text);
    if (text.includes("Ready to accept connections")) return output.resume();
  }
  throw new Error(`redis-server did not start:\n${seen.join("\n")}`);
}
