// The soak's server: answers, pushes, asks, and cuts connections at random.
import { setTimeout as sleep } from "node:timers/promises";
import { GGHttpServer } from "@grest-ts/http";
import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { GGSocketGroup } from "@grest-ts/websocket";
import { Api } from "./api.mjs";
import { remains, serveTasks } from "./process.mjs";

GG_METRICS.set(new GGMetricsStore());
const http = new GGHttpServer({ port: 0 });
const everybody = new GGSocketGroup(Api);
const outgoings = new Set();
const lines = new Set();
let load;
const asked = { begun: 0, settled: 0 };
let cuts = 0;

http.httpServer.on("connection", (line) => {
  lines.add(line);
  line.on("close", () => lines.delete(line));
});
const server = Api.startServer(
  (incoming, outgoing) => {
    everybody.add(outgoing);
    outgoings.add(outgoing);
    outgoing.onClose(() => outgoings.delete(outgoing));
    incoming.on({
      async echo({ text, delay }) {
        if (delay > 0) await sleep(delay);
        return text;
      },
      note() {},
    });
  },
  { http, logger: { debug() {}, warn() {}, error: console.error } },
);

const anyOf = (set) => [...set][Math.floor(Math.random() * set.size)];

function pushAndCut() {
  everybody.news("to everybody");
  for (let i = 0; i < 5; i++) {
    const outgoing = anyOf(outgoings);
    if (!outgoing) continue;
    asked.begun++;
    outgoing
      .ask("here?", { timeout: 5_000 })
      .asResult()
      .then(() => asked.settled++);
  }
  // One in a hundred each second, by FIN or by RST.
  for (let i = 0; i < lines.size / 500; i++) {
    cuts++;
    const line = anyOf(lines);
    if (Math.random() < 0.5) line?.destroy();
    else line?.resetAndDestroy();
  }
}

serveTasks({
  async start() {
    await http.start();
    return http.port;
  },
  load() {
    load = setInterval(pushAndCut, 200);
  },
  quiet: () => clearInterval(load),
  async report() {
    const { heapMiB } = await remains();
    return { heapMiB, connections: server.connectionCount, lines: lines.size, group: everybody.size, asked, cuts };
  },
});
process.send({ result: "ready" });
