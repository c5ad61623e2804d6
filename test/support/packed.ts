import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "./paths.js";

const run = promisify(execFile);

/**
 * Makes a folder in which the package and its neighbours are installed as they are packed, and nothing links to the
 * repository but their third-party dependencies, `ws` included, and Node's types. The caller removes the folder.
 */
export async function packedConsumer(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "grest-ts-packed-"));
  const neighbours = (await readdir(join(root, "packages"), { withFileTypes: true })).filter((one) =>
    one.isDirectory(),
  );
  const sources = [root, ...neighbours.map(({ name }) => join(root, "packages", name))];
  const { stdout } = await run(
    "npm",
    ["pack", "--json", "--ignore-scripts", `--pack-destination=${folder}`, ...sources],
    { cwd: root },
  );
  const packs = JSON.parse(stdout) as readonly { readonly name: string; readonly filename: string }[];
  const installed = join(folder, "node_modules");
  await Promise.all(
    packs.map(async ({ name, filename }) => {
      await mkdir(join(installed, name), { recursive: true });
      await run("tar", ["-xzf", join(folder, filename), "--strip-components=1", "-C", join(installed, name)]);
      await rm(join(folder, filename));
    }),
  );
  const needed = await Promise.all(packs.map(({ name }) => dependenciesOf(join(installed, name))));
  const others = new Set(needed.flat().filter((name) => !packs.some((pack) => pack.name === name)));
  await mkdir(join(installed, "@types"));
  for (const name of [...others, "@types/node"]) await symlink(join(root, "node_modules", name), join(installed, name));
  return folder;
}

async function dependenciesOf(folder: string): Promise<string[]> {
  const { dependencies = {} } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
    readonly dependencies?: Readonly<Record<string, string>>;
  };
  return Object.keys(dependencies);
}
