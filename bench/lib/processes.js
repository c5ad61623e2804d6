import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A process that does one task after another. */
class Worker {
  constructor(file, args, execArgv = []) {
    // One of the contenders brings native helpers for `ws` that the others would find by accident.
    const env = { ...process.env, WS_NO_BUFFER_UTIL: "1", WS_NO_UTF_8_VALIDATE: "1" };
    this.child = fork(fileURLToPath(new URL(file, import.meta.url)), args, { execArgv, env });
    this.started = this.answer();
  }
  async answer() {
    const [message] = await Promise.race([
      once(this.child, "message"),
      once(this.child, "exit").then(([code]) => {
        throw new Error(`${this.child.spawnargs.slice(2).join(" ")} ended with ${code}`);
      }),
    ]);
    return message.answer;
  }
  async do(task, options) {
    this.child.send({ task, options });
    return this.answer();
  }
  async end() {
    this.child.kill("SIGKILL");
    await once(this.child, "exit");
  }
}

/** Runs `work` with a fresh server and a fresh client process of a contender. */
export async function withContender(name, work) {
  const server = new Worker("./server.js", [name], ["--expose-gc"]);
  const port = await server.started;
  const client = new Worker("./client.js", [name, String(port)]);
  await client.started;
  try {
    return await work(server, client);
  } finally {
    await Promise.all([server.end(), client.end()]);
  }
}
