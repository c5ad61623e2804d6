import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { IsString } from "@grest-ts/schema";
import {
  defineSocketContract,
  type WebSocketOutgoing,
  type WebSocketSchemaConfig,
  webSocketSchema,
} from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished } from "vitest";
import { onFakeClock } from "../support/fakeClock.js";
import { Gate } from "../support/gate.js";
import { root } from "../support/paths.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";
import { closeOf } from "../support/tcp.js";

const contract = defineSocketContract("Down", {
  clientToServer: { work: { input: IsString, success: IsString }, ping: {} },
  serverToClient: { ask: { success: IsString }, news: { input: IsString } },
});
type Outgoing = WebSocketOutgoing<typeof contract.methods.serverToClient>;
const GOING_AWAY = { code: 1001, reason: "Server is shutting down" };

async function start(config: WebSocketSchemaConfig = {}) {
  const events = new Queue<string>();
  const outgoings = new Queue<Outgoing>();
  const gate = new Gate();
  const { url, http, server, logger } = await serveApi(
    webSocketSchema(contract).path("ws/down").done(),
    (incoming, outgoing) => {
      outgoings.push(outgoing);
      incoming.on({
        work: async (text) => {
          events.push(`begun ${text}`);
          await gate.passed;
          events.push(`done ${text}`);
          return text;
        },
        ping: () => {},
      });
      outgoing.onClose(() => events.push("closed"));
    },
    config,
  );
  return { url, http, server, events, outgoings, gate, logger };
}

describe("http.teardown()", () => {
  it("closes idle connections with 1001, and runs onClose", async () => {
    const { url, http, events, server } = await start();
    const peers = [await RawPeer.connect(url), await RawPeer.connect(url)];
    await http.teardown();
    expect(await Promise.all(peers.map((peer) => peer.closed))).toEqual([GOING_AWAY, GOING_AWAY]);
    expect(events.unseen).toEqual(["closed", "closed"]);
    expect(server.connectionCount).toBe(0);
    expect(http.httpServer.listening).toBe(false);
  });

  it("lets handlers in flight finish: their replies arrive, then comes the close", async () => {
    const { url, http, events, gate } = await start();
    const peer = await RawPeer.connect(url);
    peer.send('r:Down.work:1:"a"', 'r:Down.work:2:"b"');
    await events.take(2);
    const down = http.teardown();
    await peer.roundTrip();
    expect(peer.frames.unseen).toEqual([]);
    gate.open();
    expect(await peer.closed).toEqual(GOING_AWAY);
    expect(peer.frames.unseen).toEqual([
      's:Down.work:1:{"success":true,"type":"OK","data":"a"}',
      's:Down.work:2:{"success":true,"type":"OK","data":"b"}',
    ]);
    await down;
    expect(events.unseen).toEqual(["done a", "done b", "closed"]);
  });

  it("lets the client answer a request in flight", async () => {
    const { url, http, outgoings } = await start();
    const peer = await RawPeer.connect(url);
    const call = (await outgoings.next()).ask();
    expect(await peer.next()).toBe("r:Down.ask:1:");
    const down = http.teardown();
    await peer.roundTrip();
    peer.send('s:Down.ask:1:{"success":true,"type":"OK","data":"still here"}');
    expect(await call).toBe("still here");
    expect(await peer.closed).toEqual(GOING_AWAY);
    await down;
  });

  it("sends what handlers and onClose's program had pushed before, and then nothing", async () => {
    const { url, http, outgoings } = await start();
    const peer = await RawPeer.connect(url);
    const outgoing = await outgoings.next();
    outgoing.news("last words");
    const down = http.teardown();
    await peer.closed;
    expect(peer.frames.unseen).toEqual(['m:Down.news::"last words"']);
    await down;
    expect(await outgoing.news("too late").asResult()).toMatchObject({ type: "SERVER_ERROR" });
  });

  it("takes no new connection while it waits for handlers", async () => {
    const { url, http, events, gate } = await start();
    const peer = await RawPeer.connect(url);
    peer.send('r:Down.work:1:"a"');
    await events.next();
    const down = http.teardown();
    await expect(RawPeer.open(url)).rejects.toThrow();
    gate.open();
    await down;
    expect(events.unseen).toEqual(["done a", "closed"]);
  });

  it("refuses an upgrade on a TCP socket that was open before", async () => {
    const { url, http, events, gate } = await start();
    const peer = await RawPeer.connect(url);
    const socket = connect(http.port as number, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
    });
    const closed = closeOf(socket); // the server may cut it
    await once(socket, "connect");
    socket.write("GET /ws/down HTTP/1.1\r\nHost: x\r\n"); // a request in progress
    peer.send('r:Down.work:1:"a"');
    await events.next();
    const down = http.teardown();
    socket.write(
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await closed;
    expect(text).not.toContain("101");
    gate.open();
    await down;
  });

  it("closes connections in mid-handshake: before their message, and in a middleware", async () => {
    const entered = new Gate();
    const { url, http, events } = await start({
      middlewares: [
        {
          process: () => {
            entered.open();
            return new Promise(() => {});
          },
        },
      ],
    });
    const silent = await RawPeer.open(url);
    const inMiddleware = await RawPeer.open(url);
    inMiddleware.send("h:::{}");
    await entered.passed;
    await http.teardown();
    expect((await silent.closed).code).toBe(1001);
    expect((await inMiddleware.closed).code).toBe(1001);
    expect([...silent.frames.unseen, ...inMiddleware.frames.unseen]).toEqual([]);
    expect(events.unseen).toEqual([]);
  });

  it("refuses a handshake that ends during it", async () => {
    const entered = new Gate();
    const release = new Gate();
    const { url, http, events, gate } = await start({
      middlewares: [
        {
          parseHandshake({ headers }) {
            if (headers.slow) entered.open();
          },
          process: async () => {
            if (waits) await release.passed;
          },
        },
      ],
    });
    let waits = false;
    const busy = await RawPeer.connect(url);
    busy.send('r:Down.work:1:"a"');
    await events.next();
    waits = true;
    const peer = await RawPeer.open(url);
    peer.send('h:::{"slow":"yes"}', "r:Down.ping:1:");
    await entered.passed;
    const down = http.teardown();
    release.open();
    expect((await peer.closed).code).toBe(1001);
    expect(peer.frames.unseen).toEqual([]);
    gate.open();
    await down;
    expect(events.unseen).toEqual(["done a", "closed"]);
  });

  it("may be called again, and twice at once", async () => {
    const { url, http } = await start();
    const peer = await RawPeer.connect(url);
    await Promise.all([http.teardown(), http.teardown()]);
    await http.teardown();
    expect(await peer.closed).toEqual(GOING_AWAY);
  });

  it("cuts off a client that does not answer the close frame, without waiting for it forever", async () => {
    const clock = await onFakeClock();
    const Api = clock
      .webSocketSchema(clock.defineSocketContract("Deaf", { clientToServer: {}, serverToClient: {} }))
      .path("ws/deaf")
      .done();
    const closed = new Gate();
    const { http, url } = await clock.start((http) =>
      Api.register((_, outgoing) => outgoing.onClose(() => closed.open()), { http }),
    );
    const peer = await RawPeer.connect(`${url}/ws/deaf`);
    peer.ws.pause(); // it stops reading
    const down = http.teardown();
    await new Promise((resolve) => setImmediate(resolve)); // the teardown begins one turn later
    clock.pass(5_001);
    await closed.passed;
    await down;
  });

  it("gives handlers that never end 5 s, and then closes", async () => {
    const clock = await onFakeClock();
    const Api = clock
      .webSocketSchema(
        clock.defineSocketContract("Hang", {
          clientToServer: { hang: { success: clock.schema.IsString } },
          serverToClient: { ask: { success: clock.schema.IsString } },
        }),
      )
      .path("ws/hang")
      .done();
    const begun = new Gate();
    const { http, url } = await clock.start((http) =>
      Api.register(
        (incoming, outgoing) => {
          outgoing.ask();
          incoming.on({
            hang: () => {
              begun.open();
              return new Promise(() => {});
            },
          });
        },
        { http },
      ),
    );
    const peer = await RawPeer.connect(`${url}/ws/hang`);
    peer.send("r:Hang.hang:1:");
    await begun.passed;
    const down = http.teardown();
    await peer.roundTrip();
    clock.pass(4_999);
    await peer.roundTrip();
    expect(peer.ws.readyState).toBe(peer.ws.OPEN);
    clock.pass(2);
    expect(await peer.closed).toEqual(GOING_AWAY);
    await down;
  });
});

