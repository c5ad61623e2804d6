import { inspect as nodeInspect } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { GGSocketPool } from "@grest-ts/websocket";
import { consoleSink, type GGInspectedFrame, inspect, isFailure, jsonLines } from "@grest-ts/websocket/inspect";
import { reactive } from "@vue/reactivity";
import { WebSocket as Undici } from "undici";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WsTransport } from "../../src/transport/node/ws.js";
import { seenClient, seenServer, shortOf } from "../support/inspected.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { recordingLogger } from "../support/server.js";

/** All that an object is made of, itself and its prototypes. */
function shapeOf(object: object) {
  const levels: unknown[] = [];
  for (let level = object; level && level !== Object.prototype; level = Object.getPrototypeOf(level))
    levels.push(Object.getOwnPropertyDescriptors(level));
  return levels;
}

const transportOf = (client: { readonly incoming: object }) =>
  (client.incoming as { transport: WsTransport }).transport;

describe("a client", () => {
  const kinds = (frames: readonly GGInspectedFrame[]) => frames.map(({ kind }) => kind);

  it("is inspected before it connects, while it does, while it is connected, and across reconnects", async () => {
    for (const webSocket of [undefined, Undici as never]) {
      const server = await seenServer();
      const { client } = seenClient(server.base, { webSocket, reconnect: { initialDelayMs: 1, maxDelayMs: 1 } });
      const before = inspect(client);
      const connecting = client.connect();
      while (!transportOf(client)) await new Promise((resolve) => setImmediate(resolve));
      const meanwhile = inspect(client);
      await connecting;
      const connected = inspect(client);
      await client.outgoing.echo("a");
      await client.forceReconnect();
      await client.outgoing.echo("b");
      for (const inspection of [before, meanwhile]) expect(inspection.connections).toHaveLength(2);
      expect(kinds(before.recent())).toEqual(kinds(meanwhile.recent()));
      const whole = ["handshake", "accepted", "request", "reply"];
      expect(kinds(before.recent()).filter((kind) => kind !== "close")).toEqual([...whole, ...whole]);
      expect(kinds(connected.recent()).filter((kind) => kind !== "close")).toEqual([...whole.slice(2), ...whole]);
      for (const inspection of [before, meanwhile, connected]) inspection.stop();
    }
  });

  it("is found behind what chains it, wraps it, or inherits from it", async () => {
    const server = await seenServer();
    const { client } = seenClient(server.base);
    const chained = client.onError(() => {});
    const all = [
      chained,
      reactive(client),
      new Proxy(client, {}),
      Object.create(client),
      { ...client },
    ] as (typeof client)[];
    const early = all.map((one) => inspect(one));
    await client.connect();
    const late = all.map((one) => inspect(one));
    await client.outgoing.echo("x");
    for (const inspection of early)
      expect(kinds(inspection.recent())).toEqual(["handshake", "accepted", "request", "reply"]);
    for (const inspection of late) expect(kinds(inspection.recent())).toEqual(["request", "reply"]);
    // In another order than they began.
    const before = transportOf(client);
    for (const inspection of [...late.reverse(), ...early]) inspection.stop();
    expect(Object.getOwnPropertyDescriptor(Object.getPrototypeOf(client.incoming), "transport")).toEqual({
      value: before,
      writable: true,
      configurable: true,
      enumerable: true,
    });
    expect(Object.keys(before)).not.toContain("send");
  });

  it("shows nothing in a console of what inspections look for", async () => {
    const server = await seenServer();
    const { client } = seenClient(server.base);
    await client.connect();
    expect(Reflect.ownKeys(client.incoming)).toEqual(["on"]);
    expect(nodeInspect(client.incoming)).toBe(nodeInspect({ on: client.incoming.on }));
  });

  it("that has closed has no connection to show", async () => {
    const server = await seenServer();
    for (const webSocket of [undefined, Undici as never]) {
      const { client } = seenClient(server.base, { webSocket });
      await client.connect();
      await client.disconnect();
      const inspection = inspect(client);
      expect(inspection.connections).toEqual([]);
      inspection.stop();
    }
  });
});

