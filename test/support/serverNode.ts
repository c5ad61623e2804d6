import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, expect, vi } from "vitest";
import type { Room } from "../fixtures/nodes/api.js";
import type { Commands, NodeEvent, NodeOptions } from "../fixtures/nodes/server.js";
import { root } from "./paths.js";
import { RawPeer } from "./rawPeer.js";

/** What waits in these tests is bounded by them. */
const PATIENCE = { timeout: 30_000, interval: 10 };

/** Waits for a state. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, PATIENCE);
}

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

/** A server process that is a node of a bus over Redis. Ends after the tests of the file. */
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

  private constructor(options: NodeOptions, clockAheadMs: number) {
    this.#process = spawn("sh", ["-c", GUARD, "sh", process.execPath, bundledServer()], {
      stdio: ["pipe", "pipe", "pipe", "ipc"],
      env: {
        ...process.env,
        NODE_OPTIONS: "",
        NODE_OF_TEST: JSON.stringify(options),
        CLOCK_AHEAD_MS: `${clockAheadMs}`,
      },
    });
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
    const node = new ServerNode(options, clockAheadMs);
    afterAllRuns.push(() => node.stop());
    await eventually(() => {
      if (node.#hasEnded) throw new Error(`the server has ended: ${node.#output}`);
      expect(node.#port).not.toBe(0);
    });
    return node;
  }

  /** Does something on the node. */
  run<Name extends keyof Commands>(
    name: Name,
    ...args: Parameters<Commands[Name]>
  ): Promise<Awaited<ReturnType<Commands[Name]>>> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastCall;
      this.#calls.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.#process.send({ id, name, args });
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

  /** A connection of a user; with a room, a member of it that messages of other nodes reach. */
  async connect(user: string, room: Room, isLive = true): Promise<Member> {
    const member = new Member(await RawPeer.connect(this.urlOf("nodes"), { user }));
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
      if (this.#process.exitCode !== null) return resolve();
      this.#process.on("exit", () => resolve());
      this.#process.stdin!.end();
    });
  }

  get #hasEnded(): boolean {
    return !this.#process.connected;
  }

  #take(message: NodeEvent | Answer): void {
    if ("id" in message) {
      const call = this.#calls.get(message.id);
      this.#calls.delete(message.id);
      if (message.error === undefined) call?.resolve(message.result);
      else call?.reject(new Error(message.error));
    } else if (message.event === "listening") {
      this.#port = message.port;
      this.pid = message.pid;
    } else if (message.event === "health") {
      this.health.push(message.health === "up" ? "up" : `down: ${message.reason}`);
    } else {
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

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** What a member writes into its log where messages are lost. */
export const LOST = "LOST";

/** A connection that keeps what it gets. */
export class Member {
  /** The texts in their order, and `LOST`. */
  readonly log: string[] = [];
  readonly #answers: ((answer: string) => void)[] = [];

  constructor(readonly peer: RawPeer) {
    peer.ws.on("message", (data) => {
      const frame = String(data);
      if (frame.startsWith("m:Nodes.news::")) this.log.push(JSON.parse(frame.slice("m:Nodes.news::".length)));
      else if (frame.startsWith("m:Nodes.lost:")) this.log.push(LOST);
      else this.#answers.shift()?.(frame);
    });
  }

  /** Returns whether messages of other nodes reach it. */
  async join(room: Room): Promise<boolean> {
    const answer = new Promise<string>((resolve) => this.#answers.push(resolve));
    this.peer.send(`r:Nodes.join:1:${JSON.stringify(room)}`);
    return JSON.parse((await answer).replace(/^s:Nodes.join:1:/, "")).data.isLive;
  }

  /** Waits until it has got exactly these. */
  async got(...log: readonly string[]): Promise<void> {
    await eventually(() => expect(this.log.length).toBeGreaterThanOrEqual(log.length));
    expect(this.log).toEqual(log);
  }
}

const afterAllRuns: (() => unknown)[] = [];
afterAll(async () => {
  await Promise.all(afterAllRuns.splice(0).map((run) => run()));
});
