// One contender's clients in a process of their own.
import { setImmediate as turn } from "node:timers/promises";
import { WebSocket } from "ws";
import { usageTasks } from "./usage.js";

globalThis.WebSocket ??= WebSocket; // built into Node from 22 on; some contenders need it
const [, , name, port] = process.argv;
const { default: contender } = await import(`../contenders/${name}.js`);
const clients = [];
let news = 0;
let expected = Number.POSITIVE_INFINITY;
let onAllNews = () => {};
let latencies;

async function connect(count) {
  const batch = 50;
  while (clients.length < count) {
    const next = Math.min(batch, count - clients.length);
    const made = Array.from({ length: next }, () =>
      contender.connect(Number(port), (data) => {
        latencies?.push(performance.timeOrigin + performance.now() - Number(data.text));
        if (++news === expected) onAllNews();
      }),
    );
    clients.push(...(await Promise.all(made)));
  }
}

const tasks = {
  ...usageTasks,
  connect: ({ count }) => connect(count),
  async calls({ inFlight, ms, data }) {
    const end = performance.now() + ms;
    const latencies = [];
    const lane = async (client) => {
      for (;;) {
        const at = performance.now();
        if (at >= end) return;
        await client.call(data);
        latencies.push(performance.now() - at);
      }
    };
    await Promise.all(clients.flatMap((client) => Array.from({ length: inFlight }, () => lane(client))));
    return { count: latencies.length, ...percentiles(latencies) };
  },
  /** Connects repeatedly in a few lanes and closes at once; a call proves that the handshake is done. */
  async rate({ lanes, ms, data }) {
    const end = performance.now() + ms;
    const latencies = [];
    const lane = async () => {
      for (;;) {
        const at = performance.now();
        if (at >= end) return;
        const client = await contender.connect(Number(port), () => {});
        await client.call(data);
        latencies.push(performance.now() - at);
        client.close();
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    return { count: latencies.length, ...percentiles(latencies) };
  },
  expectNews({ count }) {
    news = 0;
    expected = count;
  },
  async allNews() {
    if (news < expected) {
      await new Promise((resolve) => {
        onAllNews = resolve;
      });
    }
  },
  /** From now on the text of each message is the time when it was sent. */
  timeNews() {
    latencies = [];
  },
  newsTimes() {
    const { p50, p99 } = percentiles(latencies);
    latencies = undefined;
    return { p50, p99 };
  },
  async close() {
    for (const client of clients.splice(0)) client.close();
    await turn();
  },
  ...contender.clientTasks?.(Number(port)),
};

/** In µs. */
function percentiles(latencies) {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (part) => sorted[Math.floor((sorted.length - 1) * part)] * 1000;
  return { p50: at(0.5), p99: at(0.99) };
}

process.on("message", async ({ task, options }) => {
  process.send({ answer: await tasks[task](options) });
});
process.on("disconnect", () => process.exit());
process.send({ answer: "ready" });
