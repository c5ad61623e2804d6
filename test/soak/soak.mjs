// Many connections for minutes, with churn, calls, pushes and cuts; then nothing may remain.
// `npm run soak -- --connections 2000 --seconds 180`
import { fork } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    connections: { type: "string", default: "2000" },
    seconds: { type: "string", default: "180" },
    heap: { type: "string", default: "10" },
  },
});
const count = Number(values.connections);
const seconds = Number(values.seconds);

function start(file) {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), { execArgv: ["--expose-gc"] });
  let settle;
  child.on("message", (message) => settle(message));
  child.on("exit", (code) => settle({ error: `ended with ${code}` }));
  const answer = async () => {
    const message = await new Promise((resolve) => {
      settle = resolve;
    });
    if (message.error) throw new Error(`${file}: ${message.error}`);
    return message.result;
  };
  const ready = answer();
  return {
    async do(task, options) {
      await ready;
      child.send({ task, options });
      return answer();
    },
    end: () => child.kill("SIGKILL"),
  };
}

const server = start("./server.mjs");
const clients = start("./clients.mjs");
const port = await server.do("start");

/** One round: connect, work for this time, disconnect. */
async function round(ms) {
  await clients.do("connect", { port, count });
  await server.do("load");
  await clients.do("load");
  await sleep(ms);
  await clients.do("quiet");
  await server.do("quiet");
  await clients.do("disconnect");
  // A request to a client that has disconnected is settled by the end of its connection.
  let last = await server.do("report");
  for (let i = 0; i < 100 && (last.connections > 0 || last.asked.begun > last.asked.settled); i++) {
    await sleep(100);
    last = await server.do("report");
  }
  return { server: last, clients: await clients.do("report") };
}

try {
  // The first round includes what is allocated once and what the engine compiles.
  const before = await round(Math.min(20, Math.max(seconds / 3, 2)) * 1_000);
  const after = await round(seconds * 1_000);
  const { calls, pushes, reconnects } = after.clients;
  const growth = (end) => ((after[end].heapMiB / before[end].heapMiB - 1) * 100).toFixed(1);
  const unsettled = calls.begun - calls.succeeded - calls.failed;
  const { asked, cuts } = after.server;
  console.table({ connections: count, seconds, ...calls, unsettled, pushes, cuts, reconnects, asked: asked.begun });
  console.table({
    server: {
      "heap before, MiB": before.server.heapMiB.toFixed(1),
      after: after.server.heapMiB.toFixed(1),
      "growth, %": growth("server"),
      left: after.server.sockets,
    },
    clients: {
      "heap before, MiB": before.clients.heapMiB.toFixed(1),
      after: after.clients.heapMiB.toFixed(1),
      "growth, %": growth("clients"),
      left: after.clients.sockets,
    },
  });
  const failures = [
    [unsettled !== 0, `${unsettled} calls were never settled`],
    [asked.begun !== asked.settled, `${asked.begun - asked.settled} questions were never settled`],
    [calls.succeeded === 0 || pushes === 0 || reconnects === 0, "nothing happened"],
    [after.server.connections + after.server.sockets + after.server.group > 0, "the server has connections left"],
    [after.clients.sockets > 0, "the clients have sockets left"],
    [Number(growth("server")) > Number(values.heap), "the server's heap has grown"],
    [Number(growth("clients")) > Number(values.heap), "the clients' heap has grown"],
  ].filter(([hasFailed]) => hasFailed);
  for (const [, failure] of failures) console.error(`FAILED: ${failure}`);
  process.exitCode = failures.length > 0 ? 1 : 0;
} finally {
  server.end();
  clients.end();
}
