import { copyFile, writeFile } from "node:fs/promises";
import { defineConfig, type Options } from "tsup";
import { INTERNAL_MEMBERS } from "./mangle.config.js";

const shared: Options = {
  format: "esm",
  target: "es2022",
  sourcemap: true,
  dts: { compilerOptions: { stripInternal: true } },
  external: [/^@grest-ts\//, "vitest"],
};

export default defineConfig([
  {
    ...shared,
    entry: { index: "src/index.ts", "testkit/index-testkit": "testkit/index-testkit.ts" },
    platform: "node",
    // All types, and about this very package, which a bundler of declarations cannot resolve.
    async onSuccess() {
      await copyFile("testkit/framework.ts", "dist/testkit/framework.d.ts");
      await writeFile("dist/testkit/framework.js", "export {};\n");
    },
  },
  {
    ...shared,
    entry: { "index.browser": "src/index.browser.ts" },
    // Makes one import of each package out of those of all modules.
    treeshake: true,
    esbuildOptions(options) {
      options.mangleProps = new RegExp(`^(${INTERNAL_MEMBERS.join("|")})$`);
    },
    platform: "browser",
    dts: false,
  },
  {
    ...shared,
    entry: { "index.browser.development": "src/index.browser.development.ts" },
    platform: "browser",
    dts: false,
  },
]);
