import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, mergeConfig } from "vitest/config";
import config from "../../vitest.config.js";
import { root } from "./paths.js";

/**
 * Tests of connections, with a `ws` for the sources whose private parts have other names, as those of another version or
 * of a runtime's own `ws` may: `npm run test:other-ws`, and all of them in `npm run chaos`.
 */

const SHORT = [
  "test/protocol/**",
  "test/connection/{batch,calls,early-messages,order}.test.ts",
  "test/server/group.test.ts",
  "test/server/limits/**",
  "test/client/reconnect.test.ts",
];
const ALL = ["test/{protocol,connection,server,client,transport}/**"];

const PRIVATE_PARTS = /\b(_socket|_receiver|_sender)\b/g;

function copyWs(): string {
  const copy = join(root, "node_modules/.cache/ws-without-private-parts");
  rmSync(copy, { recursive: true, force: true });
  cpSync(join(root, "node_modules/ws"), copy, { recursive: true });
  for (const name of readdirSync(join(copy, "lib"))) {
    const file = join(copy, "lib", name);
    writeFileSync(file, readFileSync(file, "utf8").replace(PRIVATE_PARTS, "$1Renamed"));
  }
  return join(copy, "wrapper.mjs");
}

const renamed = copyWs();

const include = (process.env.CHAOS ? ALL : SHORT).map((path) => (path.endsWith(".ts") ? path : `${path}/*.test.ts`));

// Lists are merged, so the one of the other tests goes.
export default mergeConfig(
  { ...config, test: { ...config.test, include } },
  defineConfig({
    root,
    plugins: [
      {
        name: "without-private-parts",
        enforce: "pre",
        // The peers of the tests keep theirs.
        resolveId: (source, importer) =>
          source === "ws" && importer?.startsWith(join(root, "src")) ? renamed : undefined,
      },
    ],
    test: {
      typecheck: { enabled: false },
      env: { OTHER_WS: "1" },
    },
  }),
);
