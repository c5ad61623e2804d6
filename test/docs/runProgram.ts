import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../support/paths.js";
import type { Program } from "./workspace.js";

/** How a program ended, and what it wrote to its outputs. */
export interface ProgramResult {
  readonly code: number | null;
  /** What it printed on its standard output. */
  readonly printed: string;
  /** The same, and what went to its standard error; and what its server wrote, if that failed. */
  readonly output: string;
}

/** A file that runs. */
interface Running {
  readonly child: ChildProcess;
  /** Resolves once it has printed something, or has ended. */
  readonly ready: Promise<unknown>;
  readonly ended: Promise<ProgramResult>;
}

/** An option of Node that loads a file of this folder before the program. */
const loading = (name: string): string => `--import=${pathToFileURL(join(root, "test/docs", name)).href}`;

/**
 * Runs a file of a page, with tsx or, if it holds tests, with vitest; its server, if it has one, before and meanwhile. It is
 * killed after `limitMs`. A server that does not end when it is asked to makes it a failure.
 */
export async function runProgram({ folder, block }: Program, limitMs = 60_000): Promise<ProgramResult> {
  const portFile = join(folder, `ports-${block.line}.json`);
  const server = block.server === undefined ? undefined : start(folder, block.server, portFile, limitMs + 10_000);
  await server?.ready;
  const result = await start(folder, block.path, portFile, limitMs).ended;
  if (!server) return result;
  const timer = setTimeout(() => server.child.kill("SIGKILL"), 8_000);
  server.child.kill("SIGTERM");
  const { code, output } = await server.ended;
  clearTimeout(timer);
  return code === 0 ? result : { ...result, code, output: `${result.output}\nIts server: ${output}` };
}

function start(folder: string, path: string, portFile: string, limitMs: number): Running {
  // Vitest has packages of its own, so its configuration forbids the root scope there.
  const args = /\.test\.tsx?$/.test(path)
    ? [join(root, "node_modules/vitest/vitest.mjs"), "run", path, "--root=.", "--config=../vitest.config.js"]
    : [loading("noRootScope.mjs"), "--import=tsx", path];
  const { VITEST, VITEST_MODE, VITEST_POOL_ID, VITEST_WORKER_ID, NODE_ENV, TEST, DEV, PROD, MODE, ...env } =
    process.env;
  const own = {
    NODE_OPTIONS: loading("ownPorts.mjs"),
    NO_COLOR: "1",
    DOCS_PARENT: `${process.pid}`,
    DOCS_PORTS: portFile,
  };
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...env, ...own },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let printed = "";
  let output = "";
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (stream === child.stdout) printed += text;
    });
  const timer = setTimeout(() => {
    output += `\nKilled: it ran for longer than ${limitMs / 1000} s`;
    child.kill("SIGKILL");
  }, limitMs);
  const ended = once(child, "close").then(([code]) => {
    clearTimeout(timer);
    return { code: code as number | null, printed, output };
  });
  return { child, ready: Promise.race([once(child.stdout!, "data"), ended]), ended };
}

/** Runs programs, at most `limit` at a time. The results are by the place of each: document and line. */
export function runPrograms(programs: readonly Program[], limit: number): Map<string, Promise<ProgramResult>> {
  const lanes: Promise<unknown>[] = Array.from({ length: limit }, () => Promise.resolve());
  return new Map(
    programs.map((program, index) => {
      const result = lanes[index % limit]!.then(() => runProgram(program));
      lanes[index % limit] = result;
      return [program.place, result];
    }),
  );
}