describe("a server", () => {
  it("is inspected with the connections that are open, or in their handshake", async () => {
    const server = await seenServer();
    const open = await RawPeer.connect(server.url);
    const pending = await RawPeer.open(server.url);
    await pending.roundTrip();
    const inspection = inspect(server.server);
    pending.send("h:::{}");
    await pending.next();
    await open.framesUntilAnswerTo('r:Seen.echo:1:"x"');
    await RawPeer.connect(server.url);
    expect(inspection.connections).toHaveLength(3);
    expect(inspection.recent().map(shortOf)).toEqual([
      "← handshake",
      "→ accepted",
      "← request Seen.echo 1",
      "→ reply Seen.echo 1 OK",
      "← handshake",
      "→ accepted",
    ]);
    const ids = inspection.connections.map(({ id }) => id);
    server.server.closeConnections(() => true);
    await vi.waitFor(() => expect(inspection.connections.every(({ closedAt }) => closedAt)).toBe(true));
    // As the server's log calls them.
    const logged = server.logger.debugEntries.map(({ fields }) => fields.connection);
    for (const id of ids) expect(logged).toContain(id);
    inspection.stop();
  });
});

describe("stop()", () => {
  it("leaves all objects as they were, whoever else inspects", async () => {
    const server = await seenServer();
    const { client } = seenClient(server.base);
    const { client: native } = seenClient(server.base, { webSocket: Undici as never });
    await Promise.all([client.connect(), native.connect()]);
    const socket = await GGSocketPool.connect({ domain: server.base, path: "ws/seen" });
    onTestFinished(() => socket.terminate());
    const nativeSocket = (transportOf(native) as unknown as { socket: object }).socket;
    const listener = transportOf(client).listener;
    const objects = () => [
      client,
      client.incoming,
      transportOf(client),
      native.incoming,
      transportOf(native),
      nativeSocket,
      socket,
      server.server,
    ];
    const before = objects().map(shapeOf);
    const inspections = [client, native, socket, server.server, client, server.server].map((target) => inspect(target));
    expect(objects().map(shapeOf)).not.toEqual(before);
    await Promise.all([client.outgoing.echo("x"), native.outgoing.echo("x"), socket.send("Seen.echo", "x", true)]);
    for (const { stop } of inspections) stop();
    const kept = inspections.map((inspection) => inspection.recent());
    expect(objects().map(shapeOf)).toEqual(before);
    expect(transportOf(client).listener).toBe(listener);
    await Promise.all([client.outgoing.echo("x"), native.outgoing.echo("x"), socket.send("Seen.echo", "x", true)]);
    expect(inspections.map((inspection) => inspection.recent())).toEqual(kept);
    expect(kept.every((frames) => frames.length > 0)).toBe(true);
    for (const { stop } of inspections) stop();
  });

  it("may be called by the sink, in the middle of what is sent", async () => {
    const server = await seenServer();
    const seen: string[] = [];
    const inspection = inspect(server.server, (frame) => {
      seen.push(shortOf(frame));
      if (frame.kind === "request") inspection.stop();
    });
    const peer = await RawPeer.connect(server.url);
    expect(await peer.framesUntilAnswerTo('r:Seen.echo:1:"x"')).toEqual([]);
    expect(await peer.framesUntilAnswerTo('r:Seen.echo:2:"x"')).toEqual([]);
    expect(seen).toEqual(["← handshake", "→ accepted", "← request Seen.echo 1"]);
  });
});

