import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { fixture, root } from "../../support/paths.js";

/** Throws when there is nothing to put into a page. */
export function requireBuild(): void {
  if (existsSync(join(root, "dist/index.browser.js"))) return;
  throw new Error("These tests use what was built: run `npm run build`");
}

/** An app as one file for a page, on the packages as they were built, for production or development. */
export async function bundleApp(conditions: readonly string[] = [], entry = "browser/main.ts"): Promise<string> {
  requireBuild();
  const { outputFiles } = await build({
    entryPoints: [fixture(entry)],
    bundle: true,
    write: false,
    platform: "browser",
    conditions: [...conditions],
    format: "esm",
    target: "es2022",
    logLevel: "silent",
    // The repository's own paths resolve to the sources.
    tsconfigRaw: {},
  });
  return outputFiles[0]?.text ?? "";
}
