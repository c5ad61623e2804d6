// Runs every workload with every contender: all are started and warmed up, then measured in turn in several rounds of
// short slices, so that other load on the machine affects all of them.
// `node run.js --ms 500 --rounds 9 --only grest,handwritten --workload "1 × 64"`
import { parseArgs } from "node:util";
import { contenders, YARDSTICK } from "./contenders.js";
import { startPair } from "./lib/processes.js";
import { writeReport } from "./lib/report.js";
import { summary } from "./lib/statistics.js";
import { workloads } from "./workloads.js";

const { values } = parseArgs({
  options: {
    ms: { type: "string", default: "500" },
    warmup: { type: "string", default: "2500" },
    rounds: { type: "string", default: "9" },
    only: { type: "string" },
    workload: { type: "string", default: "" },
    save: { type: "boolean", default: false },
  },
});
const settings = { ms: Number(values.ms), warmup: Number(values.warmup), rounds: Number(values.rounds) };
const ids = values.only?.split(",") ?? Object.keys(contenders);
const results = {};

for (const [title, workload] of Object.entries(workloads)) {
  if (!title.includes(values.workload)) continue;
  const taking = ids.filter((id) => !workload.needs || contenders[id].does.includes(workload.needs));
  const rounds = workload.isFresh ? await inFreshProcesses(workload, taking) : await inTurn(workload, taking);
  results[title] = Object.fromEntries(taking.map((id) => [id, summary(rounds[id])]));
  print(title, results[title]);
}
if (values.save) writeReport(results, settings);

async function inTurn(workload, taking) {
  const rounds = Object.fromEntries(taking.map((id) => [id, []]));
  const pairs = new Map();
  try {
    for (const id of taking) {
      const pair = await startPair(id);
      pairs.set(id, pair);
      await workload.prepare(pair.server, pair.client, settings.warmup);
    }
    for (let round = 0; round < settings.rounds; round++) {
      for (const [id, { server, client }] of inOrderOf(round, [...pairs])) {
        rounds[id].push(await workload.measure(server, client, settings.ms));
      }
    }
  } finally {
    await Promise.all([...pairs.values()].map((pair) => pair.end()));
  }
  return rounds;
}

/** Rotates the order and reverses every second round, so that no contender always follows the same one. */
function inOrderOf(round, pairs) {
  const first = round % pairs.length;
  const order = [...pairs.slice(first), ...pairs.slice(0, first)];
  return round % 2 === 0 ? order : order.reverse();
}

async function inFreshProcesses(workload, taking) {
  const rounds = Object.fromEntries(taking.map((id) => [id, []]));
  for (let round = 0; round < Math.min(settings.rounds, 3); round++) {
    for (const id of taking) {
      const { server, client, end } = await startPair(id);
      await workload.prepare(server, client);
      rounds[id].push(await workload.measure(server, client));
      await end();
    }
  }
  return rounds;
}

function print(title, byContender) {
  console.log(`\n${title}`);
  const yardstick = byContender[YARDSTICK];
  console.table(
    Object.fromEntries(
      Object.entries(byContender).map(([id, figures]) => [
        contenders[id].name,
        Object.fromEntries(
          Object.entries(figures).flatMap(([figure, { median, low, high }]) => [
            [figure, `${round(median)} (${round(low)}–${round(high)})`],
            ...(yardstick ? [[`× ${figure.split(" ")[0]}`, (median / yardstick[figure].median).toFixed(2)]] : []),
          ]),
        ),
      ]),
    ),
  );
}

function round(value) {
  return value >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
