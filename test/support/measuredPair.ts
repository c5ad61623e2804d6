import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll } from "vitest";
import { fixture, root } from "./paths.js";

/** What was started here, to be ended after the tests of the file. */
const endings: (() => void)[] = [];
afterAll(() => {
  for (const end of endings.splice(0).reverse()) end();
});

let folder: string | undefined;

/** The programs as one file each: what runs the sources as they are adds to what they allocate. */
function bundles(): string {
  if (folder) return folder;
  const made = mkdtempSync(join(tmpdir(), "test-speed-"));
  endings.push(() => rmSync(made, { recursive: true, force: true }));
  buildSync({
    entryPoints: [fixture("speed/server.ts"), fixture("speed/clients.ts")],
    outdir: made,
    outExtension: { ".js": ".mjs" },
    tsconfig: join(root, "tsconfig.json"),
    bundle: true,
    platform: "node",
    format: "esm",
    // CommonJS modules in it need a `require`.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    logLevel: "error",
  });
  folder = made;
  return made;
}

/** A process that does one task after another. Ends after the tests of the file, and with their process. */
class Process {
  readonly ready: Promise<unknown>;
  readonly #process: ChildProcess;

  constructor(program: string, args: string[], flags: readonly string[]) {
    // Native helpers of `ws`, where they are installed, would change the figures.
    const env = { ...process.env, NODE_OPTIONS: "", WS_NO_BUFFER_UTIL: "1", WS_NO_UTF_8_VALIDATE: "1" };
    this.#process = fork(join(bundles(), `${program}.mjs`), args, { execArgv: [...flags], env });
    endings.push(() => void this.#process.kill("SIGKILL"));
    this.ready = this.#answer();
  }

  async do<T>(task: string, options?: unknown): Promise<T> {
    const answer = this.#answer();
    // When it has ended, there is no answer either.
    this.#process.send({ task, options }, () => {});
    return (await answer) as T;
  }

  #answer(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null) => reject(new Error(`the process ended with ${code}`));
      this.#process.once("exit", onExit);
      this.#process.once("message", ({ result }: { result: unknown }) => {
        this.#process.off("exit", onExit);
        resolve(result);
      });
    });
  }
}

/** A server and clients, each in a process of its own, which know what they use. */
export class MeasuredPair {
  #connections = 0;

  private constructor(
    readonly server: Process,
    readonly clients: Process,
  ) {}

  /** @param capabilities those of both ends; by default all */
  static async start(flags: readonly string[], capabilities?: string): Promise<MeasuredPair> {
    const all = ["--expose-gc", ...flags];
    const given = capabilities === undefined ? [] : [capabilities];
    const server = new Process("server", given, all);
    const clients = new Process("clients", [`${await server.ready}`, ...given], all);
    await clients.ready;
    return new MeasuredPair(server, clients);
  }

  get ends(): readonly Process[] {
    return [this.clients, this.server];
  }

  /** Makes more connections. */
  async connect(count: number): Promise<void> {
    this.#connections += count;
    await this.clients.do("connect", count);
    await this.server.do("connections", this.#connections);
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    this.#connections = 0;
    await this.clients.do("close");
    await this.server.do("connections", 0);
  }
}
