import { execFile } from "node:child_process";
import { appendFile, cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { root } from "../support/paths.js";

/** Forbidden imports, each with the violation that is reported for it. */
const FORBIDDEN = [
  ["src/client/reconnect.ts", "node:crypto", /error browser-without-node: src\/index\.browser\.ts → crypto/],
  ["src/connection/inbox.ts", "ws", /error browser-without-node: src\/index\.browser\.ts → node_modules\/ws\//],
  [
    "src/client/pool.ts",
    "../server/limits.js",
    /error client-imports: src\/client\/pool\.ts → src\/server\/limits\.ts/,
  ],
  ["src/server/limits.ts", "../client/url.js", /error server-imports: src\/server\/limits\.ts → src\/client\/url\.ts/],
  ["src/connection/calls.ts", "../client/url.js", /error connection-imports: src\/connection\/calls\.ts → src\/client/],
  ["src/api/schema.ts", "../connection/calls.js", /error api-imports: src\/api\/schema\.ts → src\/connection\/calls/],
  ["src/protocol/frame.ts", "node:buffer", /error protocol-stands-alone: src\/protocol\/frame\.ts → buffer/],
  ["src/server/group.ts", "vite", /error known-packages-only: src\/server\/group\.ts → vite/],
] as const;

describe("the check of imports", () => {
  let report = "";

  beforeAll(async () => {
    const copy = await mkdtemp(join(tmpdir(), "imports-"));
    for (const path of [
      "src",
      "testkit",
      "tsconfig.json",
      "tsconfig.base.json",
      ".dependency-cruiser.cjs",
      "package.json",
    ])
      await cp(join(root, path), join(copy, path), { recursive: true });
    for (const path of ["packages", "node_modules"]) await symlink(join(root, path), join(copy, path));
    for (const [file, imported] of FORBIDDEN) await appendFile(join(copy, file), `\nimport "${imported}";\n`);
    const check = join(root, "node_modules/dependency-cruiser/bin/dependency-cruise.mjs");
    const args = [check, "src", "testkit", "--config", ".dependency-cruiser.cjs", "--preserve-symlinks"];
    report = await promisify(execFile)(process.execPath, args, { cwd: copy }).then(
      ({ stdout }) => stdout,
      ({ stdout }) => stdout,
    );
    await rm(copy, { recursive: true });
  }, 60_000);

  it.each(FORBIDDEN)("does not let %s import %s", (_file, _imported, violation) => {
    expect(report).toMatch(violation);
  });
});
