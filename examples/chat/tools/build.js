import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundleChat } from "./bundle.js";
import { newestIn, timeOf } from "./files.js";
import { buildLibrary, libraryOutput } from "./library.js";

const at = (/** @type {string} */ path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

export const SOURCES = ["shared", "client", "server", "terminal", "web", "tools"];

/** Written last, so that everything in `dist/` is at least as new. */
const STAMP = at("dist/.built");

/** Builds the library, and the chat into `dist/`, if they are out of date. */
export async function buildChat() {
  buildLibrary();
  const sources = [...SOURCES.map((folder) => newestIn(at(folder))), ...libraryOutput().map(newestIn)];
  if (timeOf(STAMP) >= Math.max(...sources)) return;
  await bundleChat(at("dist"));
  writeFileSync(STAMP, "");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildChat();
