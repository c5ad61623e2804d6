import { type GGSocket, GGSocketGroup, GGSocketPool, GGSocketServer, resumeGroups } from "@grest-ts/websocket";
import { type GGInspectedFrame, inspect } from "@grest-ts/websocket/inspect";
import { WebSocket as Undici } from "undici";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { tapTransport } from "../../src/inspect/tapTransport.js";
import { SeenApi, type SeenOutgoing, seenClient, seenServer, shortOf, wireOf } from "../support/inspected.js";
import { LegacyPeer, legacyServer } from "../support/legacyPeers.js";
import { Queue } from "../support/queue.js";
import { RawPeer, RawServer } from "../support/rawPeer.js";
import { startHttp } from "../support/server.js";

const sentBy = (frames: readonly GGInspectedFrame[]) => frames.filter(({ direction }) => direction === "sent");
const receivedBy = (frames: readonly GGInspectedFrame[]) => frames.filter(({ direction }) => direction === "received");
const isFrame = ({ kind }: GGInspectedFrame) => kind !== "close";

/** Inspects for the length of a test. */
function inspected(...args: Parameters<typeof inspect>) {
  const inspection = inspect(...args);
  onTestFinished(() => inspection.stop());
  return inspection;
}

/** Every kind of frame but those that need a protocol of their own: calls, messages, errors, cancels, batches, in both ways. */
async function exchange(
  client: ReturnType<typeof seenClient>["client"],
  server: Awaited<ReturnType<typeof seenServer>>,
  outgoing: SeenOutgoing,
) {
  await client.outgoing.echo("é\u{1f98a}");
  await client.outgoing.echo("full").asResult();
  await Promise.all(["a", "b", "c"].map((text) => client.outgoing.echo(text)));
  const over = new AbortController();
  const call = client.outgoing.wait(undefined, { signal: over.signal }).asResult();
  const gate = await server.waiting.next();
  over.abort();
  await call;
  gate.open("late");
  await client.outgoing.note({ text: "x" });
  await server.notes.next();
  await outgoing.news("n");
  await outgoing.ask();
  // What the server has sent until now is there.
  await client.outgoing.echo("last");
}

const CLIENTS = {
  "ws, with all capabilities": { reconnect: true },
  "ws, without capabilities": { capabilities: [] },
  "a native WebSocket": { webSocket: Undici as never },
  "a native WebSocket without capabilities": { webSocket: Undici as never, capabilities: [] },
};

describe("frames at both ends", () => {
  it.each(Object.entries(CLIENTS))("are the same: %s", async (_name, config) => {
    const server = await seenServer();
    const { client, news } = seenClient(server.base, config);
    const atServer = inspected(server.server);
    const atClient = inspected(client);
    await client.connect();
    await exchange(client, server, await server.outgoings.next());
    expect(await news.next()).toBe("n");
    await client.disconnect();
    await vi.waitFor(() => expect(atServer.recent().at(-1)?.kind).toBe("close"));
    await vi.waitFor(() => expect(atClient.recent().at(-1)?.kind).toBe("close"));

    const [client1, server1] = [atClient.recent(), atServer.recent()];
    expect(receivedBy(server1).filter(isFrame).map(wireOf)).toEqual(sentBy(client1).filter(isFrame).map(wireOf));
    expect(receivedBy(client1).filter(isFrame).map(wireOf)).toEqual(sentBy(server1).filter(isFrame).map(wireOf));
    const hasCapabilities = !("capabilities" in config);
    const kinds = new Set(client1.map(({ direction, kind }) => `${direction} ${kind}`));
    const both = ["request", "reply"].flatMap((kind) => [`sent ${kind}`, `received ${kind}`]);
    const rest = ["sent handshake", "received accepted", "sent message", "received message", "sent close"];
    expect([...kinds].sort()).toEqual([...both, ...rest, ...(hasCapabilities ? ["sent cancel"] : [])].sort());
    expect(client1.some(({ batch }) => batch?.size === 3 && batch.index === 2)).toBe(hasCapabilities);
    expect(client1.every(({ side }) => side === "client") && server1.every(({ side }) => side === "server")).toBe(true);
    expect(new Set(server1.map(({ connection }) => connection)).size).toBe(1);
    expect(new Set(client1.map(({ connection }) => connection)).size).toBe(1);
    for (const frames of [client1, server1]) {
      for (const { kind, ms, result, at, payload, message } of frames) {
        const isAnswer = kind === "reply" || kind === "accepted";
        expect(typeof ms).toBe(isAnswer ? "number" : "undefined");
        expect(typeof result).toBe(kind === "reply" ? "string" : "undefined");
        expect([payload, message]).toEqual([undefined, undefined]);
        expect(Math.abs(Date.now() - at)).toBeLessThan(60_000);
      }
    }
    expect(new Set(client1.flatMap(({ result }) => result ?? []))).toEqual(new Set(["OK", "SEEN_FULL"]));
  });

  it("count the bytes that were on the wire", async () => {
    const server = await seenServer();
    const inspection = inspected(server.server);
    const texts = ['h:::{"x":"é\u{1f98a}"}', 'r:Seen.echo:1:"é\u{1f98a}€"'];
    const peer = await RawPeer.open(server.url);
    peer.send(...texts);
    await peer.frames.take(2);
    expect(receivedBy(inspection.recent()).map(({ bytes }) => bytes)).toEqual(
      texts.map((text) => Buffer.byteLength(text)),
    );
  });
});

