import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { delimiter } from "node:path";
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

/** Whether a source of the library, or of its packages, is newer than the built files. */
export function isLibraryOutOfDate() {
  return (
    newestIn(at("src")) > timeOf(at("dist/index.js")) ||
    // The compiler does not touch unchanged outputs, only its build info.
    packages.some((name) => newestIn(at(`packages/${name}/src`)) > timeOf(at(`packages/${name}/dist/.tsbuildinfo`)))
  );
}

/**
 * The steps of the library's `npm run build`.
 *
 * @returns {(readonly [label: string, run: () => Promise<void>])[]}
 */
export function librarySteps() {
  const { scripts } = JSON.parse(readFileSync(at("package.json"), "utf8"));
  return scripts.build.split(" && ").map((/** @type {string} */ command) => [command, () => run(command)]);
}

/**
 * @param {string} command
 * @throws Error with its output when it fails
 */
async function run(command) {
  const env = { ...process.env, PATH: `${at("node_modules/.bin")}${delimiter}${process.env.PATH}` };
  const child = spawn(command, { cwd: at(""), env, shell: true, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const [status] = await once(child, "close");
  if (status !== 0) throw new Error(`${output}\nThe library could not be built: see above, or run \`npm run build\``);
}
