// Each workload prepares a contender's server and client, warms them up, and is then measured repeatedly. Times are CPU
// times of the server unless noted.
const SMALL = { text: "Hello, how are you today?", channelId: "general" };
const LARGE = { text: "x".repeat(64 * 1024), channelId: "general" };

const requests = (connections, inFlight, data = SMALL) => ({
  async prepare(_server, client, ms) {
    await client.do("connect", { count: connections });
    await client.do("calls", { inFlight, ms, data });
  },
  async measure(server, client, ms) {
    await server.do("start");
    const { count, p50, p99 } = await client.do("calls", { inFlight, ms, data });
    const cpu = await server.do("stop");
    return { "CPU µs/call": cpu / count, "p50 µs": p50, "p99 µs": p99, "calls/s": (count / ms) * 1000 };
  },
});

const LISTENERS = 1_000;
const connecting = { lanes: 8, data: SMALL };

async function deliver(server, client, times) {
  await client.do("expectNews", { count: LISTENERS * times });
  await server.do("broadcast", { times, data: SMALL });
  await client.do("allNews");
}

export const workloads = {
  "requests 1 × 64": requests(1, 64),
  "requests 50 × 4": requests(50, 4),
  "requests 1 × 1": requests(1, 1),
  "requests 1 × 8 of 64 KiB": requests(1, 8, LARGE),

  "broadcast to 1,000": {
    needs: "broadcast",
    async prepare(server, client, ms) {
      await client.do("connect", { count: LISTENERS });
      await deliver(server, client, Math.ceil(ms / 30));
    },
    async measure(server, client, ms) {
      const times = Math.ceil(ms / 30);
      await server.do("start");
      await deliver(server, client, times);
      return { "CPU µs/delivery": (await server.do("stop")) / (LISTENERS * times) };
    },
  },

  "server asks 1 × 64": {
    needs: "ask",
    async prepare(server, client, ms) {
      await client.do("connect", { count: 1 });
      await server.do("ask", { inFlight: 64, ms });
    },
    async measure(server, _client, ms) {
      await server.do("start");
      const count = await server.do("ask", { inFlight: 64, ms });
      return { "CPU µs/question": (await server.do("stop")) / count, "questions/s": (count / ms) * 1000 };
    },
  },

  "connect and call": {
    async prepare(_server, client, ms) {
      // Connecting runs a lot of code rarely: the engine needs longer to compile it.
      await client.do("rate", { ...connecting, ms: ms * 2 });
    },
    async measure(server, client, ms) {
      await server.do("start");
      const count = await client.do("rate", { ...connecting, ms: ms * 2 });
      return { "CPU µs/connection": (await server.do("stop")) / count, "connections/s": (count / ms) * 500 };
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
