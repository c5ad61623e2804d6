import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, mergeConfig } from "vitest/config";
import config from "../../vitest.config.js";
import { root } from "./paths.js";

/**
 * The tests of connections, with a `ws` for the sources whose private parts have other names, as those of another
 * version or of a runtime's own `ws` may: `npx vitest run --config test/support/withoutPrivateParts.config.ts`.
 */

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

export default mergeConfig(
  config,
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
      exclude: ["packages/**", "examples/**", "test/{package,browser,types,scenarios,testkit,compat-0.0.39}/**"],
    },
  }),
);
