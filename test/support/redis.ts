import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createClient } from "redis";
import { afterAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { closedPort } from "./tcp.js";

const isInstalled = (() => {
  try {
    execFileSync("redis-server", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

/** Tests that need a redis-server: skipped by name where there is none, and failed where the tests must be complete. */
export function describeWithRedis(name: string, define: () => void): void {
  if (isInstalled) describe(name, define);
  else if (process.env.CI) it(`${name}: needs redis-server`, () => expect.fail("redis-server is not installed"));
  else describe.skip(`${name} (skipped: there is no redis-server on this machine)`, define);
}

/** Ends with its input, so that no server outlives the tests, however they end. */
const GUARD = 'redis-server "$@" & echo "pid $!"; read -r _; kill -9 $! 2>/dev/null; wait 2>/dev/null';

/** A redis-server of a test, on a port and in a directory of its own. */
export class TestRedis {
  readonly url: string;
  #guard: ChildProcess | undefined;
  #pid = 0;

  private constructor(
    readonly port: number,
    readonly dir: string,
    readonly args: readonly string[],
  ) {
    this.url = `redis://127.0.0.1:${port}`;
  }

  /** Starts a server; `args` as on the command line. It is stopped after the tests of the file. */
  static async start(...args: string[]): Promise<TestRedis> {
    const redis = await TestRedis.prepare(...args);
    await redis.start();
    return redis;
  }

  /** One that is not running. */
  static async prepare(...args: string[]): Promise<TestRedis> {
    const redis = new TestRedis(await closedPort(), await mkdtemp(join(tmpdir(), "test-redis-")), args);
    stopAfterAll.add(redis);
    return redis;
  }

  /** Starts, or starts again, with what it has saved. */
  async start(): Promise<void> {
    const own = ["--port", `${this.port}`, "--bind", "127.0.0.1", "--dir", this.dir, "--save", "", "--logfile", ""];
    const options = ["--enable-debug-command", "yes", ...this.args];
    const guard = spawn("sh", ["-c", GUARD, "sh", ...own, ...options], { stdio: ["pipe", "pipe", "inherit"] });
    this.#guard = guard;
    const output: string[] = [];
    for await (const text of createInterface(guard.stdout!)) {
      output.push(text);
      if (text.startsWith("pid ")) this.#pid = Number(text.slice(4));
      // A replica, too, says so once it takes commands.
      if (text.includes("Ready to accept connections")) {
        guard.stdout!.resume();
        return;
      }
      if (/Failed|FATAL/.test(text)) break;
    }
    throw new Error(`redis-server did not start:\n${output.join("\n")}`);
  }

  /** Sends a command, on a connection of its own. */
  async command(...args: string[]): Promise<unknown> {
    const client = createClient({ url: this.url, RESP: 2, socket: { reconnectStrategy: false } });
    client.on("error", () => {});
    await client.connect();
    try {
      return await client.sendCommand(args);
    } finally {
      client.destroy();
    }
  }

  /** Begins to count commands, as `MONITOR` shows them. */
  async countOf(pattern: RegExp): Promise<() => Promise<number>> {
    const client = createClient({ url: this.url, RESP: 2, socket: { reconnectStrategy: false } });
    client.on("error", () => {});
    onTestFinished(() => client.destroy());
    await client.connect();
    let count = 0;
    const ends = new Map<string, () => void>();
    await client.monitor((entry) => {
      const command = String(entry);
      if (pattern.test(command)) count++;
      for (const [mark, end] of ends) if (command.includes(mark)) end();
    });
    return async () => {
      const mark = `end ${ends.size}`;
      const ended = new Promise<void>((resolve) => ends.set(`"${mark}"`, resolve));
      await this.command("ECHO", mark);
      await ended;
      return count;
    };
  }

  /** `kill -9`: nothing is saved. */
  async kill(): Promise<void> {
    const guard = this.#guard;
    if (!guard) return;
    this.#guard = undefined;
    const ended = once(guard, "exit");
    guard.stdin!.end();
    await ended;
  }

  /** Hangs: its connections stay open. */
  pause(): void {
    process.kill(this.#pid, "SIGSTOP");
  }

  resume(): void {
    process.kill(this.#pid, "SIGCONT");
  }

  /** Saves what it has now; `restore` brings it back. */
  async save(name: string): Promise<void> {
    await this.command("SAVE");
    await copyFile(join(this.dir, "dump.rdb"), join(this.dir, name));
  }

  /** `kill -9`, and a start with what was saved under a name; with nothing without one. */
  async restart(name?: string): Promise<void> {
    await this.kill();
    const dump = join(this.dir, "dump.rdb");
    if (name) await copyFile(join(this.dir, name), dump);
    else await rm(dump, { force: true });
    await this.start();
  }

  /** Stops for good. */
  async stop(): Promise<void> {
    await this.kill();
    await rm(this.dir, { recursive: true, force: true });
  }
}

const stopAfterAll = new Set<TestRedis>();
afterAll(async () => {
  await Promise.all([...stopAfterAll].map((redis) => redis.stop()));
  stopAfterAll.clear();
});

const SLOTS = 16_384;

/** Starts a cluster of masters, each with an equal part of the slots; or nodes without slots that join another cluster. */
export async function startCluster(masters: number, other?: TestRedis): Promise<TestRedis[]> {
  const nodes = await Promise.all(
    Array.from({ length: masters }, async () =>
      TestRedis.start(
        "--cluster-enabled",
        "yes",
        "--cluster-port",
        `${await closedPort()}`,
        "--cluster-node-timeout",
        "2000",
      ),
    ),
  );
  const meet = (node: TestRedis, first: TestRedis) => {
    const busPort = node.args[node.args.indexOf("--cluster-port") + 1]!;
    return first.command("CLUSTER", "MEET", "127.0.0.1", `${node.port}`, busPort);
  };
  if (other) {
    for (const node of nodes) await meet(node, other);
    return nodes;
  }
  for (const [index, node] of nodes.entries()) {
    const start = Math.floor((SLOTS * index) / masters);
    const end = Math.floor((SLOTS * (index + 1)) / masters) - 1;
    await node.command("CLUSTER", "ADDSLOTSRANGE", `${start}`, `${end}`);
  }
  for (const node of nodes.slice(1)) await meet(node, nodes[0]!);
  await vi.waitFor(
    async () => {
      for (const node of nodes) {
        const info = String(await node.command("CLUSTER", "INFO"));
        expect(info).toContain("cluster_state:ok");
        expect(info).toContain(`cluster_known_nodes:${masters}`);
      }
    },
    { timeout: 15_000, interval: 50 },
  );
  return nodes;
}
