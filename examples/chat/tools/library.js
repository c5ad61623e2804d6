import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { newestIn, timeOf } from "./files.js";

const at = (/** @type {string} */ path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

const packages = readdirSync(at("packages"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** The folders of built files that the chat uses. */
export function libraryOutput() {
  return [at("dist"), ...packages.map((name) => at(`packages/${name}/dist`))];
}

/** Builds the library and its packages, unless the built files are newer than every source. */
export function buildLibrary() {
  if (!isOutOfDate()) return;
  console.log("Building the library…");
  const { status, stdout, stderr } = spawnSync("npm run --silent build", {
    cwd: at(""),
    encoding: "utf8",
    shell: true,
  });
  if (status === 0) return;
  console.error(`${stdout}${stderr}\nThe library could not be built: see above, or run \`npm run build\``);
  process.exit(1);
}

function isOutOfDate() {
  return (
    newestIn(at("src")) > timeOf(at("dist/index.js")) ||
    // The compiler does not touch unchanged outputs, only its build info.
    packages.some((name) => newestIn(at(`packages/${name}/src`)) > timeOf(at(`packages/${name}/dist/.tsbuildinfo`)))
  );
}
