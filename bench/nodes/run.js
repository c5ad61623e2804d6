import { inOrderOf } from "../lib/rounds.js";
import { summary } from "../lib/statistics.js";
import { withSpread } from "../lib/text.js";
import { startRedis } from "./redis.js";

/** Measures the workloads of several nodes, with a Redis of their own. Returns their figures and comparisons. */
export async function runNodes(workloads, settings) {
  const results = {};
  const redis = await startRedis();
  try {
    process.env.BENCH_REDIS = redis.url;
    for (const [title, workload] of workloads) {
      const rounds = await measure(workload, redis, settings);
      results[title] = Object.fromEntries(
        Object.keys(rounds).map((name) => [name, { ...summary(rounds[name]), ...comparison(workload, rounds, name) }]),
      );
      print(title, results[title]);
    }
  } finally {
    await redis.stop();
  }
  return results;
}

async function measure(workload, redis, settings) {
  const { variants, end } = await workload.start(redis, settings.warmup);
  const rounds = Object.fromEntries(Object.keys(variants).map((name) => [name, []]));
  try {
    for (let round = 0; round < Math.min(settings.rounds, workload.rounds ?? settings.rounds); round++) {
      for (const [name, variant] of inOrderOf(round, Object.entries(variants))) {
        rounds[name].push(await variant(settings.ms));
      }
    }
  } finally {
    await end();
  }
  return rounds;
}

/** With the yardstick of the same round: how many times as much, and how much more. */
function comparison({ yardstick, compared }, rounds, name) {
  if (!yardstick || name === yardstick) return {};
  return summary(
    rounds[name].map((figures, round) =>
      Object.fromEntries(
        compared.flatMap((figure) => {
          const [own, other] = [figures[figure], rounds[yardstick][round][figure]];
          return [
            [`× ${figure}`, own / other],
            [`+ ${figure}`, own - other],
          ];
        }),
      ),
    ),
  );
}

function print(title, results) {
  console.log(`\n${title}`);
  console.table(
    Object.fromEntries(
      Object.entries(results).map(([name, figures]) => [
        name,
        Object.fromEntries(Object.entries(figures).map(([figure, spread]) => [figure, withSpread(spread)])),
      ]),
    ),
  );
}
