import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { root } from "../support/paths.js";

const run = promisify(execFile);
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Readonly<Record<string, unknown>>;
const attw = join(root, "test/fixtures/ecosystem/node_modules/.bin/attw");

/** The files of the tarball. */
async function packedFiles(): Promise<string[]> {
  const { stdout } = await run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: root });
  const [pack] = JSON.parse(stdout) as readonly { readonly files: readonly { readonly path: string }[] }[];
  return pack!.files.map(({ path }) => path);
}

describe("the page of the package on npm", () => {
  it("names its source, its home, where to report defects, and who made it", () => {
    expect(manifest).toMatchObject({
      author: expect.any(String),
      bugs: expect.stringMatching(/^https:/),
      homepage: expect.stringMatching(/^https:/),
      license: "MIT",
      repository: { type: "git", url: expect.stringMatching(/^git\+https:.*\.git$/) },
    });
  });

  it("links to nothing but what is in the tarball, or has a URL", async () => {
    const files = await packedFiles();
    const targets = files
      .filter((file) => file === "README.md" || file === "SECURITY.md" || file === "CHANGELOG.md")
      .flatMap((file) =>
        Array.from(
          readFileSync(join(root, file), "utf8").matchAll(/\]\(([^)\s#]+)/g),
          ([, target]) => target as string,
        ),
      )
      .filter((target) => !/^https?:/.test(target));
    expect(targets.length).toBeGreaterThan(0);
    expect(targets.filter((target) => !files.includes(target.replace(/^\.\//, "")))).toEqual([]);
  });
});

describe("what is packed", () => {
  it("names each source map once, and has it", () => {
    const scripts = readdirSync(join(root, "dist"), { encoding: "utf8", recursive: true }).filter((file) =>
      file.endsWith(".js"),
    );
    const wrong = scripts.filter((file) => {
      const code = readFileSync(join(root, "dist", file), "utf8");
      const maps = Array.from(code.matchAll(/^\/\/# sourceMappingURL=(.*)$/gm), ([, map]) => map as string);
      return maps.length > 1 || maps.some((map) => !existsSync(join(root, "dist", file, "..", map)));
    });
    expect(scripts.length).toBeGreaterThan(5);
    expect(wrong).toEqual([]);
  });

  it.skipIf(!existsSync(attw) && !process.env.CI)(
    "has types that every resolution of ES modules finds",
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "grest-ts-attw-"));
      try {
        await run("npm", ["pack", "--ignore-scripts", `--pack-destination=${folder}`], { cwd: root });
        const [tarball] = readdirSync(folder);
        // It exits with 1 at a problem, and `run` rejects.
        await run(attw, [join(folder, tarball!), "--profile", "esm-only", "--format", "json"], { maxBuffer: 1e8 });
      } finally {
        await rm(folder, { recursive: true });
      }
    },
    60_000,
  );
});
