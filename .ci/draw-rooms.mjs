// Draws the rooms of the house in ARCHITECTURE.md from the real imports: `node .ci/draw-rooms.mjs`.
// With `--check` it changes nothing, and fails when the picture is out of date.
import { readFileSync, writeFileSync } from "node:fs";
import { cruise } from "dependency-cruiser";
import extractTsConfig from "dependency-cruiser/config-utl/extract-ts-config";

const PAGE = new URL("../ARCHITECTURE.md", import.meta.url);
const PICTURE = /(<!-- rooms -->\n)[\s\S]*(<!-- \/rooms -->)/;

const options = { tsPreCompilationDeps: true, doNotFollow: { path: ["node_modules", "^packages/"] } };
const { output } = await cruise(["src", "testkit"], options, {}, { tsConfig: extractTsConfig("tsconfig.json") });

const arrows = new Set();
for (const { source, dependencies } of output.modules) {
  for (const { resolved } of dependencies) {
    const [from, to] = [roomOf(source), roomOf(resolved)];
    if (from && to && from !== to) arrows.add(`  ${from} --> ${to}`);
  }
}

const drawn = ["```mermaid", "flowchart TD", ...[...arrows].sort(), "```", ""].join("\n");
const page = readFileSync(PAGE, "utf8");
const updated = page.replace(PICTURE, `$1${drawn}$2`);
if (!PICTURE.test(page)) throw new Error("ARCHITECTURE.md has no place for the picture");
if (!process.argv.includes("--check")) writeFileSync(PAGE, updated);
else if (updated !== page) {
  console.error("The picture in ARCHITECTURE.md is out of date: run `node .ci/draw-rooms.mjs`");
  process.exitCode = 1;
}

/** `src/server/upgrade/router.ts` is in `server`, `src/index.ts` in `entries`. */
function roomOf(path) {
  const [top, room, file] = path.split("/");
  if (top === "testkit") return "testkit";
  if (top !== "src") return undefined;
  return file ? room : "entries";
}
