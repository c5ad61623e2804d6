import { IsObject, IsString, IsUint } from "@grest-ts/schema";
import { defineSocketContract, type WebSocketSchemaConfig, webSocketSchema } from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { runningDeadlines } from "../../src/connection/deadlines.js";
import { Balancer } from "../support/balancer.js";
import { Gate } from "../support/gate.js";
import { Queue } from "../support/queue.js";
import { RawPeer, RawServer } from "../support/rawPeer.js";
import { recordingLogger, serveApi } from "../support/server.js";

const Api = webSocketSchema(
  defineSocketContract("Roll", {
    clientToServer: { work: { input: IsString, success: IsObject({ text: IsString, port: IsUint }) } },
    serverToClient: {},
  }),
)
  .path("ws/roll")
  .done();

const ACCEPTED = 'k:::{"ws-capabilities":"drain"}';

/** A server that records its answers. */
async function start(config: WebSocketSchemaConfig = {}, gate?: Promise<void>) {
  const answered: string[] = [];
  const begun = new Queue<string>();
  let port = 0;
  const { http, server, url } = await serveApi(
    Api,
    (incoming) =>
      incoming.on({
        async work(text) {
          begun.push(text);
          await gate;
          answered.push(text);
          return { text, port };
        },
      }),
    config,
  );
  port = http.port ?? 0;
  return { http, server, answered, begun, url, port };
}

/** A peer that agrees on drain with the server. */
async function drainingPeer(url: string): Promise<RawPeer> {
  const { peer, accepted } = await RawPeer.connectWith(url, "drain");
  expect(accepted).toBe(ACCEPTED);
  return peer;
}

describe("a server that drains", () => {
  it("sends notices to clients with drain, within the spread, and closes others in waves with 1012", async () => {
    const { http, url } = await start({ drain: { spreadMs: 60, deadlineMs: 100 } });
    const old = await Promise.all(Array.from({ length: 12 }, () => RawPeer.connect(url)));
    const capable = await drainingPeer(url);
    const torndown = http.teardown();
    const notice = await capable.next();
    expect(notice).toMatch(/^d:::\d+$/);
    expect(Number(notice.slice(4))).toBeLessThan(60);
    for (const peer of [...old, capable]) {
      expect(await peer.closed).toEqual({ code: 1012, reason: "Server is shutting down" });
    }
    for (const peer of old) expect(peer.frames.unseen).toEqual([]);
    await torndown;
  });

  it("gives each client a different time within the spread", async () => {
    const { http, url } = await start({ drain: { spreadMs: 1_000, deadlineMs: 20 } });
    const peers = await Promise.all(Array.from({ length: 4 }, () => drainingPeer(url)));
    const parts = [0, 0.25, 0.5, 0.9999];
    const random = vi.spyOn(Math, "random").mockImplementation(() => parts.shift() ?? 0);
    onTestFinished(() => random.mockRestore());
    const torndown = http.teardown();
    const notices = await Promise.all(peers.map((peer) => peer.next()));
    expect(notices.sort()).toEqual(["d:::0", "d:::250", "d:::500", "d:::999"]);
    await torndown;
  });

  it("sends one notice when torn down twice at once, and both teardowns wait for the end", async () => {
    const { server, url } = await start({ drain: { spreadMs: 1, deadlineMs: 50 } });
    const capable = await drainingPeer(url);
    await Promise.all([server.teardown(), server.teardown()]);
    expect((await capable.closed).code).toBe(1012);
    expect(await capable.frames.take(1)).toEqual(["d:::0"]);
    expect(capable.frames.unseen).toEqual([]);
    expect(server.connectionCount).toBe(0);
  });

  it("does not affect the next owner of its path when torn down again later", async () => {
    const { server, http, url } = await start();
    await server.teardown();
    Api.startServer((incoming) => incoming.on({ work: (text) => ({ text, port: 1 }) }), { http });
    await server.teardown();
    const peer = await RawPeer.connect(url);
    peer.send('r:Roll.work:1:"a"');
    expect(await peer.next()).toContain('"text":"a"');
  });

  it("lets what is in flight finish before it closes", async () => {
    const gate = new Gate();
    const { http, url, begun } = await start({ drain: { spreadMs: 1 } }, gate.passed);
    const peer = await RawPeer.connect(url);
    peer.send('r:Roll.work:1:"a"');
    await begun.next();
    const torndown = http.teardown();
    gate.open();
    expect(await peer.next()).toContain('"text":"a"');
    expect((await peer.closed).code).toBe(1012);
    await torndown;
  });

  it("closes at the deadline, even with requests in flight", async () => {
    const { http, url, begun } = await start({ drain: { spreadMs: 1, deadlineMs: 30 } }, new Promise(() => {}));
    const peer = await RawPeer.connect(url);
    peer.send('r:Roll.work:1:"a"');
    await begun.next();
    await http.teardown();
    expect((await peer.closed).code).toBe(1012);
  });

  it("closes all with 1001 without the option", async () => {
    const { http, url } = await start();
    const [old, capable] = [await RawPeer.connect(url), await drainingPeer(url)];
    await http.teardown();
    expect((await old.closed).code).toBe(1001);
    expect(await capable.next()).toBe("d:::0");
    await capable.closed;
  });
});

