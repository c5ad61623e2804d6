// What groups cost on several nodes. Each workload starts what it needs, and then measures its variants in turn. Times are
// CPU times of the node unless noted; what is compared is compared with the yardstick of the same round.
import { startPair } from "../lib/processes.js";
import { workloads as comingBack } from "./resume.js";

const NODE = "grest-nodes";
const data = { text: "Hello, how are you today?", channelId: "general" };
const GROUPS = ["no bus", "localBus", "localBus, history", "redisBus", "redisBus, history"];

/** Each variant is another way to publish on one node with so many members. */
function onOneNode({ members, ways, warmUp, measure }) {
  return async (redis, ms) => {
    const { server, client, end } = await startPair(NODE);
    await client.do("connect", { count: members });
    const variants = {};
    for (const way of ways) {
      await warmUp(way, server, client, ms);
      variants[way] = (sliceMs) => measure(way, server, client, sliceMs, redis);
    }
    return { variants, end };
  };
}

function deliveries(members, messagesPerMs, burst) {
  async function deliver(way, server, client, ms) {
    const messages = Math.ceil((ms * messagesPerMs) / burst) * burst;
    await client.do("expectNews", { count: members * messages });
    await server.do("start");
    await server.do("publish", { way, burst, messages, data });
    const { cpu } = await server.do("stop");
    await client.do("allNews");
    return { "CPU µs/delivery": cpu / (members * messages) };
  }
  return {
    yardstick: "no bus",
    compared: ["CPU µs/delivery"],
    start: onOneNode({ members, ways: GROUPS, warmUp: deliver, measure: deliver }),
  };
}

function publications(ways) {
  async function publish(way, server, _client, ms, redis) {
    const redisBefore = await redis?.cpu();
    await server.do("start");
    const start = performance.now();
    const count = await server.do("publish", { way, burst: 200, ms, data });
    const elapsed = performance.now() - start;
    const { cpu } = await server.do("stop");
    return {
      "CPU µs/publish": cpu / count,
      "Redis CPU µs/publish": redis && ((await redis.cpu()) - redisBefore) / count,
      "publishes/s": (count / elapsed) * 1000,
    };
  }
  return {
    yardstick: ways[1],
    compared: ["CPU µs/publish"],
    start: onOneNode({ members: 1, ways, warmUp: publish, measure: publish }),
  };
}

const latency = {
  yardstick: "no bus",
  compared: ["p50 µs", "p99 µs"],
  start: onOneNode({
    members: 1,
    ways: GROUPS,
    warmUp: (way, server) => server.do("publish", { way, burst: 1, messages: 2_000, data }),
    async measure(way, server, client, ms) {
      const messages = Math.ceil(ms / 2);
      await client.do("timeNews");
      await client.do("expectNews", { count: messages });
      await server.do("publishAlone", { way, messages, data });
      await client.do("allNews");
      const { p50, p99 } = await client.do("newsTimes");
      return { "p50 µs": p50, "p99 µs": p99 };
    },
  }),
};

const MEMBERS_PER_NODE = 100;

/** All nodes publish into one group, in which each has members. */
async function publishOnAll(pairs, room, ms, redis) {
  const onAll = (task, options) => Promise.all(pairs.map(({ server }) => server.do(task, options)));
  const redisBefore = await redis.cpu();
  await onAll("start");
  const start = performance.now();
  const counts = await onAll("publish", { way: room, burst: 10, ms, data });
  await onAll("echo");
  const elapsed = performance.now() - start;
  const cpu = (await onAll("stop")).reduce((sum, used) => sum + used.cpu, 0);
  const redisCpu = (await redis.cpu()) - redisBefore;
  const messages = counts.reduce((a, b) => a + b);
  const delivered = messages * pairs.length * MEMBERS_PER_NODE;
  return {
    "CPU µs/delivery": cpu / delivered,
    "Redis CPU µs/message": redisCpu / messages,
    "deliveries/s": (delivered / elapsed) * 1000,
  };
}

const nodes = {
  yardstick: "1 node",
  compared: ["CPU µs/delivery", "deliveries/s"],
  async start(redis, ms) {
    const pairs = await Promise.all(Array.from({ length: 3 }, () => startPair(NODE)));
    const variants = {};
    await Promise.all(pairs.map(({ client }) => client.do("connect", { count: MEMBERS_PER_NODE })));
    for (const room of ["1 node", "2 nodes", "3 nodes"]) {
      const taking = pairs.slice(0, Number.parseInt(room, 10));
      for (const { server } of taking) await server.do("join", { room });
      variants[room] = (sliceMs) => publishOnAll(taking, room, sliceMs, redis);
      await variants[room](ms);
    }
    return { variants, end: () => Promise.all(pairs.map((pair) => pair.end())) };
  },
};

const SIZES = [100, 200, 1_000, 4_000];
const ROOMS = 20;
const KEPT = 1_000;

const retained = {
  compared: [],
  // Memory is comparable only in fresh processes.
  rounds: 3,
  async start(redis) {
    async function retain(bytes) {
      await redis.flush();
      const { server, client, end } = await startPair(NODE);
      try {
        await client.do("connect", { count: 1 });
        const fill = async (name) => {
          await client.do("expectNews", { count: ROOMS * KEPT });
          const count = await server.do("retain", { name, rooms: ROOMS, size: KEPT, bytes, data });
          await client.do("allNews");
          return count;
        };
        await fill("before"); // excludes one-time allocations
        const before = await server.do("memory");
        const count = await fill("retained");
        const after = await server.do("memory");
        const streams = await redis.streams();
        return {
          "Redis B/message": streams.bytes / streams.messages,
          "heap B/message": (after.heap - before.heap) / count,
        };
      } finally {
        await end();
      }
    }
    return { variants: Object.fromEntries(SIZES.map((bytes) => [`${bytes} B`, () => retain(bytes)])), async end() {} };
  },
};

export const workloads = {
  "nodes: broadcast to 1,000": deliveries(1_000, 1 / 15, 1),
  "nodes: broadcast to 5": deliveries(5, 2, 1),
  "nodes: broadcast to 5, 20 at once": deliveries(5, 10, 20),
  "nodes: broadcast to 5, 200 at once": deliveries(5, 20, 200),
  "nodes: publish": publications(["bus alone", "bus, one listener", "no bus", "redisBus"]),
  "nodes: publish with history": publications([
    "bus alone, history",
    "bus, one listener, history",
    "no bus",
    "redisBus, history",
  ]),
  "nodes: lone messages": latency,
  "nodes: 1, 2, 3 nodes": nodes,
  "nodes: retained message": retained,
  ...comingBack,
};
