import { IsString } from "@grest-ts/schema";
import { defineSocketContract, failureOf, GGSocketPool, webSocketSchema } from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";
import * as page from "../../src/index.browser.js";
import { Gate } from "../support/gate.js";
import { Queue } from "../support/queue.js";
import { RawServer } from "../support/rawPeer.js";
import { recordingLogger } from "../support/server.js";
import { turns } from "../support/slowProxy.js";

const LIMIT = 1_000_000;
const TEXT = "x".repeat(200_000);
/** More than the system itself takes for an end that does not read. */
const MANY = 200;

const contract = {
  clientToServer: { echo: { input: IsString, success: IsString }, note: { input: IsString } },
  serverToClient: { ask: { success: IsString }, news: {} },
};
const Api = webSocketSchema(defineSocketContract("Bound", contract)).path("ws/bound").done();
const PageApi = page.webSocketSchema(page.defineSocketContract("Bound", contract)).path("ws/bound").done();

/** What the clients have for a `WebSocket`, to look at what waits there. */
const sockets = new Queue<WebSocket>();
class Watched extends WebSocket {
  constructor(url: string) {
    super(url);
    sockets.push(this);
  }
}
const webSocket = Watched as unknown as new (url: string) => globalThis.WebSocket;

const CLIENTS = {
  "in Node": { Api, webSocket: undefined },
  "in Node on another WebSocket": { Api, webSocket },
  "in a page": { Api: PageApi as unknown as typeof Api, webSocket },
};
type Config = Partial<Parameters<typeof Api.createClient>[0]>;

async function start(kind: (typeof CLIENTS)[keyof typeof CLIENTS], config: Config = {}) {
  const server = await RawServer.start();
  const logger = recordingLogger();
  const client = kind.Api.createClient({
    url: server.url,
    logger,
    maxOutboxBytes: LIMIT,
    webSocket: kind.webSocket,
    ...config,
  });
  onTestFinished(() => client.close());
  client.incoming.on({ ask: () => TEXT });
  const accepted = server.accept();
  await client.connect();
  const peer = await accepted;
  return { server, logger, client, peer, socket: kind.webSocket && (await sockets.next()) };
}

const tooSlow = { level: "warn", message: "Bound: a connection ends, since the peer reads too slowly" };

