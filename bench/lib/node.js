import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The major version of the Node that runs this. */
export const NODE = process.versions.node.split(".")[0];

/** Runs this program on another major version of Node, from npm. Resolves with its exit code. */
export async function runOn(major) {
  const execPath = fileURLToPath(new URL(`../node_modules/node${major}/bin/node`, import.meta.url));
  if (!existsSync(execPath)) {
    throw new Error(`Node ${major} is not installed here: package.json has those that are, on Linux on x64`);
  }
  const [code] = await once(fork(process.argv[1], process.argv.slice(2), { execPath }), "exit");
  return code ?? 1;
}

/** Ends this program with the one that runs it on another version. */
export function endWithParent() {
  if (!process.channel) return;
  process.once("disconnect", () => process.exit(1));
  process.channel.unref();
}
