import { access } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** The path of a package's test kit. */
const PLACES = ["testkit/index-testkit.ts", "dist/testkit/index-testkit.js"];

/** Loads the test kit of an installed package. Resolves to whether it has one. */
export async function loadTestkit(packageFolder: string): Promise<boolean> {
  for (const place of PLACES) {
    const file = join(packageFolder, place);
    const exists = await access(file).then(
      () => true,
      () => false,
    );
    if (!exists) continue;
    await import(/* @vite-ignore */ pathToFileURL(file).href);
    return true;
  }
  return false;
}
