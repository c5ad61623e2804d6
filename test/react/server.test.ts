import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { haveEcosystem } from "../support/ecosystem.js";
import { fixture } from "../support/paths.js";
import { bundleReact, REACTS } from "./support/bundleReact.js";

const versions = haveEcosystem() ? REACTS : REACTS.filter((version) => version !== 18);

describe.each(versions)("rendering on a server (React %i)", { timeout: 30_000 }, (version) => {
  it.each(["development", "production"])(
    "shows what there is before a connection, and connects to nothing (%s)",
    async (mode) => {
      const folder = await mkdtemp(join(tmpdir(), "react-"));
      onTestFinished(() => rm(folder, { recursive: true }));
      const program = join(folder, "render.cjs");
      const script = await bundleReact(version, {
        entryPoints: [fixture("react/render.tsx")],
        platform: "node",
        format: "cjs",
        define: { "process.env.NODE_ENV": JSON.stringify(mode) },
      });
      await writeFile(program, script);
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [program]);
      expect({ stderr, seen: JSON.parse(stdout) }).toEqual({
        stderr: "",
        seen: {
          version: expect.stringMatching(new RegExp(`^${version}\\.`)),
          html: "<p>idle 0 0 undefined</p><p>first</p><p>false undefined undefined</p>",
          strict: "<p>idle 0 0 undefined</p><p>first</p><p>false undefined undefined</p>",
          attempts: 0,
          state: "idle",
        },
      });
    },
  );
});
