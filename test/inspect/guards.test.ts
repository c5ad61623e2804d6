import { GGSocketPool, webSocketSchema } from "@grest-ts/websocket";
import { type GGInspectedFrame, type GGInspectOptions, inspect } from "@grest-ts/websocket/inspect";
import { WebSocket as Undici } from "undici";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { SeenApi, seenClient, seenContract, seenServer, shortOf, wireOf } from "../support/inspected.js";
import { RawPeer } from "../support/rawPeer.js";
import { recordingLogger } from "../support/server.js";

/** Freezes all that can be reached, as libraries for state do. */
function freezeDeep(value: unknown): void {
  if ((typeof value !== "object" && typeof value !== "function") || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const { value: member } of Object.values(Object.getOwnPropertyDescriptors(value))) freezeDeep(member);
}

/** Rejections that nothing handles, until the end of the test. */
function unhandledRejections(): unknown[] {
  const all: unknown[] = [];
  const add = (reason: unknown) => all.push(reason);
  process.on("unhandledRejection", add);
  onTestFinished(() => void process.off("unhandledRejection", add));
  return all;
}

/** Rejections are reported after the jobs of the turn. */
const nextTurn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe("a client that is frozen", () => {
  type Client = ReturnType<typeof seenClient>["client"];
  const FREEZES: Readonly<Record<string, (client: Client) => unknown>> = {
    "with its incoming": (client) => [client, client.incoming].map(Object.freeze),
    deeply: freezeDeep,
    sealed: (client) => [client, client.incoming].map(Object.seal),
    "not to be extended": (client) => [client, client.incoming].map(Object.preventExtensions),
  };
  const WHEN = ["before it connects", "while it is connected", "while it is inspected"] as const;

  describe.each(Object.entries(FREEZES))("%s", (_name, freeze) => {
    it.each(WHEN)("%s: it connects, reconnects, and is inspected", async (when) => {
      for (const webSocket of [undefined, Undici as never]) {
        const server = await seenServer();
        const { client } = seenClient(server.base, { webSocket });
        if (when === "while it is connected") await client.connect();
        const early = when === "while it is inspected" ? inspect(client) : undefined;
        freeze(client);
        await client.connect();
        const inspection = inspect(client);
        expect(await client.outgoing.echo("a")).toBe("a");
        await client.disconnect();
        await client.connect();
        expect(await client.outgoing.echo("b")).toBe("b");
        const shown = inspection.recent().filter(({ kind }) => kind !== "close");
        expect(shown.map(({ kind }) => kind)).toEqual([
          ...["request", "reply"],
          ...["handshake", "accepted", "request", "reply"],
        ]);
        early?.stop();
        inspection.stop();
        expect(await client.outgoing.echo("c")).toBe("c");
        expect(inspection.recent().filter(({ kind }) => kind !== "close")).toEqual(shown);
        await client.disconnect();
      }
    });
  });
});

describe("another copy of the package in the program", () => {
  const otherCopy = async () => {
    vi.resetModules();
    const { inspect: other } = await import("@grest-ts/websocket/inspect");
    expect(other).not.toBe(inspect);
    return other;
  };

  it.each(["server", "client", "native client", "socket"] as const)("inspects the same %s", async (what) => {
    const other = await otherCopy();
    for (const [first, second] of [
      [inspect, other],
      [other, inspect],
    ] as const) {
      for (const isFirstStopped of [true, false]) {
        const server = await seenServer();
        const { client } = seenClient(server.base, {
          webSocket: what === "native client" ? (Undici as never) : undefined,
        });
        await client.connect();
        const socket = await GGSocketPool.connect({ domain: server.base, path: "ws/seen" });
        onTestFinished(() => socket.terminate());
        const target = { server: server.server, client, "native client": client, socket }[what];
        const echo = (text: string) =>
          what === "socket" ? socket.send("Seen.echo", text, true) : client.outgoing.echo(text);
        const inspections = [first(target), second(target)] as const;
        const [one, two] = isFirstStopped ? inspections : [inspections[1], inspections[0]];
        await echo("a");
        expect(one.recent().map(shortOf)).toHaveLength(2);
        expect(two.recent().map(wireOf)).toEqual(one.recent().map(wireOf));
        one.stop();
        await echo("b");
        expect(one.recent()).toHaveLength(2);
        expect(two.recent()).toHaveLength(4);
        if (what.includes("client")) {
          await client.disconnect();
          await client.connect();
          await vi.waitFor(() => expect(two.recent().map(({ kind }) => kind)).toContain("accepted"));
        }
        const kept = two.recent();
        two.stop();
        one.stop();
        await echo("c");
        expect(two.recent()).toEqual(kept);
        const again = first(target);
        await echo("d");
        expect(again.recent()).toHaveLength(2);
        again.stop();
      }
    }
  });

  it("is another program's wrapper, which stays when the inspection ends", async () => {
    for (const webSocket of [undefined, Undici as never]) {
      const server = await seenServer();
      const { client } = seenClient(server.base, { webSocket });
      await client.connect();
      const inspection = inspect(client);
      const { transport } = Object.getPrototypeOf(client.incoming) as { transport: { socket?: WebSocket } };
      const wrapped = (transport.socket ?? transport) as { send(...what: unknown[]): void };
      const { send } = wrapped;
      const sent: unknown[] = [];
      wrapped.send = (...what) => {
        sent.push(...what);
        send.apply(wrapped, what);
      };
      await client.outgoing.echo("a");
      inspection.stop();
      await client.outgoing.echo("b");
      expect(sent).toHaveLength(2);
      expect(inspection.recent()).toHaveLength(2);
      const again = inspect(client);
      await client.outgoing.echo("c");
      expect(again.recent().map(shortOf)).toHaveLength(2);
      again.stop();
    }
  });
});