describe("what is kept", () => {
  it("is the latest frames of each connection, with or without a sink", async () => {
    for (const args of [[{ keep: 5 }], [() => {}, { keep: 5 }]] as [object, object?][]) {
      const server = await seenServer();
      const inspection = inspect(server.server, ...(args as [never, never]));
      const peers = [await RawPeer.connect(server.url), await RawPeer.connect(server.url)];
      for (const peer of peers) for (let i = 1; i <= 20; i++) await peer.framesUntilAnswerTo(`r:Seen.echo:${i}:"x"`);
      const { connections } = inspection;
      expect(connections.map(({ frames }) => frames)).toEqual([42, 42]);
      for (const { id } of connections) {
        expect(inspection.recent(id).map(({ id: ofFrame }) => ofFrame)).toEqual(["18", "19", "19", "20", "20"]);
      }
      expect(inspection.recent()).toEqual(connections.flatMap(({ id }) => inspection.recent(id)));
      expect(inspection.recent("none")).toEqual([]);
      inspection.stop();
    }
  });

  it("is nothing with keep: 0", async () => {
    const server = await seenServer();
    const frames = new Queue<GGInspectedFrame>();
    const inspection = inspect(server.server, (frame) => frames.push(frame), { keep: 0 });
    await RawPeer.connect(server.url);
    await frames.take(2);
    expect(inspection.recent()).toEqual([]);
    inspection.stop();
  });

  it("stays after a connection has closed, of the latest ones", async () => {
    const server = await seenServer();
    const inspection = inspect(server.server, { keepClosed: 2 });
    for (let i = 1; i <= 4; i++) {
      const peer = await RawPeer.connect(server.url);
      await peer.framesUntilAnswerTo(`r:Seen.echo:${i}:"x"`);
      await peer.close();
      await vi.waitFor(() => expect(server.server.connectionCount).toBe(0));
    }
    expect(inspection.connections).toHaveLength(2);
    expect(
      inspection
        .recent()
        .filter(({ kind }) => kind === "request")
        .map(({ id }) => id),
    ).toEqual(["3", "4"]);
    expect(inspection.recent().filter(({ kind }) => kind === "close")).toHaveLength(2);
    inspection.stop();
  });

  it("holds no text of messages without payloads", async () => {
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as () => void;
    const server = await seenServer();
    const inspection = inspect(server.server);
    const peer = await RawPeer.connect(server.url);
    const text = "y".repeat(1_000_000);
    const id = (of: number) => `${of}`.padEnd(150, "x");
    const roundTrip = async (of: number) => {
      // A long path, a long id, and the result of a refused call, which are all cut out of what was sent.
      peer.send(`m:Seen.${id(of)}::{"text":"${text}"}`, `r:Seen.note:${id(of)}:[${of},"${text}"]`);
      await peer.framesUntilAnswerTo(`r:Seen.echo:${of}:"x"`);
    };
    await roundTrip(0);
    gc();
    const { heapUsed: before } = process.memoryUsage();
    for (let i = 1; i <= 30; i++) await roundTrip(i);
    gc();
    expect((process.memoryUsage().heapUsed - before) / 1e6).toBeLessThan(15);
    expect(inspection.recent().filter(({ path = "" }) => path.length > 150)).toHaveLength(31);
    inspection.stop();
  });
});

