import { spawn } from "node:child_process";
import { copyFile, realpath, writeFile } from "node:fs/promises";
import { builtinModules, createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { createContext, runInContext } from "node:vm";
import * as esbuild from "esbuild";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { fixture } from "./paths.js";
import { WORKERD } from "./runtimes.js";

/** What runtimes are given that take a program as one file, and how they run it. */

/** A bundled program. */
export interface Bundle {
  readonly script: string;
  /** Every module in it, and every import left, as a path or a name. */
  readonly modules: readonly string[];
}

/** Plays the program of `embedded.js` against the server of a URL. */
export type Play = (url: string) => Promise<unknown>;

const requireTool = createRequire(fixture("runtimes/package.json"));

/** Bundles a file of a folder as for a platform of which esbuild knows nothing but the conditions of its packages. */
export async function bundle(
  folder: string,
  entry: string,
  conditions: readonly string[],
  format: esbuild.Format = "iife",
): Promise<Bundle> {
  const { outputFiles, metafile } = await esbuild.build({
    entryPoints: [join(folder, entry)],
    absWorkingDir: folder,
    bundle: true,
    write: false,
    metafile: true,
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: [...conditions],
    external: ["node:*", ...builtinModules],
    format,
    target: "es2022",
    logLevel: "silent",
  });
  const left = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  return { script: outputFiles[0]?.text ?? "", modules: [...Object.keys(metafile.inputs), ...left] };
}

interface MetroModule {
  readonly path: string;
}

interface Metro {
  loadConfig(args: object, overrides: object): Promise<object>;
  runBuild(config: object, options: object): Promise<{ readonly code: string }>;
}

/** Bundles a file of a folder with Metro, configured as React Native configures it, and with further conditions. */
export async function bundleWithMetro(
  folder: string,
  entry: string,
  conditions: readonly string[] = [],
): Promise<Bundle> {
  const metro = requireTool("metro") as Metro;
  const modules = new Set<string>();
  const config = await metro.loadConfig(
    { cwd: folder, "max-workers": 1 },
    {
      projectRoot: folder,
      // It follows links only to what it watches.
      watchFolders: [await realpath(join(folder, "node_modules/zod")), fixture("runtimes/node_modules/metro-runtime")],
      cacheStores: [],
      reporter: { update() {} },
      resolver: {
        resolverMainFields: ["react-native", "browser", "main"],
        platforms: ["android", "ios"],
        unstable_conditionNames: ["react-native", ...conditions],
        useWatchman: false,
      },
      transformer: {
        // React Native's dependencies hold it, this folder's do not.
        asyncRequireModulePath: requireTool.resolve("metro-runtime/src/modules/asyncRequire"),
        // Stands in for what React Native's preset for Babel does with imports.
        getTransformOptions: () => Promise.resolve({ transform: { experimentalImportSupport: true } }),
      },
      serializer: { processModuleFilter: ({ path }: MetroModule) => modules.add(path) },
    },
  );
  const options = { entry: join(folder, entry), platform: "android", dev: false, minify: false };
  const { code } = await metro.runBuild(config, options);
  return { script: code, modules: [...modules] };
}

/** Evaluates a script where there are only the globals of React Native that a client may need; none is missing there. */
export function playInReactNative(script: string, url: string): Promise<unknown> {
  const { AbortController, AbortSignal, Blob, console, performance, queueMicrotask, URLSearchParams } = globalThis;
  const { clearInterval, clearTimeout, setInterval, setTimeout } = globalThis;
  const apis = { AbortController, AbortSignal, Blob, console, performance, queueMicrotask, URLSearchParams, WebSocket };
  const timers = { clearInterval, clearTimeout, setInterval, setTimeout };
  const context = createContext({ ...apis, ...timers, process: { env: { NODE_ENV: "production" } } });
  runInContext("globalThis.global = globalThis.self = globalThis.window = globalThis", context);
  runInContext(script, context);
  return (context as { readonly play: Play }).play(url);
}

interface EdgeVM {
  evaluate(script: string): void;
  readonly context: { readonly play: Play };
}

/** Evaluates a script in Vercel's edge runtime. */
export function playInEdgeRuntime(script: string, url: string): Promise<unknown> {
  const { EdgeVM } = requireTool("@edge-runtime/vm") as { readonly EdgeVM: new () => EdgeVM };
  const vm = new EdgeVM();
  vm.evaluate(script);
  return vm.context.play(url);
}

/** Starts workerd with a Worker, and returns what plays it once: in a request of its own. */
export async function startWorker(folder: string, script: string): Promise<Play> {
  await writeFile(join(folder, "worker.bundle.js"), script);
  await copyFile(fixture("runtimes/workerd.capnp"), join(folder, "workerd.capnp"));
  const args = ["serve", "workerd.capnp", "--control-fd=3"];
  const child = spawn(WORKERD, args, { cwd: folder, stdio: ["ignore", "inherit", "inherit", "pipe"] });
  onTestFinished(() => void child.kill());
  const lines = createInterface(child.stdio[3] as Readable);
  const port = await new Promise<number>((resolve, reject) => {
    child.on("close", (code) => reject(new Error(`workerd ended with ${code}`)));
    lines.on("line", (line) => {
      const message = JSON.parse(line) as { readonly event: string; readonly port: number };
      if (message.event === "listen") resolve(message.port);
    });
  });
  return async (url) => (await fetch(`http://127.0.0.1:${port}/?url=${encodeURIComponent(url)}`)).json();
}
