import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

// The hostile tests in their long form, and all tests of connections over a `ws` without its private parts. Takes some
// minutes; HOSTILE_RUNS and HOSTILE_SEED set how many sequences are generated, and which.

const root = fileURLToPath(new URL("../..", import.meta.url));
const { HOSTILE_RUNS = "1000", HOSTILE_SEED = String(Date.now() % 2 ** 31) } = process.env;
const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));

function run(...args) {
  const env = { ...process.env, HOSTILE_RUNS, HOSTILE_SEED, CHAOS: "1" };
  return spawnSync(process.execPath, [vitest, "run", ...args], { cwd: root, env, stdio: "inherit" }).status === 0;
}

console.log(`HOSTILE_RUNS=${HOSTILE_RUNS} HOSTILE_SEED=${HOSTILE_SEED}`);
const results = [
  run(
    "test/hostile",
    "test/client/drops.test.ts",
    "test/groups/channel.test.ts",
    "test/groups/presence.test.ts",
    "--typecheck.enabled=false",
    "--testTimeout",
    "600000",
  ),
  run("--config", "test/support/withoutPrivateParts.config.ts"),
];
process.exitCode = results.every(Boolean) ? 0 : 1;
