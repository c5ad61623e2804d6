import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundleChat } from "./bundle.js";
import { newestIn, timeOf } from "./files.js";
import { isLibraryOutOfDate, libraryOutput, librarySteps } from "./library.js";
import { runSteps } from "./steps.js";

const at = (/** @type {string} */ path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

export const SOURCES = ["shared", "client", "server", "terminal", "web", "tools"];

/** Written last, so that everything in `dist/` is at least as new. */
const STAMP = at("dist/.built");

/** Builds the library, and the chat into `dist/`, if they are out of date; says what it does, since it takes a while. */
export async function buildChat() {
  const isLibraryOld = isLibraryOutOfDate();
  if (!isLibraryOld && !isChatOutOfDate()) return;
  if (isLibraryOld) console.log("Builds the library first: about 20 s the first time, at once afterwards");
  try {
    await runSteps([...(isLibraryOld ? librarySteps() : []), ["bundle the chat", () => bundleChat(at("dist"))]]);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
  writeFileSync(STAMP, "");
  console.log();
}

function isChatOutOfDate() {
  const sources = [...SOURCES.map((folder) => newestIn(at(folder))), ...libraryOutput().map(newestIn)];
  return timeOf(STAMP) < Math.max(...sources);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildChat();
