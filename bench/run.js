// Every workload, every contender in turn, several rounds interleaved. `node run.js --ms 1500 --rounds 5 --only grest,handwritten --workload "1 × 64"`
import { parseArgs } from "node:util";
import { contenders, YARDSTICK } from "./contenders.js";
import { withContender } from "./lib/processes.js";
import { writeReport } from "./lib/report.js";
import { summary } from "./lib/statistics.js";
import { workloads } from "./workloads.js";

const { values } = parseArgs({
  options: {
    ms: { type: "string", default: "1500" },
    rounds: { type: "string", default: "5" },
    only: { type: "string" },
    workload: { type: "string", default: "" },
    save: { type: "boolean", default: false },
  },
});
const ids = values.only?.split(",") ?? Object.keys(contenders);
const results = {};

for (const [title, workload] of Object.entries(workloads)) {
  if (!title.includes(values.workload)) continue;
  const taking = ids.filter((id) => !workload.needs || contenders[id].does.includes(workload.needs));
  const rounds = Object.fromEntries(taking.map((id) => [id, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const id of taking) {
      rounds[id].push(await withContender(id, (server, client) => workload.run(server, client, Number(values.ms))));
    }
  }
  results[title] = Object.fromEntries(taking.map((id) => [id, summary(rounds[id])]));
  print(title, results[title]);
}
if (values.save) writeReport(results, { ms: Number(values.ms), rounds: Number(values.rounds) });

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
