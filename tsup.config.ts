import { copyFile, writeFile } from "node:fs/promises";
import { defineConfig } from "tsup";

/** The package for Node, its test kit, and all declarations. Pages come after: `tsup.browser.config.ts` reads these. */
export default defineConfig({
  entry: {
    index: "src/index.ts",
    "index.redis": "src/index.redis.ts",
    "index.cluster": "src/index.cluster.ts",
    "index.react": "src/index.react.ts",
    "index.asyncapi": "src/index.asyncapi.ts",
    "index.inspect": "src/index.inspect.ts",
    "testkit/index-testkit": "testkit/index-testkit.ts",
  },
  format: "esm",
  target: "es2022",
  platform: "node",
  sourcemap: true,
  dts: { compilerOptions: { stripInternal: true } },
  external: [/^@grest-ts\//, "vitest", "redis", "react"],
  // All types, and about this very package, which a bundler of declarations cannot resolve.
  async onSuccess() {
    await copyFile("testkit/framework.ts", "dist/testkit/framework.d.ts");
    await writeFile("dist/testkit/framework.js", "export {};\n");
  },
});
