import { fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** How long a process may take to end by itself, in ms: longer than a server may drain. */
const END_WITHIN = 10_000;

/** A process of the cluster, which ends with this one. */
export class Child {
  /**
   * @param {string} label before each line that it prints
   * @param {string} path of its program, which says by a message that it is ready
   * @param {NodeJS.ProcessEnv} [env]
   */
  constructor(label, path, env = process.env) {
    // Of a group of its own, so that a Ctrl-C is for this process alone, which ends the others in their order.
    this.process = fork(path, { env, detached: true, silent: true });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      if (stream) createInterface(stream).on("line", (line) => console.log(`${label} | ${line}`));
    }
    this.ended = once(this.process, "exit");
  }

  /**
   * Resolves to its first message.
   *
   * @throws Error when it ends without
   */
  async ready() {
    const [message] = await Promise.race([once(this.process, "message"), this.ended.then(() => [])]);
    if (!message) throw new Error("A process of the cluster has ended: see above");
    return message;
  }

  /** At once, as when a machine is lost. */
  kill() {
    this.process.kill("SIGKILL");
  }

  async end() {
    this.process.kill();
    const timer = setTimeout(() => this.kill(), END_WITHIN);
    await this.ended;
    clearTimeout(timer);
    // A process that it has left behind would hold them open, and with them this one.
    for (const stream of [this.process.stdout, this.process.stderr]) stream?.destroy();
  }
}
