import { readFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import * as esbuild from "esbuild";
import { build as viteBuild } from "vite";
import { onTestFinished, vi } from "vitest";
import webpack from "webpack";

/** What a bundler made of a page's program. */
export interface Bundle {
  readonly script: string;
  /** Every module in it, as a path, and every external import, as its name. */
  readonly modules: readonly string[];
}

type Bundler = (folder: string, entry?: string, mode?: "production" | "development") => Promise<Bundle>;

/** Bundles a file of a folder, by default `app.js` for production, with the settings that a user starts from. */
export const BUNDLERS: Readonly<Record<string, Bundler>> = {
  async Vite(folder, entry = "app.js", mode = "production") {
    vi.stubEnv("NODE_ENV", mode);
    onTestFinished(() => void vi.unstubAllEnvs());
    const modules = new Set<string>();
    const result = await viteBuild({
      root: folder,
      configFile: false,
      logLevel: "silent",
      build: {
        write: false,
        target: "es2022",
        rolldownOptions: { input: join(folder, entry) },
        modulePreload: { polyfill: false },
      },
    });
    const outputs = Array.isArray(result)
      ? result.flatMap(({ output }) => output)
      : "output" in result
        ? result.output
        : [];
    const chunks = outputs.filter((one) => one.type === "chunk");
    for (const { moduleIds, imports, dynamicImports } of chunks) {
      for (const name of [...moduleIds, ...imports, ...dynamicImports]) modules.add(name);
    }
    return { script: onlyOne(chunks).code, modules: [...modules] };
  },

  async esbuild(folder, entry = "app.js", mode = "production") {
    const { outputFiles, metafile } = await esbuild.build({
      entryPoints: [join(folder, entry)],
      absWorkingDir: folder,
      bundle: true,
      write: false,
      metafile: true,
      minify: true,
      // It has no modes: its users set this.
      conditions: [mode],
      format: "esm",
      target: "es2022",
      logLevel: "silent",
    });
    const external = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
    return { script: onlyOne(outputFiles).text, modules: [...Object.keys(metafile.inputs), ...external] };
  },

  async webpack(folder, entry = "app.js", mode = "production") {
    const path = join(folder, "webpack");
    const stats = await new Promise<webpack.Stats>((resolve, reject) => {
      webpack(
        {
          mode,
          context: folder,
          entry: `./${entry}`,
          target: ["web", "es2022"],
          output: { path, filename: "main.js" },
        },
        (error, done) => (done && !done.hasErrors() ? resolve(done) : reject(error ?? new Error(done?.toString()))),
      );
    });
    const modules = [...stats.compilation.modules].map((module) => module.nameForCondition() ?? module.identifier());
    return { script: await readFile(join(path, "main.js"), "utf8"), modules };
  },
};

/** The modules of Node and of `ws` among them, a bundler's stand-ins for such included. */
export function foreignModules(modules: readonly string[]): string[] {
  return modules.filter((module) => {
    const name = module.replace(/^(external |ignored\||\(disabled\):|__vite-browser-external:|commonjs |\0)+/, "");
    // In production Vite has one stand-in for all, without names.
    if (name.endsWith("__vite-browser-external")) return true;
    return isBuiltin(name) || name === "ws" || /[\\/]node_modules[\\/]ws[\\/]/.test(name);
  });
}

function onlyOne<T>(items: readonly T[]): T {
  const [item] = items;
  if (item === undefined || items.length > 1) throw new Error(`${items.length} files came out, and not one`);
  return item;
}
