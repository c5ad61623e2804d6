import { join } from "node:path";
import { type BuildOptions, build } from "esbuild";
import { internalMembers } from "../../../mangle.js";
import { requireBuild } from "../../browser/support/bundle.js";
import { fixture, root } from "../../support/paths.js";

/** The versions of React that are tested. */
export const REACTS = [18, 19] as const;
export type ReactVersion = (typeof REACTS)[number];

let shortNamed: Promise<string> | undefined;

/** The client for pages out of the sources, with short names for internal members, as it is published. */
async function shortNamedClient(): Promise<string> {
  // Which names are internal, the declarations say.
  requireBuild();
  return textOf({
    entryPoints: [join(root, "src/index.browser.ts")],
    platform: "browser",
    external: ["@grest-ts/*"],
    mangleProps: new RegExp(`^(${internalMembers().join("|")})$`),
  });
}

/** A program with its React, and what this package is for its platform, out of the sources. */
export async function bundleReact(version: ReactVersion, options: BuildOptions): Promise<string> {
  const folder = version === 18 ? fixture("ecosystem/node_modules") : join(root, "node_modules");
  const suffix = version === 18 ? "-18" : "";
  const isPage = options.platform === "browser";
  if (isPage) shortNamed ??= shortNamedClient();
  const client = isPage ? await shortNamed : undefined;
  return textOf({
    alias: { react: join(folder, `react${suffix}`), "react-dom": join(folder, `react-dom${suffix}`) },
    plugins: [
      {
        name: "sources",
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^@grest-ts\/websocket\/react$/ }, () => ({ path: join(root, "src/index.react.ts") }));
          onResolve({ filter: /^@grest-ts\/websocket$/ }, () =>
            client === undefined ? { path: join(root, "src/index.ts") } : { path: "client", namespace: "short" },
          );
          onLoad({ filter: /.*/, namespace: "short" }, () => ({ contents: client ?? "", resolveDir: root }));
        },
      },
    ],
    // StrictMode mounts twice during development only, and that is when React warns.
    define: { "process.env.NODE_ENV": '"development"' },
    ...options,
  });
}

async function textOf(options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    logLevel: "silent",
    // The repository's own paths resolve to the sources.
    tsconfigRaw: {},
    jsx: "automatic",
    ...options,
  });
  return outputFiles?.[0]?.text ?? "";
}
