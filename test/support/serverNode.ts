import { type ChildProcess, spawn } from "node:child_process";
import cluster from "node:cluster";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, expect } from "vitest";
import type { Room } from "../fixtures/nodes/api.js";
import type { Commands, NodeEvent, NodeOptions } from "../fixtures/nodes/server.js";
import { eventually } from "./eventually.js";
import { Member, type Presented } from "./member.js";
import { root } from "./paths.js";
import { closedPort } from "./tcp.js";

export { eventually } from "./eventually.js";
export { LOST, Member } from "./member.js";

/** Ends with its input, so that no process outlives the tests, however they end. The IPC channel is the server's alone. */
const GUARD = '"$@" & exec 3>&-; read -r _; kill -9 $! 2>/dev/null; wait 2>/dev/null';

let program: string | undefined;

/** The server as one file, which starts three times as fast as its sources. */
function bundledServer(): string {
  if (program) return program;
  const dir = mkdtempSync(join(tmpdir(), "test-node-"));
  program = join(dir, "server.mjs");
  buildSync({
    entryPoints: [join(root, "test/fixtures/nodes/server.ts")],
    outfile: program,
    tsconfig: join(root, "tsconfig.json"),
    bundle: true,
    platform: "node",
    format: "esm",
    // CommonJS modules in it need a `require`.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    logLevel: "error",
  });
  afterAllRuns.push(() => rmSync(dir, { recursive: true, force: true }));
  return program;
}

/** A server process. Ends after the tests of the file. */
export class ServerNode {
  /** What its bus has said: `"up"`, and `"down: "` with the reason. */
  readonly health: string[] = [];
  /** Who has joined and left, such as `"+ann"`, `"-ann"`, by room. */
  readonly presence = new Map<string, string[]>();
  pid = 0;
  #port = 0;
  readonly #process: ChildProcess;
  readonly #calls = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  #lastCall = 0;
  #output = "";

  private constructor(process: ChildProcess) {
    this.#process = process;
    for (const stream of [this.#process.stdout!, this.#process.stderr!]) {
      stream.on("data", (data) => {
        this.#output = `${this.#output}${data}`.slice(-5_000);
      });
    }
    this.#process.stdin!.on("error", () => {});
    this.#process.on("message", (message) => this.#take(message as NodeEvent | Answer));
    // It has died, or was stopped.
    this.#process.on("disconnect", () => this.#fail());
  }

  /** Starts a node; its clocks may be wrong. Resolves when it listens: whether Redis is there or not. */
  static async start(options: NodeOptions, clockAheadMs = 0): Promise<ServerNode> {
    const guarded = spawn("sh", ["-c", GUARD, "sh", process.execPath, bundledServer()], {
      stdio: ["pipe", "pipe", "pipe", "ipc"],
      env: { ...process.env, ...environment(options), CLOCK_AHEAD_MS: `${clockAheadMs}` },
    });
    return new ServerNode(guarded).#listens();
  }

  /** Starts a node that is a worker of this process, which has to have the bus. */
  static async startWorker(): Promise<ServerNode> {
    cluster.setupPrimary({ exec: bundledServer(), execArgv: [], silent: true });
    // Workers that ask for any port share one.
    const options = { isWorker: true, port: await closedPort() };
    return new ServerNode(cluster.fork(environment(options)).process).#listens();
  }

  async #listens(): Promise<ServerNode> {
    afterAllRuns.push(() => this.stop());
    await eventually(() => {
      if (this.#hasEnded) throw new Error(`the server has ended: ${this.#output}`);
      expect(this.#port).not.toBe(0);
    });
    return this;
  }

  /** Does something on the node. */
  run<Name extends keyof Commands>(
    name: Name,
    ...args: Parameters<Commands[Name]>
  ): Promise<Awaited<ReturnType<Commands[Name]>>> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastCall;
      this.#calls.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.#process.send({ id, name, args }, (error) => error && reject(error));
    });
  }

  /** Waits until its bus is up. */
  up(): Promise<void> {
    return eventually(() => expect(this.health.at(-1)).toBe("up"));
  }

  /** Waits until its bus is down. */
  down(): Promise<void> {
    return eventually(() => expect(this.health.at(-1)).toMatch(/^down/));
  }

  /** Its address for connections of an API. */
  urlOf(path: string): string {
    return `ws://127.0.0.1:${this.#port}/${path}`;
  }

  get port(): number {
    return this.#port;
  }

  /** A raw connection of a user: a member of a room that messages of other nodes reach. */
  async connect(user: string, room: Room, isLive = true, presented?: Presented | "nothing"): Promise<Member> {
    const member = await Member.connect(this.urlOf("nodes"), { user }, presented);
    expect(await member.join(room)).toBe(isLive);
    return member;
  }

  kill(): void {
    process.kill(this.pid, "SIGKILL");
  }

  pause(): void {
    process.kill(this.pid, "SIGSTOP");
  }

  resume(): void {
    process.kill(this.pid, "SIGCONT");
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#process.exitCode !== null || this.#process.signalCode) return resolve();
      this.#process.on("exit", () => resolve());
      // The guard ends with its input, a worker with its channel.
      this.#process.stdin!.end();
      if (this.#process.connected) this.#process.disconnect();
    });
  }

  get #hasEnded(): boolean {
    return !this.#process.connected;
  }

  #take(message: NodeEvent | Answer): void {
    if ("id" in message && this.#calls.has(message.id)) {
      const call = this.#calls.get(message.id);
      this.#calls.delete(message.id);
      if (message.error === undefined) call?.resolve(message.result);
      else call?.reject(new Error(message.error));
    } else if (!("event" in message)) {
      // It is of the bus of a cluster.
    } else if (message.event === "listening") {
      this.#port = message.port;
      this.pid = message.pid;
    } else if (message.event === "health") {
      this.health.push(message.health === "up" ? "up" : `down: ${message.reason}`);
    } else if (message.event === "presence") {
      const { room, joined, left } = message;
      const said = this.presence.get(room) ?? [];
      this.presence.set(room, said);
      said.push(...joined.map((id) => `+${id}`), ...left.map((id) => `-${id}`));
    }
  }

  #fail(): void {
    for (const { reject } of this.#calls.values()) reject(new Error(`the server has ended: ${this.#output}`));
    this.#calls.clear();
  }
}

const environment = (options: NodeOptions) => ({ NODE_OPTIONS: "", NODE_OF_TEST: JSON.stringify(options) });

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

const afterAllRuns: (() => unknown)[] = [];
afterAll(async () => {
  await Promise.all(afterAllRuns.splice(0).map((run) => run()));
});
