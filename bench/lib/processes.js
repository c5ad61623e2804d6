import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A process that runs one task after another. */
class Worker {
  constructor(file, args, execArgv = []) {
    // One contender depends on native helpers for `ws`, which the others would load by accident.
    const env = { ...process.env, WS_NO_BUFFER_UTIL: "1", WS_NO_UTF_8_VALIDATE: "1" };
    this.child = fork(fileURLToPath(new URL(file, import.meta.url)), args, { execArgv, env });
    this.started = this.answer();
  }
  answer() {
    return new Promise((resolve, reject) => {
      const onMessage = ({ answer }) => {
        this.child.off("exit", onExit);
        resolve(answer);
      };
      const onExit = (code) => {
        this.child.off("message", onMessage);
        reject(new Error(`${this.child.spawnargs.slice(2).join(" ")} ended with ${code}`));
      };
      this.child.once("message", onMessage).once("exit", onExit);
    });
  }
  do(task, options) {
    const answer = this.answer();
    this.child.send({ task, options });
    return answer;
  }
  async end() {
    this.child.kill("SIGKILL");
    await once(this.child, "exit");
  }
}

/** Starts a contender's server and client, each in a process of its own. */
export async function startPair(name) {
  const server = new Worker("./server.js", [name], ["--expose-gc"]);
  const port = await server.started;
  const client = new Worker("./client.js", [name, String(port)]);
  await client.started;
  return { server, client, end: () => Promise.all([server.end(), client.end()]) };
}