describe("a handshake", () => {
  it("is seen at both ends when it is refused", async () => {
    const server = await seenServer();
    const { client } = seenClient(server.base, {
      middlewares: [{ updateHandshake: ({ headers }) => void Object.assign(headers, { "x-who": "bad" }) }],
    });
    const [atServer, atClient] = [inspected(server.server), inspected(client)];
    await expect(client.connect()).rejects.toMatchObject({ type: "SERVER_ERROR" });
    await vi.waitFor(() => expect(atServer.recent()).toHaveLength(3));
    await vi.waitFor(() => expect(atClient.recent()).toHaveLength(3));
    expect(atServer.recent().map(shortOf)).toEqual(["← handshake", "→ refused SEEN_REFUSED", "→ close 4001"]);
    // Both ends close.
    expect(atClient.recent().map(shortOf)).toEqual(["→ handshake", "← refused SEEN_REFUSED", "→ close 1000"]);
  });

  it("is seen when nothing of it arrives but the end", async () => {
    const server = await seenServer();
    const inspection = inspected(server.server);
    const peer = await RawPeer.open(server.url);
    peer.ws.close(1000);
    await vi.waitFor(() => expect(inspection.recent().map(shortOf)).toEqual(["← close 1000"]));
  });

  it("that fails to reach a server ends with 1006", async () => {
    for (const config of [{}, { webSocket: Undici as never }]) {
      const { client } = seenClient("ws://127.0.0.1:1", config);
      const inspection = inspected(client);
      await expect(client.connect()).rejects.toThrow();
      await vi.waitFor(() => expect(inspection.recent()).toHaveLength(1));
      expect(inspection.recent().map(({ kind, code }) => [kind, code])).toEqual([["close", 1006]]);
      expect(inspection.connections).toMatchObject([{ closedAt: expect.any(Number) }]);
    }
  });
});