describe("a sink", () => {
  it("that throws or rejects stops nothing, and its first failure is logged", async () => {
    for (const sink of [
      () => {
        throw new Error("sink");
      },
      async () => {
        throw new Error("sink");
      },
      // biome-ignore lint/suspicious/noThenProperty: a promise of another library
      () => ({ then: (_: never, reject: (e: Error) => void) => reject(new Error("sink")) }),
    ]) {
      const server = await seenServer();
      const inspection = inspect(server.server, sink as () => unknown);
      const peer = await RawPeer.connect(server.url);
      await peer.framesUntilAnswerTo('r:Seen.echo:1:"x"');
      expect(inspection.recent()).toHaveLength(4);
      expect(await server.logger.next()).toEqual({
        level: "error",
        message: "Seen: the sink of an inspection failed",
        fields: { error: new Error("sink") },
      });
      await peer.framesUntilAnswerTo('r:Seen.echo:2:"x"');
      expect(server.logger.entries).toHaveLength(1);
      inspection.stop();
    }
  });

  it("fails into the given log, or the console", async () => {
    const server = await seenServer();
    const { client } = seenClient(server.base);
    const logger = recordingLogger();
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => error.mockRestore());
    const fail = () => {
      throw new Error("sink");
    };
    const broken = { error: fail };
    const inspections = [
      inspect(client, fail, { logger }),
      inspect(client, fail),
      inspect(client, fail, { logger: broken }),
    ];
    await client.connect();
    expect(await client.outgoing.echo("x")).toBe("x");
    expect(logger.entries).toMatchObject([{ message: "the sink of an inspection failed" }]);
    expect(error).toHaveBeenCalledTimes(1);
    for (const { stop } of inspections) stop();
  });

  it("gets frames before they are handled, those of a filter only", async () => {
    const server = await seenServer();
    const frames: GGInspectedFrame[] = [];
    const inspection = inspect(server.server, (frame) => frames.push(frame), {
      filter: ({ path = "" }) => path === "Seen.wait",
    });
    const failing = inspect(server.server, {
      logger: server.logger,
      filter: () => {
        throw new Error("filter");
      },
    });
    const peer = await RawPeer.connect(server.url);
    peer.send('r:Seen.echo:1:"x"', "r:Seen.wait:2:");
    const gate = await server.waiting.next();
    expect(frames.map(shortOf)).toEqual(["← request Seen.wait 2"]);
    gate.open("x");
    await peer.framesUntilAnswerTo("r:Seen.wait:2:").catch(() => {});
    expect(frames.map(shortOf).slice(0, 2)).toEqual(["← request Seen.wait 2", "→ reply Seen.wait 2 OK"]);
    expect(inspection.recent()).toEqual(frames);
    expect(failing.recent()).toEqual([]);
    expect(server.logger.entries.map(({ message }) => message)).toContain("Seen: the filter of an inspection failed");
    inspection.stop();
    failing.stop();
  });

  it("writes one entry for each frame, whatever a peer sends", async () => {
    const server = await seenServer();
    const [texts, lines]: [string[], string[]] = [[], []];
    const both = [consoleSink((text) => texts.push(text)), jsonLines((line) => lines.push(line))];
    const inspections = both.map((sink) => inspect(server.server, sink, { payloads: true }));
    const peer = await RawPeer.connect(server.url);
    peer.send("m:Seen.\u001b[31mred\nforged\u2028\u202e:\u0007:{}", 'm:Seen.note::{"text":"a\\nb\u007f"}');
    await peer.framesUntilAnswerTo('r:Seen.echo:1:"full"');
    await peer.framesUntilAnswerTo('r:Seen.echo:1:"é"');
    peer.ws.close(3999, "a\nb");
    await vi.waitFor(() => expect(texts.at(-1)).toContain("close"));
    for (const text of texts)
      expect(text).toMatch(/^\d\d:\d\d:\d\d\.\d{3}Z? server [\w-]+ [←→] [^\p{Cc}\u2028\u202e]*$/u);
    expect(texts.map((text) => text.replace(/^\S+ server \S+ /, ""))).toEqual([
      "← handshake 6 B {}",
      expect.stringMatching(/^→ accepted 8 B [\d.]+ ms null$/),
      String.raw`← message Seen.\u001b[31mred\u000aforged\u2028\u202e \u0007 33 B {}`,
      String.raw`← message Seen.note 29 B {"text":"a\nb\u007f"}`,
      '← request Seen.echo 1 20 B "full"',
      expect.stringMatching(
        /^→ reply Seen.echo 1 SEEN_FULL \d+ B [\d.]+ ms "It is full" \{"holder":"\[redacted\]","limit":3\}$/,
      ),
      '← request Seen.echo 1 18 B "é"',
      expect.stringMatching(/^→ reply Seen.echo 1 OK \d+ B [\d.]+ ms "é"$/),
      String.raw`← close 3999 "a\nb"`,
    ]);
    expect(lines.every((line) => line.indexOf("\n") === line.length - 1)).toBe(true);
    for (const { stop } of inspections) stop();
  });

  it("can be given failures only", () => {
    const frame = { at: 0, side: "client", connection: "c", direction: "sent", bytes: 0 } as const;
    const failures = [
      { kind: "refused", result: "NOT_AUTHORIZED" },
      { kind: "reply", result: "SERVER_ERROR" },
      { kind: "reply" },
      { kind: "close", code: 1006 },
      { kind: "close", code: 4001 },
    ] as const;
    const others = [
      { kind: "reply", result: "OK" },
      { kind: "close", code: 1000 },
      { kind: "close", code: 1001 },
      { kind: "close", code: 1005 },
      { kind: "request" },
      { kind: "accepted" },
    ] as const;
    expect(failures.map((one) => isFailure({ ...frame, ...one }))).toEqual(failures.map(() => true));
    expect(others.map((one) => isFailure({ ...frame, ...one }))).toEqual(others.map(() => false));
  });
});

describe("inspect()", () => {
  it.each([undefined, null, 1, {}, () => {}, { incoming: {} }, new Date()])("throws a sentence for %s", (target) => {
    expect(() => inspect(target as never)).toThrow(
      /^inspect: give it a client, what startServer\(\) returned, or a GGSocket/,
    );
  });

  it("costs nothing when it is not used: no member of a transport is its own", async () => {
    const server = await seenServer();
    const { client } = seenClient(server.base);
    await client.connect();
    for (const name of ["send", "sendShared", "attach", "close", "terminate"])
      expect(Object.hasOwn(transportOf(client), name)).toBe(false);
    expect(transportOf(client)).toBeInstanceOf(WsTransport);
  });
});
