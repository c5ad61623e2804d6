import { Child } from "./Child.js";

/** One server of the cluster, which may be killed or drained, and started again. */
export class ServerNode {
  /** Of the server, while it runs. @type {number | undefined} */
  port;
  /** @type {Child | undefined} */
  #child;

  /**
   * @param {string} name
   * @param {string} path of the server's program
   * @param {string} redisUrl
   */
  constructor(name, path, redisUrl) {
    this.name = name;
    this.path = path;
    this.env = { ...process.env, NODE_NAME: name, PORT: "0", REDIS_URL: redisUrl };
  }

  get pid() {
    return this.#child?.process.pid;
  }

  get isRunning() {
    return this.#child !== undefined;
  }

  /** @param {(pid: number | undefined) => void} onEnd is called when it has ended, for whatever reason */
  async start(onEnd) {
    const child = new Child(`node ${this.name}`, this.path, this.env);
    this.#child = child;
    child.ended.then(() => {
      this.#child = this.port = undefined;
      onEnd(child.process.pid);
    });
    const { port } = await child.ready();
    this.port = port;
  }

  kill() {
    this.#child?.kill();
  }

  /** Drains it: it ends when its clients are on other nodes. From now on it gets no new ones. */
  async end() {
    this.port = undefined;
    await this.#child?.end();
  }
}
