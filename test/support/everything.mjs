// What `npm test` runs: each step with its usual time, so that it is known how long to wait.
import { spawnSync } from "node:child_process";
import { styleText } from "node:util";

/** Names, commands, and about how many seconds they take on two cores. */
const STEPS = [
  ["Builds the package and its neighbours", "npm run --silent build", 20],
  ["Checks style, types, imports, the package, and the size in a page", "npm run --silent check", 40],
  ["Tests behaviour and types, over sockets, processes, browsers and Redis", "vitest run", 600],
  [
    "Tests connections once more, over a `ws` whose private parts have other names",
    "npm run --silent test:other-ws",
    15,
  ],
];

const total = STEPS.reduce((sum, [, , seconds]) => sum + seconds, 0);
console.log(`Everything that is checked and tested, in ${STEPS.length} steps: about ${timeOf(total)} on two cores.`);
const startedAt = performance.now();
for (const [at, [name, command, seconds]] of STEPS.entries()) {
  say(`${at + 1}/${STEPS.length}  ${name}: about ${timeOf(seconds)}`);
  const begin = performance.now();
  const { status, signal } = spawnSync(command, { shell: true, stdio: "inherit" });
  if (status !== 0) {
    say(`${name}: failed${signal ? ` (${signal})` : ""}, see above. Again: ${command.replace("vitest", "npx vitest")}`);
    process.exit(status ?? 1);
  }
  say(`done in ${timeOf((performance.now() - begin) / 1_000)}`);
}
say(`All passed, in ${timeOf((performance.now() - startedAt) / 1_000)}.`);

function say(text) {
  console.log(`\n${styleText("bold", text)}`);
}

function timeOf(seconds) {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}