describe("the other kinds of frames", () => {
  it("are named, and what is none of them is unknown", async () => {
    const raw = await RawServer.start();
    const { client } = seenClient(raw.url, { reconnect: true, resume: resumeGroups() });
    const inspection = inspected(client, { payloads: true });
    const accepted = raw.connections.next();
    const connected = client.connect();
    const peer = await accepted;
    await peer.next();
    peer.send('k:::{"ws-capabilities":"batch=65536 alive=25000,10000 cancel drain resume=100"}');
    await connected;
    peer.send("p:::", "o:::", "c:Seen.ask:7:", "d:::600000", 'g::1:{"group":"room","epoch":"E","offset":1}');
    peer.send('m:Seen.news:1.2:"x"', "", "z:Seen.news:1:{}", "rr", "no frame at all", "h");
    expect(await peer.next()).toBe("o:::");
    const call = client.outgoing.echo("x");
    expect(await peer.next()).toContain("echo");
    peer.send('s:Seen.echo:1:{ "type": "OK", "success": true, "data": "x" }');
    expect(await call).toBe("x");
    const frames = inspection.recent();
    expect(sentBy(frames).map(shortOf)).toEqual(["→ handshake", "→ pong", "→ request Seen.echo 1"]);
    expect(receivedBy(frames).map(shortOf)).toEqual([
      "← accepted",
      "← ping",
      "← pong",
      "← cancel Seen.ask 7",
      "← drain",
      "← group 1",
      "← message Seen.news 1.2",
      ...Array(4).fill("← unknown"),
      "← handshake",
      "← reply Seen.echo 1 OK",
    ]);
    expect(inspection.recent().filter(({ kind }) => kind === "drain" || kind === "group")).toMatchObject([
      { payload: 600_000 },
      { payload: { group: "room", epoch: "E", offset: 1 } },
    ]);
  });

  it("show names of 200 characters at most, and no result that is not one", async () => {
    const server = await seenServer();
    const inspection = inspected(server.server);
    const peer = await RawPeer.connect(server.url);
    const long = "x".repeat(10_000);
    peer.send(
      `r:${long}:${long}:`,
      's:Seen.ask:1:{"type":"<b>"}',
      "s:Seen.ask:1:{",
      "s:Seen.ask:1:[]",
      `s:Seen.ask:1:{"type":"${long}"}`,
    );
    await peer.framesUntilAnswerTo('r:Seen.echo:9:"x"');
    const frames = receivedBy(inspection.recent());
    expect(frames[1]).toMatchObject({ path: "x".repeat(200), id: "x".repeat(200), bytes: 20_004 });
    expect(frames.filter(({ kind }) => kind === "reply").map(({ result }) => result)).toEqual(Array(4).fill(undefined));
  });

  it("are one frame where no batch was agreed on, whatever is in it", async () => {
    const server = await seenServer();
    const early = inspected(server.server);
    const peer = await RawPeer.connect(server.url);
    // Inspected while connected, too.
    const late = inspected(server.server);
    peer.send('m:Seen.note::"\nm:Seen.forged::"');
    await peer.framesUntilAnswerTo('r:Seen.echo:9:"x"');
    for (const inspection of [early, late]) {
      const paths = receivedBy(inspection.recent()).flatMap(({ path }) => path ?? []);
      expect(paths).toEqual(["Seen.note", "Seen.echo"]);
    }
  });
});

describe("drain", () => {
  it("is seen, and so are both connections", async () => {
    const drain = { spreadMs: 1, deadlineMs: 20_000 };
    const [first, second] = [await seenServer({ drain }), await seenServer()];
    const urls = [first.base, second.base];
    const { client } = seenClient("ws://127.0.0.1:1", {
      reconnect: true,
      beforeConnect: () => ({ url: urls.shift() }),
    });
    const [atClient, atServer] = [inspected(client), inspected(first.server)];
    await client.connect();
    await Promise.all([first.server.teardown(), second.outgoings.next()]);
    await vi.waitFor(() => expect(atServer.recent().at(-1)?.kind).toBe("close"));
    expect(atServer.recent().map(shortOf)).toEqual(["← handshake", "→ accepted", "→ drain", "← close 1000"]);
    await vi.waitFor(() => expect(atClient.recent().at(-1)?.kind).toBe("close"));
    const [former, latter] = atClient.connections.map(({ id }) => atClient.recent(id).map(shortOf));
    expect(former).toEqual(["→ handshake", "← accepted", "← drain", "→ close 1000"]);
    expect(latter).toEqual(["→ handshake", "← accepted"]);
  });
});

describe("groups", () => {
  it("show a message to each member, that of the server and that of each client, also between inspected and others", async () => {
    const group = new GGSocketGroup(SeenApi);
    const server = await seenServer();
    const members = [1, 2, 3].map(() => seenClient(server.base));
    for (const { client } of members) {
      await client.connect();
      await group.add(await server.outgoings.next());
    }
    const inspection = inspected(server.server);
    const first = inspected((members[0] as (typeof members)[0]).client);
    await group.news("to all");
    for (const { news } of members) expect(await news.next()).toBe("to all");
    expect(inspection.recent().map(shortOf)).toEqual(Array(3).fill("→ message Seen.news"));
    expect(new Set(inspection.recent().map(({ connection }) => connection)).size).toBe(3);
    expect(first.recent().map(shortOf)).toEqual(["← message Seen.news"]);
  });
});