describe("the socket server's own teardown()", () => {
  it("closes its connections and keeps those of other APIs on the server", async () => {
    const { url, http, server, events } = await start();
    const Other = webSocketSchema(defineSocketContract("Other", { clientToServer: { ping: {} }, serverToClient: {} }))
      .path("ws/other")
      .done();
    Other.register((incoming) => incoming.on({ ping: () => {} }), { http });
    const mine = await RawPeer.connect(url);
    const other = await RawPeer.connect(url.replace("down", "other"));
    await server.teardown();
    expect(await mine.closed).toEqual(GOING_AWAY);
    expect(events.unseen).toEqual(["closed"]);
    other.send("r:Other.ping:1:");
    expect(await other.next()).toBe('s:Other.ping:1:{"success":true,"type":"OK"}');
  });
});

describe("a program that serves, is called and tears down ends by itself", () => {
  /** Runs the program until it ends by itself; returns what it printed. */
  async function run(scenario: string): Promise<string[]> {
    const child = spawn(process.execPath, ["--import", "tsx", "test/fixtures/programs/oneCall.ts", scenario], {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: "" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk) => {
        output += chunk;
      });
    }
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    const lines = output.trim().split("\n");
    expect({ code, signal, lines }).toMatchObject({ code: 0, signal: null });
    return lines;
  }
  const REPLY = 's:Once.greet:1:{"success":true,"type":"OK","data":"hello you"}';

  it.each([
    ["plain", ["k:::null", REPLY, "closed", "1001", "torn down"]],
    ["pending call", ["k:::null", REPLY, "closed", "1001", "torn down"]],
    ["no handlers", ["k:::null", "closed", "1001", "torn down"]],
    ["no handshake", ["1001", "torn down"]],
    ["stuck handshake", ["1001", "torn down"]],
  ])(
    "%s",
    async (scenario, expected) => {
      expect((await run(scenario)).sort()).toEqual([...expected].sort());
    },
    30_000,
  );
});

it("refuses a connection to an API that was torn down on its own, without hanging", async () => {
  const { url, server } = await serveApi(webSocketSchema(contract).path("ws/down").done(), () => {});
  await server.teardown();
  const outcome = await RawPeer.open(url).then(
    async (peer) => {
      peer.send("h:::{}");
      return peer.closed; // hangs
    },
    (error: Error) => error.message,
  );
  expect([1001, 1013, "Unexpected server response: 404", "Unexpected server response: 503"]).toContain(
    typeof outcome === "string" ? outcome : outcome.code,
  );
});