describe("what fails in an inspection", () => {
  it("changes nothing in what is inspected: the payload is not shown, and the log says why once", async () => {
    const server = await seenServer();
    const broken = {
      get properties(): never {
        throw new Error("broken");
      },
    };
    const input = { infer: undefined as unknown, safeParse: vi.fn(), toJSONSchema: () => broken };
    const methods = { ...seenContract.methods, clientToServer: { note: { input }, echo: { input } } };
    const schemas = webSocketSchema({ name: "Seen", methods } as never)
      .path("x")
      .done();
    const frames: GGInspectedFrame[] = [];
    const inspection = inspect(server.server, (frame) => frames.push(frame), { payloads: true, schemas });
    const peer = await RawPeer.connect(server.url);
    peer.send('m:Seen.note::{"text":"s3cret"}', 'm:Seen.note::{"text":"s3cret"}');
    expect(await peer.framesUntilAnswerTo('r:Seen.echo:1:"x"')).toEqual([]);
    expect(frames.filter(({ kind }) => kind === "message").map(({ payload }) => payload)).toEqual([
      "[redacted]",
      "[redacted]",
    ]);
    expect(inspection.recent()).toEqual(frames);
    expect(server.logger.entries.map(({ message }) => message)).toEqual([
      "Seen: the redaction of an inspection failed",
    ]);
    inspection.stop();
  });

  it("leaves no rejection: of the log, of a filter that is asynchronous, of a sink", async () => {
    const rejections = unhandledRejections();
    const server = await seenServer();
    const { client } = seenClient(server.base);
    const rejects = async () => {
      throw new Error("rejects");
    };
    const logger = recordingLogger();
    const filters = [rejects, async () => true, async () => false].map((filter) =>
      inspect(client, { filter: filter as never, logger }),
    );
    const others = [
      inspect(client, rejects, { logger: { error: rejects as never } }),
      inspect(client, { filter: rejects as never, logger: { error: rejects as never } }),
    ];
    await client.connect();
    await client.outgoing.echo("x");
    await nextTurn();
    expect(rejections).toEqual([]);
    for (const inspection of filters) expect(inspection.recent()).toEqual([]);
    expect(logger.entries.map(({ message, fields }) => [message, String(fields.error)])).toEqual(
      filters.map(() => [
        "the filter of an inspection failed",
        "TypeError: a filter must return true or false, not a promise",
      ]),
    );
    for (const { stop } of [...filters, ...others]) stop();
  });

  it("is logged of each part: a filter that fails does not hide a sink that does", async () => {
    const server = await seenServer();
    let isFiltering = true;
    const fail = () => {
      throw new Error("fails");
    };
    const inspection = inspect(server.server, fail, { filter: () => isFiltering || fail() });
    const peer = await RawPeer.connect(server.url);
    isFiltering = false;
    await peer.framesUntilAnswerTo('r:Seen.echo:1:"x"');
    expect(server.logger.entries.map(({ message }) => message)).toEqual([
      "Seen: the sink of an inspection failed",
      "Seen: the filter of an inspection failed",
    ]);
    inspection.stop();
  });

  it("is a sink that changes frames, which others get as they were", async () => {
    const server = await seenServer();
    const change = (frame: GGInspectedFrame) => {
      for (const part of [frame, frame.batch, frame.payload, Object(frame.payload).others])
        if (part) expect(Object.isFrozen(part)).toBe(true);
      Object.assign(frame, { connection: "other", kind: "unknown" });
    };
    const inspection = inspect(server.server, change, { payloads: true, logger: server.logger });
    const peer = await RawPeer.connect(server.url);
    await peer.framesUntilAnswerTo('r:Seen.logIn:1:{"name":"Ann","pin":"1"}');
    const [{ id } = { id: "" }] = inspection.connections;
    expect(inspection.recent(id).map(({ kind }) => kind)).toEqual(["handshake", "accepted", "request", "reply"]);
    expect(server.logger.entries.map(({ fields }) => String(fields.error))).toEqual([
      expect.stringContaining("TypeError: Cannot assign to read only property"),
    ]);
    inspection.stop();
  });
});

