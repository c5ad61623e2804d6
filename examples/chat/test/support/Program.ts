import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { onTestFinished } from "vitest";

/** A built program that runs as a process of its own, ended with its test. */
export class Program {
  readonly process: ChildProcess;
  /** Everything that it has printed, including errors. */
  output = "";
  /** Resolves to the exit code once it has ended and its whole output is in `output`. */
  readonly ended: Promise<number | null>;
  readonly #watchers = new Set<() => void>();

  /** @param wrap makes it the program of another one, as of a terminal */
  constructor(
    path: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
    wrap: (command: readonly string[]) => readonly string[] = (command) => command,
  ) {
    const [command = "", ...rest] = wrap([process.execPath, path, ...args]);
    this.process = spawn(command, rest, {
      env: { ...process.env, ...env },
      stdio: ["pipe", "pipe", "pipe", "ipc"],
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
        this.#wake();
      });
    }
    this.ended = once(this.process, "close").then(([code]) => code as number | null);
    this.ended.then(() => this.#wake());
  }

  /** Ends it at the end of the test (not of a surrounding hook). */
  endWithTest(): this {
    onTestFinished(async () => void (await this.stop()));
    return this;
  }

  /** Resolves to the match once the output holds one. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.output);
      if (found) return found;
      if (this.process.exitCode !== null) throw new Error(`Ended without printing ${pattern}:\n${this.output}`);
      await new Promise<void>((resolve) => {
        this.#watchers.add(resolve);
      });
    }
  }

  type(line: string): void {
    this.process.stdin?.write(`${line}\n`);
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    this.process.kill(signal);
    return this.ended;
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }
}
