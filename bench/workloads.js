// Each workload prepares a contender's server and client, warms them up, and is then measured repeatedly. Times are CPU
// times of the server unless noted; a pause is the longest garbage collection of a slice.
import { using } from "./lib/using.js";

const SMALL = { text: "Hello, how are you today?", channelId: "general" };
const LARGE = { text: "x".repeat(64 * 1024), channelId: "general" };

const requests = (connections, inFlight, data = SMALL) => ({
  async prepare(_server, client, ms) {
    await client.do("connect", { count: connections });
    await client.do("calls", { inFlight, ms, data });
  },
  async measure(server, client, ms) {
    const calls = () => client.do("calls", { inFlight, ms, data });
    const { answer, ofServer, ofClient } = await using(server, client, calls);
    const { count, p50, p99 } = answer;
    return {
      "CPU µs/call": ofServer.cpu / count,
      "client CPU µs/call": ofClient.cpu / count,
      "p50 µs": p50,
      "p99 µs": p99,
      "server pause µs": ofServer.pause,
      "client pause µs": ofClient.pause,
      "calls/s": (count / ms) * 1000,
    };
  },
});

const LISTENERS = 1_000;
const connecting = { lanes: 8, data: SMALL };

/** `task` sends a message to all. */
const broadcast = (task) => {
  async function deliver(server, client, times) {
    await client.do("expectNews", { count: LISTENERS * times });
    await server.do(task, { times, data: SMALL });
    await client.do("allNews");
  }
  return {
    needs: task,
    async prepare(server, client, ms) {
      await client.do("connect", { count: LISTENERS });
      await deliver(server, client, Math.ceil(ms / 30));
    },
    async measure(server, client, ms) {
      const times = Math.ceil(ms / 30);
      const { ofServer, ofClient } = await using(server, client, () => deliver(server, client, times));
      return {
        "CPU µs/delivery": ofServer.cpu / (LISTENERS * times),
        "client CPU µs/delivery": ofClient.cpu / (LISTENERS * times),
      };
    },
  };
};

export const workloads = {
  "requests 1 × 64": requests(1, 64),
  "requests 50 × 4": requests(50, 4),
  "requests 1 × 1": requests(1, 1),
  "requests 1 × 8 of 64 KiB": requests(1, 8, LARGE),

  "broadcast to 1,000": broadcast("broadcast"),
  "README loop to 1,000": broadcast("loop"),

  "server asks 1 × 64": {
    needs: "ask",
    async prepare(server, client, ms) {
      await client.do("connect", { count: 1 });
      await server.do("ask", { inFlight: 64, ms });
    },
    async measure(server, client, ms) {
      const ask = () => server.do("ask", { inFlight: 64, ms });
      const { answer: count, ofServer, ofClient } = await using(server, client, ask);
      return {
        "CPU µs/question": ofServer.cpu / count,
        "client CPU µs/question": ofClient.cpu / count,
        "questions/s": (count / ms) * 1000,
      };
    },
  },

  "connect and call": {
    async prepare(_server, client, ms) {
      // Connecting runs a lot of code rarely: the engine needs longer to compile it.
      await client.do("rate", { ...connecting, ms: ms * 2 });
    },
    async measure(server, client, ms) {
      const connect = () => client.do("rate", { ...connecting, ms: ms * 2 });
      const { answer, ofServer, ofClient } = await using(server, client, connect);
      const { count, p50, p99 } = answer;
      return {
        "CPU µs/connection": ofServer.cpu / count,
        "client CPU µs/connection": ofClient.cpu / count,
        "p50 µs": p50,
        "p99 µs": p99,
        "connections/s": (count / ms) * 500,
      };
    },
  },

  "5,000 idle connections": {
    // Memory is comparable only in fresh processes.
    isFresh: true,
    async prepare(_server, client) {
      await client.do("connect", { count: 100 }); // excludes one-time allocations
    },
    async measure(server, client) {
      const before = await server.do("memory");
      await client.do("connect", { count: 5_100 });
      const after = await server.do("memory");
      return {
        "RSS KiB/connection": (after.rss - before.rss) / 5_000 / 1024,
        "heap KiB/connection": (after.heap - before.heap) / 5_000 / 1024,
      };
    },
  },
};
