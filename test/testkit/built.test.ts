import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { fixture, root } from "../support/paths.js";

const run = promisify(execFile);

it("runs as built under Node's own test runner, without vitest", async () => {
  if (!existsSync(join(root, "dist/testkit/index-testkit.js")))
    throw new Error('Nothing to test. Run "npm run build" first.');
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_TEST_CONTEXT)/.test(name)),
  );
  const file = fixture("package/testkit.mjs");
  const { stdout } = await run(process.execPath, ["--test", "--test-reporter=tap", file], {
    env,
    timeout: 30_000,
  }).catch((failed: { stdout: string }) => failed);
  expect(stdout).toMatch(/^# pass 1$/m);
  expect(stdout).toMatch(/^# fail 0$/m);
}, 40_000);
