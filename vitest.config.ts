import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Tests run against the sources; only `test/package` and the browser tests use what the build made. */
const sources = [
  { find: /^@grest-ts\/websocket$/, replacement: at("./src/index.ts") },
  { find: /^@grest-ts\/websocket\/redis$/, replacement: at("./src/index.redis.ts") },
  { find: /^@grest-ts\/websocket\/cluster$/, replacement: at("./src/index.cluster.ts") },
  { find: /^@grest-ts\/websocket\/react$/, replacement: at("./src/index.react.ts") },
  { find: /^@grest-ts\/websocket\/asyncapi$/, replacement: at("./src/index.asyncapi.ts") },
  { find: /^@grest-ts\/websocket\/inspect$/, replacement: at("./src/index.inspect.ts") },
  { find: /^@grest-ts\/websocket\/testkit$/, replacement: at("./testkit/index-testkit.ts") },
  { find: /^@grest-ts\/websocket\/testkit\/framework$/, replacement: at("./testkit/framework.ts") },
  {
    find: /^@grest-ts\/(schema|locator|context|metrics|discovery|http|logger|trace|testkit)$/,
    replacement: at("./packages/$1/src/index.ts"),
  },
];

export default defineConfig({
  resolve: { alias: sources },
  test: {
    // Most tests wait for something else most of the time.
    maxWorkers: 2,
    // Those over processes and a real Redis depend on what else the machine does; the report names what was repeated.
    retry: process.env.CI ? 1 : 0,
    include: ["test/**/*.test.ts", "packages/*/test/**/*.test.ts", "examples/*/test/**/*.test.ts"],
    typecheck: { enabled: true, include: ["test/types/**/*.test-d.ts", "packages/*/test/**/*.test-d.ts"] },
  },
});
