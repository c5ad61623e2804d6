import { cpSync, mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const at = (/** @type {string} */ path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const PAGE_FILES = ["index.html", "favicon.svg"];

/**
 * Bundles the three programs of the chat into `server/`, `terminal/` and `web/` of a folder within this package.
 *
 * @param {string} out
 */
export async function bundleChat(out) {
  for (const part of ["server", "terminal", "web", "inspect"])
    rmSync(`${out}/${part}`, { recursive: true, force: true });
  mkdirSync(`${out}/web`, { recursive: true });
  for (const file of PAGE_FILES) cpSync(at(`web/${file}`), `${out}/web/${file}`);
  // Beside the chat's page: it is not served to everyone.
  for (const file of ["index.html", "style.css"]) cpSync(at(`web/inspect/${file}`), `${out}/inspect/${file}`);
  await Promise.all([
    bundleForNode(at("server/main.ts"), `${out}/server/main.js`),
    bundleForNode(at("terminal/main.ts"), `${out}/terminal/main.js`),
    bundleForBrowsers(at("web/main.ts"), `${out}/web/main.js`),
    bundleForBrowsers(at("web/styles/main.css"), `${out}/web/style.css`),
    bundleForBrowsers(at("web/inspect/main.ts"), `${out}/inspect/main.js`),
  ]);
}

/**
 * Bundles own files; packages stay imports by name, as in an installed program.
 *
 * @param {string} entry
 * @param {string} outfile
 */
export function bundleForNode(entry, outfile) {
  return build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: true,
  });
}

/**
 * Bundles everything; packages are resolved with their `browser` condition.
 *
 * @param {string} entry
 * @param {string} outfile
 */
function bundleForBrowsers(entry, outfile) {
  return build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "browser",
    format: "esm",
    target: "es2022",
    minify: true,
    sourcemap: true,
    // The workspace's configuration maps package names to their sources; the page needs the built files.
    tsconfig: at("tsconfig.json"),
  });
}
