// What it costs a node when its clients come back all at once. Those that resume get what they have missed; others connect
// to the same group and get nothing.
import { startPair } from "../lib/processes.js";
import { using } from "../lib/using.js";

const CLIENTS = 1_000;
const MISSED = 20;
const DATA = { text: "Hello, how are you today?", channelId: "general" };
/** The last of what was missed. */
const LAST = "the last of them";

/** CPU times of the node, and of the process with the clients. */
const compared = ["CPU µs/connect", "client CPU µs/connect"];

function comingBack(variants) {
  return {
    yardstick: "plain",
    compared,
    async start(redis) {
      const { server, client, end } = await startPair("grest-resume");
      await client.do("connect", { count: 1 });
      let groups = 0;
      const run = (variant) => async () => {
        const at = await server.do("begin", { name: `room ${++groups}`, data: DATA });
        return variant({ server, client, redis, at });
      };
      const measured = Object.fromEntries(Object.entries(variants).map(([name, variant]) => [name, run(variant)]));
      // Connecting runs a lot of code rarely: the engine needs longer to compile it.
      for (let round = 0; round < 4; round++) for (const measure of Object.values(measured)) await measure();
      return { variants: measured, end };
    },
  };
}

/** Publishes what the clients have missed. */
async function publish(server, count, isLast = true) {
  await server.do("publish", { count: isLast ? count - 1 : count, data: DATA });
  if (isLast) await server.do("publish", { count: 1, data: { ...DATA, text: LAST } });
}

/** All connect at once, until each is a member and has what it is to get. */
async function measure({ server, client, redis, at: [name] }, come, recovering) {
  const readsBefore = await server.do("reads", { name });
  const redisBefore = await redis.cpu();
  const { answer, ofServer, ofClient } = await using(server, client, async () => {
    const start = performance.now();
    await come();
    return { recovered: await server.do("joined"), elapsed: performance.now() - start };
  });
  const { recovered, elapsed } = answer;
  if (recovered !== recovering) throw new Error(`${recovered} clients have recovered, not ${recovering}`);
  return {
    "CPU µs/connect": ofServer.cpu / CLIENTS,
    "client CPU µs/connect": ofClient.cpu / CLIENTS,
    "Redis CPU µs/connect": ((await redis.cpu()) - redisBefore) / CLIENTS,
    "Redis reads": (await server.do("reads", { name })) - readsBefore,
    "connects/s": (CLIENTS / elapsed) * 1000,
  };
}

/** Bare sockets. `known` of the missed messages come while the node knows the group; without, it does not know it at all. */
function bare({ resumes, known, missed = MISSED }) {
  return async (run) => {
    const { server, client, at } = run;
    const earlier = missed - (known ?? 0);
    if (earlier > 0) await publish(server, earlier, !known);
    if (known !== undefined) await server.do("know");
    if (known > 0) await publish(server, known);
    const last = resumes ? (missed ? LAST : "g::") : "k:::";
    const come = async () => {
      await client.do("expectBare", { count: CLIENTS, last });
      await client.do("comeBare", { count: CLIENTS, at: resumes && [at] });
      await client.do("bareGot");
    };
    const figures = await measure(run, come, resumes ? CLIENTS : 0);
    await client.do("goBare");
    await server.do("gone");
    return figures;
  };
}

/** Clients of this package, that come back to a node that knows their group. */
function own({ resumes }) {
  return async (run) => {
    const { server, client } = run;
    await server.do("know");
    await client.do("makeOwn", { count: CLIENTS, resumes });
    await server.do("joined");
    await client.do("goOwn");
    await server.do("gone");
    await publish(server, MISSED);
    const come = () => client.do("comeOwn", { missed: resumes ? MISSED : 0 });
    const figures = await measure(run, come, resumes ? CLIENTS : 0);
    await client.do("goOwn");
    await server.do("gone");
    return figures;
  };
}

/** Two groups of as many members, which do not resume, and which do. */
const live = {
  yardstick: "plain",
  compared: ["CPU µs/delivery"],
  async start(_redis, ms) {
    const { server, client, end } = await startPair("grest-resume");
    await client.do("connect", { count: 1 });
    async function deliver(name, sliceMs) {
      const count = Math.ceil(sliceMs / 15);
      await client.do("expectBare", { count: CLIENTS, last: LAST });
      await server.do("start");
      await server.do("publish", { name, count: count - 1, data: DATA });
      await server.do("publish", { name, count: 1, data: { ...DATA, text: LAST } });
      await client.do("bareGot");
      return { "CPU µs/delivery": (await server.do("stop")).cpu / (CLIENTS * count) };
    }
    const variants = {};
    for (const name of ["plain", "resuming"]) {
      await server.do("begin", { name, data: DATA });
      await client.do("expectBare", { count: CLIENTS, last: "k:::" });
      await client.do("comeBare", { count: CLIENTS, at: name === "resuming" && [] });
      await client.do("bareGot");
      await server.do("joined");
      await deliver(name, ms);
      variants[name] = (sliceMs) => deliver(name, sliceMs);
    }
    return { variants, end };
  },
};

export const workloads = {
  "nodes: broadcast to 1,000 that resume": live,
  "nodes: 1,000 resume": comingBack({
    plain: bare({ known: MISSED }),
    "none missed": bare({ resumes: true, known: 0, missed: 0 }),
    "20 missed": bare({ resumes: true, known: MISSED }),
    "20 missed, 10 of them before the node knew the group": bare({ resumes: true, known: MISSED / 2 }),
  }),
  "nodes: 1,000 resume on a new node": comingBack({
    plain: bare({}),
    "20 missed": bare({ resumes: true }),
  }),
  "nodes: 1,000 resume, clients of this package": comingBack({
    plain: own({}),
    "20 missed": own({ resumes: true }),
  }),
};