describe.each(Object.entries(CLIENTS))("a client %s whose server does not read", (_name, kind) => {
  it("closes when its answers exceed the limit, and keeps no more than that", async () => {
    const { logger, peer, client, socket } = await start(kind);
    peer.ws.pause();
    let most = 0;
    for (let id = 1; client.isConnected && id < MANY; id++) {
      peer.send(`r:Bound.ask:${id}:`);
      await turns(3);
      most = Math.max(most, socket?.bufferedAmount ?? 0);
    }
    expect(client.isConnected).toBe(false);
    expect(logger.entries).toMatchObject([tooSlow]);
    expect(most).toBeLessThan(LIMIT + 1_000);
  });

  it("fails a call that it has no room for, as one that was not sent", async () => {
    const { logger, peer, client } = await start(kind);
    peer.ws.pause();
    const failures = [];
    while (client.isConnected && failures.length < MANY) {
      const call = client.outgoing.echo(TEXT).asResult();
      failures.push(call.then(failureOf));
      await turns(1);
    }
    expect(client.isConnected).toBe(false);
    expect(await failures.pop()).toEqual({ reason: "limit", wasSent: false });
    for (const earlier of await Promise.all(failures)) expect(earlier).toMatchObject({ reason: "disconnected" });
    expect(logger.entries).toMatchObject([tooSlow]);
  });

  it("fails a message that it has no room for", async () => {
    const { peer, client } = await start(kind);
    peer.ws.pause();
    const results = [];
    while (client.isConnected && results.length < MANY) {
      results.push(await client.outgoing.note(TEXT).asResult());
      await turns(1);
    }
    expect(failureOf(results.pop())).toEqual({ reason: "limit", wasSent: false });
    for (const { success } of results) expect(success).toBe(true);
  });

  it("drops what is droppable, says so without filling the log, and goes on when it is read", async () => {
    const { logger, peer, client } = await start(kind);
    peer.ws.pause();
    const sent = MANY;
    for (let i = 0; i < sent; i++) {
      expect((await client.outgoing.note(TEXT, { droppable: true }).asResult()).success).toBe(true);
      if (i % 10 === 0) await turns(1);
    }
    expect(client.isConnected).toBe(true);
    expect(logger.entries[0]).toMatchObject({
      level: "warn",
      message: "Bound: messages are dropped, since the peer reads too slowly",
    });
    expect(logger.entries.length).toBeLessThanOrEqual(20);
    peer.ws.resume();
    await peer.roundTrip();
    const arrived = peer.frames.unseen.length;
    expect(arrived).toBeLessThan(sent);
    client.outgoing.note("last");
    await peer.frames.take(arrived);
    expect(await peer.next()).toBe('m:Bound.note::"last"');
  });

  it("takes a message larger than the limit when nothing waits", async () => {
    const { peer, client } = await start(kind);
    expect((await client.outgoing.note("x".repeat(2 * LIMIT)).asResult()).success).toBe(true);
    expect((await peer.next()).length).toBeGreaterThan(2 * LIMIT);
  });

  it("connects again with `reconnect`", async () => {
    const { server, peer, client } = await start(kind, { reconnect: { initialDelayMs: 1, maxDelayMs: 1 } });
    const again = server.accept();
    peer.ws.pause();
    for (let i = 0; client.isConnected && i < MANY; i++) {
      client.outgoing.note(TEXT);
      await turns(1);
    }
    expect(client.isConnected).toBe(false);
    peer.ws.terminate();
    await again;
    await client.connect();
    expect(client.isConnected).toBe(true);
  });
});

it("by default a client keeps 64 MiB, and a raw socket as well", async () => {
  const large = "x".repeat(12 * 1024 * 1024);
  const { peer, client } = await start(CLIENTS["in Node"], { maxOutboxBytes: undefined });
  peer.ws.pause();
  let count = 0;
  for (; client.isConnected && count < 12; count++) await client.outgoing.note(large).asResult();
  expect(count).toBeGreaterThanOrEqual(6);
  expect(count).toBeLessThan(10);
  client.close();

  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const server = await RawServer.start();
  const accepted = server.accept();
  const socket = await GGSocketPool.connect({ domain: server.url, path: "/" });
  onTestFinished(() => socket.terminate());
  (await accepted).ws.pause();
  for (count = 0; socket.isOpen && count < 12; count++) await socket.send("Any.thing", large);
  expect(count).toBeGreaterThanOrEqual(6);
  expect(count).toBeLessThan(10);
  expect(warn.mock.calls.map(([text]) => [text])).toEqual([
    ["GGSocketPool: a connection ends, since the peer reads too slowly"],
  ]);
});

it("a page keeps a bounded number of messages for its set-up, and says that it keeps no more", async () => {
  const server = await RawServer.start();
  const logger = recordingLogger();
  const client = PageApi.createClient({ url: server.url, logger, webSocket });
  onTestFinished(() => client.close());
  const [setUp, begun] = [new Gate(), new Gate()];
  let handled = 0;
  const accepted = server.accept();
  const connecting = client.connect(async ({ incoming }) => {
    begun.open();
    await setUp.passed;
    incoming.on({ news: () => void handled++ });
  });
  const peer = await accepted;
  await begun.passed;
  peer.sendTogether(...Array.from({ length: 11_000 }, () => "m:Bound.news::"));
  expect(await logger.next()).toMatchObject({ message: "Bound: too many messages wait for handlers" });
  await peer.roundTrip();
  setUp.open();
  await connecting;
  await turns(1);
  expect(handled).toBe(10_000);
  expect(logger.entries.length).toBeLessThanOrEqual(20);
});
