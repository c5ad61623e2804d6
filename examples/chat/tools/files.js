import { readdirSync, statSync } from "node:fs";

/** When the newest file below a folder was changed; 0 when there is none. */
export function newestIn(/** @type {string} */ folder) {
  if (timeOf(folder) === 0) return 0;
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Math.max(0, ...files.map((file) => timeOf(`${file.parentPath}/${file.name}`)));
}

/** When a file was changed; 0 when there is none. */
export function timeOf(/** @type {string} */ path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