describe("a transport that has to frame a shared message like any other", () => {
  it("shows it once", () => {
    const sent: string[] = [];
    const transport = {
      attach() {},
      send: (messages: readonly string[]) => void sent.push(...messages),
      sendShared: ({ text }: { text: string }) => transport.send([text]),
      close() {},
      terminate() {},
    };
    const seen: string[] = [];
    const remove = tapTransport(transport, { onText: (...frame) => seen.push(frame.join(" ")), onClosed() {} });
    transport.sendShared({ text: "a" });
    transport.send(["b"]);
    remove();
    transport.send(["c"]);
    expect(seen).toEqual(["sent a", "sent b"]);
    expect(sent).toEqual(["a", "b", "c"]);
  });
});

describe("raw sockets", () => {
  it("of a server and of the pool are inspected", async () => {
    const sockets = new Queue<GGSocket>();
    const { url } = await startHttp((http) => {
      new GGSocketServer(http, { path: "ws/raw", apiName: "Raw" }).onConnection((socket) => {
        socket.registerHandler({ path: "Raw.echo", handler: (data) => data });
        sockets.push(socket);
      });
    });
    const socket = await GGSocketPool.connect({ domain: url, path: "ws/raw" });
    onTestFinished(() => socket.terminate());
    const own = await sockets.next();
    const [atClient, atServer] = [inspected(socket), inspected(own)];
    expect(await socket.send("Raw.echo", { a: 1 }, true)).toMatchObject({ data: { a: 1 } });
    expect(atClient.recent().map(shortOf)).toEqual(["→ request Raw.echo 1", "← reply Raw.echo 1 OK"]);
    expect(atServer.recent().map(shortOf)).toEqual(["← request Raw.echo 1", "→ reply Raw.echo 1 OK"]);
    expect([atClient.recent()[0]?.side, atServer.recent()[0]?.side]).toEqual(["client", "server"]);
    own.close(1000, "enough");
    await vi.waitFor(() =>
      expect(atClient.recent().at(-1)).toMatchObject({
        kind: "close",
        direction: "received",
        code: 1000,
        reason: "enough",
      }),
    );
    await vi.waitFor(() =>
      expect(atServer.recent().at(-1)).toMatchObject({ kind: "close", direction: "sent", code: 1000 }),
    );
    expect(inspected(own).connections).toEqual([]);
  });
});

describe("peers of 0.0.39", () => {
  it("are seen from a server, and get the same bytes as without", async () => {
    const server = await seenServer();
    const run = async () => {
      const peer = await LegacyPeer.connect(server.url, { token: "t" }, { "Seen.ask": () => "old" });
      expect(await peer.request("Seen.echo", "x")).toMatchObject({ data: "x" });
      const outgoing = await server.outgoings.next();
      expect(await outgoing.ask()).toBe("old");
      peer.send("Seen.note", { text: "n" });
      await server.notes.next();
      return peer.texts;
    };
    const without = await run();
    const inspection = inspected(server.server);
    expect(await run()).toEqual(without);
    expect(inspection.recent().map(shortOf)).toEqual([
      "← handshake",
      "→ accepted",
      "← request Seen.echo 1",
      "→ reply Seen.echo 1 OK",
      "→ request Seen.ask 1",
      "← reply Seen.ask 1 OK",
      "← message Seen.note",
    ]);
  });

  it("are seen from a client", async () => {
    const { url } = await legacyServer({ "Seen.echo": (data) => data });
    const { client } = seenClient(url);
    const inspection = inspected(client);
    await client.connect();
    expect(await client.outgoing.echo("x")).toBe("x");
    expect(inspection.recent().map(shortOf)).toEqual([
      "→ handshake",
      "← accepted",
      "→ request Seen.echo 1",
      "← reply Seen.echo 1 OK",
    ]);
  });
});
