// The soak's clients: each calls, sends, answers, and now and then disconnects and connects again.
import { setTimeout as sleep } from "node:timers/promises";
import { Api } from "./api.mjs";
import { remains, serveTasks } from "./process.mjs";

const calls = { begun: 0, succeeded: 0, failed: 0 };
let pushes = 0;
let reconnects = 0;
let isQuiet = true;
let lives = [];
let clients = [];

async function live(client) {
  while (!isQuiet) {
    const what = Math.random();
    if (what < 0.02) {
      await client.disconnect();
      await client.connect().catch(() => {});
    } else if (what < 0.03) {
      client.close();
      await client.connect().catch(() => {});
    } else if (what < 0.1) client.outgoing.note("hello");
    else {
      const burst = Array.from({ length: what < 0.2 ? 20 : 2 }, () => {
        calls.begun++;
        const delay = Math.random() < 0.2 ? Math.floor(Math.random() * 300) : 0;
        const options = Math.random() < 0.05 ? { timeout: 50 } : {};
        return client.outgoing.echo({ text: "x".repeat(Math.random() * 500), delay }, options).asResult();
      });
      for (const result of await Promise.all(burst)) calls[result.success ? "succeeded" : "failed"]++;
    }
    await sleep(200 + Math.random() * 800);
  }
}

serveTasks({
  async connect({ port, count }) {
    clients = Array.from({ length: count }, () => {
      const client = Api.createClient({
        url: `ws://127.0.0.1:${port}`,
        reconnect: { initialDelayMs: 50, maxDelayMs: 1_000 },
        logger: { debug() {}, warn() {}, error: console.error },
      });
      client.incoming.on({ news: () => void pushes++, ask: (text) => `yes, ${text}` });
      client.onDisconnect((reason) => {
        if (reason === "drop") reconnects++;
      });
      return client;
    });
    for (let i = 0; i < count; i += 50) await Promise.all(clients.slice(i, i + 50).map((client) => client.connect()));
  },
  load() {
    isQuiet = false;
    lives = clients.map(live);
  },
  async quiet() {
    isQuiet = true;
    await Promise.all(lives);
    lives = [];
  },
  async disconnect() {
    await Promise.all(clients.map((client) => client.disconnect()));
    clients = [];
  },
  async report() {
    return { ...(await remains()), calls, pushes, reconnects };
  },
});
process.send({ result: "ready" });
