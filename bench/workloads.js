// Each workload gets a contender's server and client, and gives figures. Time is CPU time of the server unless it says otherwise.
const SMALL = { text: "Hello, how are you today?", channelId: "general" };
const LARGE = { text: "x".repeat(64 * 1024), channelId: "general" };

const requests = (connections, inFlight, data = SMALL) => ({
  async run(server, client, ms) {
    await client.do("connect", { count: connections });
    await client.do("calls", { inFlight, ms: ms / 2, data }); // warms both ends up
    await server.do("start");
    const { count, p50, p99 } = await client.do("calls", { inFlight, ms, data });
    const cpu = await server.do("stop");
    return { "CPU µs/call": cpu / count, "p50 µs": p50, "p99 µs": p99, "calls/s": (count / ms) * 1000 };
  },
});

export const workloads = {
  "requests 1 × 64": requests(1, 64),
  "requests 50 × 4": requests(50, 4),
  "requests 1 × 1": requests(1, 1),
  "requests 1 × 8 of 64 KiB": requests(1, 8, LARGE),

  "broadcast to 1,000": {
    needs: "broadcast",
    async run(server, client, ms) {
      const count = 1_000;
      const times = Math.ceil(ms / 40);
      await client.do("connect", { count });
      const deliver = async () => {
        await client.do("expectNews", { count: count * times });
        await server.do("broadcast", { times, data: SMALL });
        await client.do("allNews");
      };
      await deliver();
      await server.do("start");
      await deliver();
      return { "CPU µs/delivery": (await server.do("stop")) / (count * times) };
    },
  },

  "server asks 1 × 64": {
    needs: "ask",
    async run(server, client, ms) {
      await client.do("connect", { count: 1 });
      await server.do("ask", { inFlight: 64, ms: ms / 2 });
      await server.do("start");
      const count = await server.do("ask", { inFlight: 64, ms });
      return { "CPU µs/question": (await server.do("stop")) / count, "questions/s": (count / ms) * 1000 };
    },
  },

  "connect and call": {
    async run(server, client, ms) {
      const options = { lanes: 8, data: SMALL };
      // Connecting is a lot of code that runs seldom: it takes the engine longer to have compiled it.
      await client.do("rate", { ...options, ms: ms * 3 });
      await server.do("start");
      const count = await client.do("rate", { ...options, ms });
      return { "CPU µs/connection": (await server.do("stop")) / count, "connections/s": (count / ms) * 1000 };
    },
  },

  "5,000 idle connections": {
    async run(server, client) {
      await client.do("connect", { count: 100 }); // what is made once is not a connection's
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
