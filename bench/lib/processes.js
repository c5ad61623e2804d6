import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A process that does one task after another. */
class Worker {
  constructor(file, args, execArgv = []) {
    this.child = fork(fileURLToPath(new URL(file, import.meta.url)), args, { execArgv });
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
