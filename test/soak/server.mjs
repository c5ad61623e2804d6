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
const sockets = new Set();
let load;
const asked = { begun: 0, settled: 0 };
let cuts = 0;

http.httpServer.on("connection", (socket) => {
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket));
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
  for (let i = 0; i < sockets.size / 500; i++) {
    cuts++;
    const socket = anyOf(sockets);
    if (Math.random() < 0.5) socket?.destroy();
    else socket?.resetAndDestroy();
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
    return { heapMiB, connections: server.connectionCount, sockets: sockets.size, group: everybody.size, asked, cuts };
  },
});
process.send({ result: "ready" });