describe("a client that gets a drain notice", () => {
  it("finishes its calls on the old connection while it makes the next one at once", async () => {
    const server = await RawServer.start();
    // Without a back-off, since it is not a failure.
    const reconnect = { initialDelayMs: 2 ** 31, maxDelayMs: 2 ** 31 };
    const client = Api.createClient({ url: server.url, reconnect, logger: recordingLogger() });
    onTestFinished(() => client.close());
    const reasons: string[] = [];
    const replaced = new Promise<void>((resolve) => {
      client.onDisconnect((reason) => {
        reasons.push(reason);
        resolve();
      });
    });
    const connected = client.connect();
    const first = await server.connections.next();
    expect(await first.next()).toBe('h:::{"ws-capabilities":"batch alive cancel drain"}');
    first.send(ACCEPTED);
    await connected;

    const call = client.outgoing.work("a");
    expect(await first.next()).toBe('r:Roll.work:1:"a"');
    first.send("d:::0");
    const second = await server.connections.next();
    await second.next();
    // The old connection serves until there is another.
    expect(client.isConnected).toBe(true);
    expect(client.state).toBe("connected");
    expect(reasons).toEqual([]);
    second.send(ACCEPTED);
    await replaced;
    expect(reasons).toEqual(["drop"]);
    // The new connection is in use; the old one still settles its calls.
    void client.outgoing.work("b");
    expect(await second.next()).toBe('r:Roll.work:1:"b"');
    first.send('s:Roll.work:1:{"success":true,"type":"OK","data":{"text":"a","port":1}}');
    expect(await call).toEqual({ text: "a", port: 1 });
    expect(await first.closed).toEqual({ code: 1000, reason: "" });
    expect(reasons).toEqual(["drop"]);
  });

  it("acts on one notice: further ones keep nothing, and none outlives its connection", async () => {
    const server = await RawServer.start();
    const client = Api.createClient({ url: server.url, reconnect: { initialDelayMs: 1 }, logger: recordingLogger() });
    onTestFinished(() => client.close());
    const connected = client.connect();
    const peer = await server.connections.next();
    await peer.next();
    peer.send(ACCEPTED);
    await connected;
    const before = runningDeadlines();
    peer.send(...Array.from({ length: 1_000 }, () => "d:::9e99"));
    await peer.roundTrip();
    expect(runningDeadlines()).toBe(before + 1);
    const dropped = new Promise((resolve) => client.onDisconnect(resolve));
    peer.ws.terminate();
    await dropped;
    expect(runningDeadlines()).toBeLessThanOrEqual(before);
  });

  it("does not announce drain without reconnect, and ignores a notice that was not agreed on", async () => {
    const server = await RawServer.start();
    const client = Api.createClient({ url: server.url, logger: recordingLogger() });
    onTestFinished(() => client.close());
    const accepted = server.accept();
    await client.connect();
    const peer = await accepted;
    expect(peer.handshake).not.toContain("drain");
    peer.send("d:::0");
    await peer.roundTrip();
    expect(client.isConnected).toBe(true);
  });
});

it("loses no answered call in a rolling restart of two servers behind a proxy, under load", async () => {
  const drain = { spreadMs: 100 };
  const balancer = await Balancer.start();
  const [one, two] = [await start({ drain }), await start({ drain })];
  balancer.ports = [one.port, two.port];

  const received = new Set<string>();
  const failures: string[] = [];
  let isOver = false;
  const clients = Array.from({ length: 30 }, () =>
    Api.createClient({
      url: balancer.url,
      reconnect: { initialDelayMs: 5, maxDelayMs: 50 },
      logger: recordingLogger(),
    }),
  );
  onTestFinished(() => {
    for (const client of clients) client.close();
  });
  const load = clients.map(async (client, i) => {
    await client.connect();
    for (let n = 0; !isOver; n++) {
      const text = `${i}/${n}`;
      const result = await client.outgoing.work(text).asResult();
      if (result.success) received.add(text);
      else {
        failures.push(String(result.context?.displayMessage));
        await client.connect();
      }
    }
  });
  const passes = async (count: number) => {
    const goal = received.size + count;
    while (received.size < goal) await new Promise((resolve) => setImmediate(resolve));
  };

  await passes(500);
  balancer.ports = [two.port];
  await one.http.teardown();
  await passes(500);
  const three = await start({ drain });
  balancer.ports = [three.port];
  await two.http.teardown();
  await passes(500);
  isOver = true;
  await Promise.all(load);

  expect(clients.filter(({ isConnected }) => !isConnected)).toEqual([]);
  expect(three.server.connectionCount).toBe(clients.length);
  const answered = [...one.answered, ...two.answered, ...three.answered];
  expect(answered.filter((text) => !received.has(text))).toEqual([]);
  // Refused calls were never sent.
  expect(failures.filter((message) => !message.includes("was not sent"))).toEqual([]);
});
