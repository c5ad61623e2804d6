// This package on a node that many clients come back to at once. The connection handler makes each a member of one group
// with history, whether it resumes or not.
import { GGHttpServer } from "@grest-ts/http";
import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { GGSocketGroup } from "@grest-ts/websocket";
import { redisBus } from "@grest-ts/websocket/redis";
import { isUp } from "../nodes/bus.js";
import { bareClients, ownClients } from "../nodes/clients.js";
import plain, { Api } from "./grest.js";

const channelOf = (group) => `Bench/${group}`;
const HISTORY = { size: 200, ttlMs: 300_000 };

export default {
  async serve() {
    GG_METRICS.set(new GGMetricsStore());
    const bus = redisBus({ url: process.env.BENCH_REDIS });
    /** How often each channel was read. */
    const reads = new Map();
    const { read } = bus;
    bus.read = (channel, ...options) => {
      reads.set(channel, (reads.get(channel) ?? 0) + 1);
      return read.call(bus, channel, ...options);
    };
    const members = new Set();
    const groups = new Map();
    let group = new GGSocketGroup(Api);
    let joins = [];
    let onGone = () => {};
    const http = new GGHttpServer({ port: 0 });
    Api.register(
      (_incoming, outgoing) => {
        members.add(outgoing);
        outgoing.onClose(() => {
          members.delete(outgoing);
          if (members.size === 1) onGone();
        });
        joins.push(group.add(outgoing));
      },
      { http, permissionResolver: () => new Set(["chat:write"]) },
    );
    await http.start();
    await isUp(bus);

    /** To the latest group, or to one of this name. */
    async function publish({ count, name, data }) {
      const to = groups.get(name) ?? group;
      for (let i = 0; i < count; i++) await to.news(data);
    }

    return {
      port: http.port,
      connections: () => members.size,
      tasks: {
        publish,
        reads: ({ name }) => reads.get(channelOf(name)) ?? 0,
        /** From now on connections join another group, which has one message. Returns its position. */
        async begin({ name, data }) {
          const [keeper] = members;
          if (keeper) group.remove(keeper);
          group = new GGSocketGroup(Api, { name, bus, history: HISTORY });
          groups.set(name, group);
          await publish({ count: 1, data });
          const { top } = await bus.read(channelOf(name), { epoch: "", offset: 0 }, 0);
          return [name, top.epoch, top.offset];
        },
        /** The first connection joins the group, so that this node gets what follows. */
        async know() {
          const [keeper] = members;
          await group.add(keeper);
        },
        /** All that have connected are members. Returns how many of them have recovered. */
        async joined() {
          const outcomes = await Promise.all(joins);
          joins = [];
          return outcomes.filter(({ recovered }) => recovered).length;
        },
        /** All but the first connection have gone, and what they have left. */
        async gone() {
          if (members.size > 1) {
            await new Promise((resolve) => {
              onGone = resolve;
            });
          }
          globalThis.gc();
        },
      },
    };
  },

  connect: plain.connect,
  clientTasks: (port) => ({ ...bareClients(port), ...ownClients(port, Api) }),
};