describe("what is sent while a connection closes", () => {
  it("is not shown, since it is not sent: replies and messages of a server", async () => {
    const server = await seenServer();
    const inspection = inspect(server.server);
    const peer = await RawPeer.connect(server.url);
    const outgoing = await server.outgoings.next();
    peer.send("r:Seen.wait:1:");
    const gate = await server.waiting.next();
    server.server.closeConnections(() => true);
    gate.open("late");
    await Promise.resolve(outgoing.news("late")).catch(() => {});
    await peer.closed;
    await vi.waitFor(() => expect(inspection.connections[0]?.closedAt).toBeDefined());
    expect(inspection.recent().map(shortOf)).toEqual([
      "← handshake",
      "→ accepted",
      "← request Seen.wait 1",
      expect.stringMatching(/^→ close 1\d\d\d$/),
    ]);
    inspection.stop();
  });

  it("is not shown when the peer closes, with its request in the same packet", async () => {
    const server = await seenServer();
    const inspection = inspect(server.server);
    const peer = await RawPeer.connect(server.url);
    const { _socket: tcp } = peer.ws as unknown as { _socket: { cork(): void; uncork(): void } };
    let replies = 0;
    peer.ws.on("message", () => replies++);
    tcp.cork();
    peer.send('r:Seen.echo:1:"x"');
    peer.ws.close(1000);
    tcp.uncork();
    await peer.closed;
    await vi.waitFor(() => expect(inspection.connections[0]?.closedAt).toBeDefined());
    const shown = inspection.recent().filter(({ kind, direction }) => kind === "reply" && direction === "sent");
    expect(shown).toHaveLength(replies);
    inspection.stop();
  });
});

describe("options", () => {
  const client = SeenApi.createClient({ url: "ws://127.0.0.1:1" });

  const BAD: readonly (readonly [options: unknown, sentence: string])[] = [
    ...[-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, "5", null].flatMap((count) =>
      ["keep", "keepClosed"].map(
        (name) => [{ [name]: count }, `${name} must be a whole number of 0 or more, not ${count}`] as const,
      ),
    ),
    ...[-1, Number.NaN, "5", null].map(
      (length) => [{ maxPayload: length }, `maxPayload must be a number of 0 or more, not ${length}`] as const,
    ),
    ...["yes", 1, null].map((one) => [{ payloads: one }, `payloads must be true or false, not ${one}`] as const),
    ...["redact", "headers"].flatMap((name) => [
      [{ [name]: "a" }, `${name} must be a list of texts, not a`] as const,
      [{ [name]: [1] }, `${name} must be a list of texts, not an object`] as const,
    ]),
    ...["pin", true].map(
      (one) => [{ redactNames: one }, `redactNames must be a regular expression or false, not ${one}`] as const,
    ),
    ...[5, {}, [{}], [SeenApi, undefined]].map(
      (one) => [{ schemas: one }, "schemas must be a schema or a list of schemas, not "] as const,
    ),
    [{ filter: /x/ }, "filter must be a function, not an object"],
    [{ logger: {} }, "logger must be an object with error(), not an object"],
    [{ paylods: true }, 'inspect() has no option "paylods"; did you mean "payloads"?'],
    [{ redcat: ["a"] }, 'inspect() has no option "redcat"; did you mean "redact"?'],
    [{ schema: SeenApi }, 'inspect() has no option "schema"; did you mean "schemas"?'],
    ...[null, 5, "x", true].map((one) => [one, `the options of inspect() must be an object, not ${one}`] as const),
    [[], "the options of inspect() must be an object, not "],
  ];

  it.each(BAD)("throw a sentence: %#", (options, sentence) => {
    const fails = expect.objectContaining({ message: expect.stringContaining(`inspect: ${sentence}`) });
    expect(() => inspect(client, options as GGInspectOptions)).toThrow(fails);
    expect(() => inspect(client, () => {}, options as GGInspectOptions)).toThrow(fails);
  });

  const GOOD: readonly GGInspectOptions[] = [
    {
      keep: 0,
      keepClosed: 0,
      maxPayload: 0,
      payloads: false,
      redact: [],
      headers: [],
      redactNames: false,
      schemas: [],
    },
    { maxPayload: Number.POSITIVE_INFINITY, schemas: SeenApi, redactNames: /a/, filter: () => true, logger: console },
    { schemas: [SeenApi, seenContract], keep: undefined, filter: undefined, logger: recordingLogger() },
  ];
  it.each(GOOD)("are taken: %#", (options) => {
    inspect(client, options).stop();
    inspect(client, () => {}, options).stop();
  });

  it("that there are not warn, and those after no sink are read, too", async () => {
    const server = await seenServer();
    inspect(server.server, { colour: "red" } as never).stop();
    expect(server.logger.entries).toMatchObject([
      { level: "warn", message: 'inspect: inspect() has no option "colour"; ignored' },
    ]);
    expect(() => inspect(server.server, undefined as never, { keep: -1 })).toThrow("keep must be");
  });

  it("without closed connections keep none", async () => {
    const server = await seenServer();
    const inspection = inspect(server.server, { keepClosed: 0 });
    const peer = await RawPeer.connect(server.url);
    await peer.close();
    await vi.waitFor(() => expect(inspection.connections).toEqual([]));
    inspection.stop();
  });
});
