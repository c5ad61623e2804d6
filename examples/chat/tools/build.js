import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { newestIn, timeOf } from "./files.js";
import { buildLibrary, libraryOutput } from "./library.js";

const at = (/** @type {string} */ path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const SOURCES = ["shared", "client", "server", "terminal", "web", "tools"];
const PAGE_FILES = ["index.html", "style.css", "favicon.svg"];

/** Written last: everything in `dist/` is at least as new. */
const STAMP = at("dist/.built");

/** Builds what is out of date: the library, and the three programs of the chat into `dist/`. */
export async function buildChat() {
  buildLibrary();
  const sources = [...SOURCES.map((folder) => newestIn(at(folder))), ...libraryOutput().map(newestIn)];
  if (timeOf(STAMP) >= Math.max(...sources)) return;
  rmSync(at("dist"), { recursive: true, force: true });
  mkdirSync(at("dist/web"), { recursive: true });
  for (const file of PAGE_FILES) cpSync(at(`web/${file}`), at(`dist/web/${file}`));
  await Promise.all([bundleForNode("server"), bundleForNode("terminal"), bundleForBrowsers()]);
  writeFileSync(STAMP, "");
}

/** Own files in one, packages left to be imported by their names, as an installed program would. */
function bundleForNode(/** @type {"server" | "terminal"} */ program) {
  return build({
    entryPoints: [at(`${program}/main.ts`)],
    outfile: at(`dist/${program}/main.js`),
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: true,
  });
}

/** Everything in one; packages are taken as their `browser` condition says. */
function bundleForBrowsers() {
  return build({
    entryPoints: [at("web/main.ts")],
    outfile: at("dist/web/main.js"),
    bundle: true,
    platform: "browser",
    format: "esm",
    target: "es2022",
    minify: true,
    // The workspace's own configuration maps package names to their sources; the page takes what was built.
    tsconfig: at("tsconfig.json"),
    sourcemap: true,
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildChat();
