import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");

/** A file of `test/fixtures`. */
export const fixture = (path: string): string => join(root, "test/fixtures", path);
