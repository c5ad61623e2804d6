// `npm run dev`: runs `npm start`, and restarts it when a source of the library or of the chat changes.
import { spawn } from "node:child_process";
import { watch } from "node:fs";
import { fileURLToPath } from "node:url";
import { SOURCES } from "./build.js";

const at = (/** @type {string} */ path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

let server = start();
/** @type {NodeJS.Timeout | undefined} */
let restarting;

for (const folder of ["../../src", ...SOURCES]) {
  watch(at(folder), { recursive: true }, () => {
    // An editor that saves all its files changes several at once.
    clearTimeout(restarting);
    restarting = setTimeout(restart, 200);
  });
}

function start() {
  return spawn(process.execPath, [at("tools/start.js")], { stdio: "inherit" });
}

function restart() {
  const begin = () => {
    server = start();
  };
  if (server.exitCode === null && server.signalCode === null) server.once("exit", begin).kill();
  else begin();
}
