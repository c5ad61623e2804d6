import { readFile, writeFile } from "node:fs/promises";
import { defineConfig, type Options } from "tsup";
import { internalMembers } from "./mangle.js";

const shared: Options = {
  format: "esm",
  target: "es2022",
  platform: "browser",
  sourcemap: true,
  external: [/^@grest-ts\//],
};

/** What bundlers take for pages; in production with short names for internal members. */
export default defineConfig([
  {
    ...shared,
    entry: { "index.browser": "src/index.browser.ts" },
    // Makes one import of each package out of those of all modules.
    treeshake: true,
    // It names the source map a second time.
    async onSuccess() {
      const file = "dist/index.browser.js";
      const code = await readFile(file, "utf8");
      await writeFile(file, code.replace(/(\n\/\/# sourceMappingURL=.*)\1\s*$/, "$1\n"));
    },
    esbuildOptions(options) {
      options.mangleProps = new RegExp(`^(${internalMembers().join("|")})$`);
    },
  },
  { ...shared, entry: { "index.browser.development": "src/index.browser.development.ts" } },
]);
