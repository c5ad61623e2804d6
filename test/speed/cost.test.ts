import { beforeAll, describe, expect, it } from "vitest";
import type { Actions } from "../fixtures/speed/meter.js";
import { MeasuredPair } from "../support/measuredPair.js";

/**
 * What a call costs, without a clock: how much each end does for it, which depends neither on the machine nor on what else
 * runs there. A figure above its bound is a call that has become dearer, and one below its half a bound that is out of date.
 */

interface Cost extends Actions {
  /** What is allocated. */
  bytes: number;
}

interface Workload {
  readonly name: string;
  /** How often it is done at first, so that it is compiled, and then to be measured. */
  readonly warmUp: number;
  readonly times: number;
  run(pair: MeasuredPair, times: number): Promise<unknown>;
  /** Of each time: writes exactly, and the rest at most. */
  readonly client: Cost;
  readonly server: Cost;
}

const calls =
  (atOnce: number): Workload["run"] =>
  ({ clients }, rounds) =>
    clients.do("calls", { atOnce, rounds });

/** Something that brings each of these many members a message each time. */
const news =
  (task: string, members: number): Workload["run"] =>
  async ({ clients, server }, times) => {
    await clients.do("expectNews", times * members);
    await server.do(task, times);
    await clients.do("allNews");
  };

const LONE: Workload = {
  name: "a lone call",
  warmUp: 2_000,
  times: 200,
  run: calls(1),
  client: { writes: 1, promises: 4, timers: 1, scopes: 1, bytes: 8_600 },
  server: { writes: 1, promises: 2, timers: 0, scopes: 1, bytes: 8_500 },
};

const MANY: Workload = {
  name: "64 calls at once on a connection",
  warmUp: 200,
  times: 30,
  run: calls(64),
  client: { writes: 1, promises: 130, timers: 64, scopes: 1, bytes: 250_000 },
  server: { writes: 1, promises: 128, timers: 0, scopes: 1, bytes: 245_000 },
};

const PUSH: Workload = {
  name: "a push to one client",
  warmUp: 1_500,
  times: 200,
  run: news("push", 1),
  client: { writes: 0, promises: 0, timers: 0, scopes: 1, bytes: 3_000 },
  server: { writes: 1, promises: 1, timers: 0, scopes: 1, bytes: 3_900 },
};

/** To all there are by then. */
const GROUP: Workload = {
  name: "a message of a group to 50 members",
  warmUp: 150,
  times: 100,
  run: news("publish", 50),
  client: { writes: 0, promises: 0, timers: 0, scopes: 50, bytes: 131_000 },
  server: { writes: 50, promises: 1, timers: 0, scopes: 1, bytes: 28_000 },
};

const CONNECT: Workload = {
  name: "connecting",
  warmUp: 100,
  times: 50,
  run: (pair, count) => pair.connect(count),
  client: { writes: 2, promises: 17, timers: 2, scopes: 5, bytes: 88_000 },
  server: { writes: 2, promises: 0, timers: 1, scopes: 4, bytes: 38_000 },
};

/** Where messages of a tick are frames of their own. */
const MANY_PLAIN: Workload = {
  ...MANY,
  client: { ...MANY.client, scopes: 64, bytes: 300_000 },
  server: { ...MANY.server, scopes: 64, bytes: 300_000 },
};

/** Large enough for all that is allocated while it is measured. */
const ONE_GENERATION = ["--min-semi-space-size=64", "--max-semi-space-size=64"];
const ROUNDS = 3;

/** The actions of each time at one end. What happens once, such as for the task itself, is less than the number of times. */
async function countActions(pair: MeasuredPair, { run, times }: Workload) {
  const { ends } = pair;
  for (const end of ends) await end.do("countActions");
  await run(pair, times);
  const counted: Actions[] = [];
  for (const end of ends) counted.push(await end.do<Actions>("actions"));
  return counted.map((actions) =>
    Object.fromEntries(Object.entries(actions).map(([name, count]) => [name, Math.floor(count / times)])),
  );
}

async function countBytes(pair: MeasuredPair, { run, times }: Workload): Promise<number[]> {
  const { ends } = pair;
  for (const end of ends) await end.do("countBytes");
  await run(pair, times);
  const counted: number[] = [];
  for (const end of ends) {
    const { bytes, collections } = await end.do<{ bytes: number; collections: number }>("bytes");
    expect(collections).toBe(0);
    counted.push(Math.round(bytes / times));
  }
  return counted;
}

const least = (figures: readonly number[]) => Math.min(...figures);

async function expectCost(pair: MeasuredPair, workload: Workload): Promise<void> {
  await workload.run(pair, workload.warmUp);
  const actions: Record<string, number>[][] = [];
  const bytes: number[][] = [];
  for (let round = 0; round < ROUNDS; round++) {
    actions.push(await countActions(pair, workload));
    bytes.push(await countBytes(pair, workload));
  }
  const misfits: string[] = [];
  for (const [end, name] of (["client", "server"] as const).entries()) {
    for (const [what, bound] of Object.entries(workload[name])) {
      // What else such a process does now and then comes on top in some of the rounds.
      const figures = what === "bytes" ? bytes.map((ends) => ends[end]!) : actions.map((ends) => ends[end]![what]!);
      const figure = least(figures);
      if (process.env.SHOW_COST) console.log(`${workload.name}, ${name}: ${what} ${figures}`);
      if (figure > bound) misfits.push(`${name}: ${what} ${figure}, more than ${bound}`);
      else if (figure < (what === "writes" ? bound : bound / 2))
        misfits.push(`${name}: ${what} ${figure}, not ${bound}`);
    }
  }
  expect(misfits).toEqual([]);
}

describe.each<[string, string | undefined, Workload[]]>([
  ["with all capabilities", undefined, [CONNECT, LONE, MANY, PUSH, GROUP]],
  ["without capabilities", "", [MANY_PLAIN, GROUP]],
])("between ends %s", (_, capabilities, workloads) => {
  let pair: MeasuredPair;
  beforeAll(async () => {
    pair = await MeasuredPair.start(ONE_GENERATION, capabilities);
  });

  it.each(workloads.map((workload) => [workload.name, workload] as const))(
    "%s costs no more than it did",
    async (_name, workload) => {
      if (workload !== CONNECT) {
        await pair.close();
        await pair.connect(workload === GROUP ? 50 : 1);
      }
      await expectCost(pair, workload);
    },
    20_000,
  );
});

describe("calls that pass through a connection", () => {
  // Of what is compiled, and once.
  const MAX_GROWN = 6 * 1_024 * 1_024;

  it.each([
    [64, 100_000],
    [200, 50_000],
  ])(
    "leave nothing in the old generation of either end, with %d in flight",
    async (inFlight, count) => {
      const pair = await MeasuredPair.start([]);
      await pair.connect(1);
      await pair.clients.do("lanes", { inFlight, count: 20_000 });
      for (const end of pair.ends) await end.do("watchOld");
      await pair.clients.do("lanes", { inFlight, count });
      const grown = { client: await pair.clients.do("grown"), server: await pair.server.do("grown") };
      if (process.env.SHOW_COST) console.log("grown", grown);
      expect(grown.client).toBeLessThan(MAX_GROWN);
      expect(grown.server).toBeLessThan(MAX_GROWN);
    },
    30_000,
  );
});
