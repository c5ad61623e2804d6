// This package on one of several nodes: one connection is a member of a group of each kind, so that the same members get
// the same messages with a bus and without one.
import { setImmediate as turn, setTimeout as wait } from "node:timers/promises";
import { GGHttpServer } from "@grest-ts/http";
import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { GGSocketGroup, localBus } from "@grest-ts/websocket";
import { redisBus } from "@grest-ts/websocket/redis";
import { isUp } from "../nodes/bus.js";
import plain, { Api } from "./grest.js";

const HISTORY = { size: 200, ttlMs: 300_000 };
/** After so many messages Redis has to answer: those of a group without history are not awaited. */
const PACE = 200;
/** What a group gives to its bus. */
const bodyOf = (data) => `;m:Bench.news::${JSON.stringify(data)}`;

export default {
  async serve() {
    GG_METRICS.set(new GGMetricsStore());
    const bus = redisBus({ url: process.env.BENCH_REDIS });
    const local = localBus();
    const groups = {
      "no bus": new GGSocketGroup(Api),
      localBus: new GGSocketGroup(Api, { name: "local", bus: local }),
      "localBus, history": new GGSocketGroup(Api, { name: "local kept", bus: local, history: HISTORY }),
      redisBus: new GGSocketGroup(Api, { name: "shared", bus }),
      "redisBus, history": new GGSocketGroup(Api, { name: "kept", bus, history: HISTORY }),
    };
    const members = new Set();
    const http = new GGHttpServer({ port: 0 });
    Api.register(
      (_incoming, outgoing) => {
        members.add(outgoing);
        outgoing.onClose(() => members.delete(outgoing));
        for (const group of Object.values(groups)) group.add(outgoing);
      },
      { http, permissionResolver: () => new Set(["chat:write"]) },
    );
    await http.start();
    await isUp(bus);

    const listener = { onMessage() {}, async onInterrupted() {}, onMembers() {} };
    bus.subscribe("listened", listener);
    let onEcho = () => {};
    await bus.subscribe(`echo ${bus.node}`, { ...listener, onMessage: () => onEcho() }).active;

    /** What has been published before by anything has arrived afterwards. */
    async function echo() {
      const arrived = new Promise((resolve) => {
        onEcho = resolve;
      });
      await bus.publish(`echo ${bus.node}`, "");
      await arrived;
    }

    const publications = {
      "bus alone": (body) => bus.publish("alone", body),
      "bus, one listener": (body) => bus.publish("listened", body),
      "bus alone, history": (body) => bus.publish("alone", body, { history: HISTORY }),
      "bus, one listener, history": (body) => bus.publish("listened", body, { history: HISTORY }),
    };

    function publisher(way, data) {
      const group = groups[way];
      if (group) return () => group.news(data);
      const body = bodyOf(data);
      return () => publications[way](body);
    }

    return {
      port: http.port,
      connections: () => members.size,
      tasks: {
        /** Publishes, `burst` messages at a time: so many messages, or for so long. Returns how many. */
        async publish({ way, burst, messages = Number.POSITIVE_INFINITY, ms = Number.POSITIVE_INFINITY, data }) {
          const publish = publisher(way, data);
          const end = performance.now() + ms;
          let count = 0;
          for (; count < messages && performance.now() < end; count += burst) {
            await Promise.all(Array.from({ length: burst }, publish));
            if (count % PACE < burst) await bus.publish("pace", "");
            await turn();
          }
          await echo();
          return count;
        },
        /** Publishes one message after another, with pauses in which nothing else is done. The text is the time. */
        async publishAlone({ way, messages, data }) {
          for (let i = 0; i < messages; i++) {
            await wait(1 + 2 * Math.random());
            await groups[way].news({ ...data, text: `${performance.timeOrigin + performance.now()}` });
          }
          await echo();
        },
        echo,
        /** All members join a group that is called so on all nodes. */
        async join({ room }) {
          groups[room] = new GGSocketGroup(Api, { name: room, bus, history: HISTORY });
          await Promise.all([...members].map((member) => groups[room].add(member)));
        },
        /** Fills groups with messages that take so many bytes each. Returns how many they keep together. */
        async retain({ name, rooms, size, bytes, data }) {
          const [member] = members;
          const filled = Array.from(
            { length: rooms },
            (_, i) => new GGSocketGroup(Api, { name: `${name} ${i}`, bus, history: { ...HISTORY, size } }),
          );
          await Promise.all(filled.map((group) => group.add(member)));
          const text = data.text.padEnd(bytes - bodyOf({ ...data, text: "" }).length, "x");
          for (let i = 0; i < size; i++) await Promise.all(filled.map((group) => group.news({ ...data, text })));
          await echo();
          return rooms * size;
        },
      },
    };
  },

  connect: plain.connect,
};
