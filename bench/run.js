// Runs every workload with every contender: all are started and warmed up, then measured in turn in several rounds of
// short slices, so that other load on the machine affects all of them.
// `node run.js --ms 500 --rounds 9 --only grest,handwritten --workload "1 × 64"`. Those of several nodes begin with
// "nodes:", and need redis-server; `--only` does not concern them. `--node 24` runs all on another Node, and `--save`
// replaces the figures of that version.
import { parseArgs } from "node:util";
import { contenders, YARDSTICK } from "./contenders.js";
import { endWithParent, NODE, runOn } from "./lib/node.js";
import { startPair } from "./lib/processes.js";
import { writeNodesReport, writeReport } from "./lib/report.js";
import { inOrderOf } from "./lib/rounds.js";
import { summary } from "./lib/statistics.js";
import { withSpread } from "./lib/text.js";
import { isRedisInstalled } from "./nodes/redis.js";
import { runNodes } from "./nodes/run.js";
import { workloads as nodesWorkloads } from "./nodes/workloads.js";
import { workloads } from "./workloads.js";

const { values } = parseArgs({
  options: {
    ms: { type: "string", default: "500" },
    warmup: { type: "string", default: "2500" },
    rounds: { type: "string", default: "9" },
    only: { type: "string" },
    workload: { type: "string", default: "" },
    node: { type: "string", default: NODE },
    save: { type: "boolean", default: false },
  },
});
if (values.node !== NODE) process.exit(await runOn(values.node));
endWithParent();

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
if (Object.keys(results).length > 0) {
  printLeftOut();
  if (values.save) writeReport(results, settings);
}

const chosen = Object.entries(nodesWorkloads).filter(([title]) => title.includes(values.workload));
if (chosen.length > 0 && isRedisInstalled()) {
  const nodesResults = await runNodes(chosen, settings);
  if (values.save) writeNodesReport(nodesResults, settings);
} else if (chosen.length > 0) {
  console.error(
    'The workloads "nodes: …" are left out: they need redis-server, which is not installed on this machine.',
  );
}

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
          Object.entries(figures).map(([figure, spread]) => [figure, withSpread(spread, yardstick?.[figure])]),
        ),
      ]),
    ),
  );
}

function printLeftOut() {
  console.log("\nWhat each leaves out:");
  for (const id of ids) console.log(`${contenders[id].name}: ${contenders[id].leavesOut}`);
}
