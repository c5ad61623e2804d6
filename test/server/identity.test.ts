import { GGContextKey } from "@grest-ts/context";
import { GG_METRICS, GGMetricsStore, GGPrometheusMetricsExporter } from "@grest-ts/metrics";
import { IsObject, IsString, NOT_AUTHORIZED } from "@grest-ts/schema";
import {
  defineSocketContract,
  GG_WS_CONNECTION,
  type GGHandshakeRequest,
  type GGWebSocketHandshakeContext,
  type WebSocketSchemaConfig,
  webSocketSchema,
} from "@grest-ts/websocket";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { Gate } from "../support/gate.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";

const USER = new GGContextKey("identity-user", IsString);
const contract = defineSocketContract("Who", {
  clientToServer: {
    echo: { input: IsString, success: IsString },
    fail: { input: IsObject({ token: IsString }), success: IsString },
    note: { input: IsString },
  },
  serverToClient: { said: { input: IsString } },
});
const Api = webSocketSchema(contract).path("ws/who").done();
const quiet = {
  echo: (text: string) => text,
  fail: (): string => {
    throw new Error("a defect");
  },
  note() {},
};

/** Opens a connection with HTTP headers. */
async function openWith(url: string, headers: Record<string, string>): Promise<RawPeer> {
  const ws = new WebSocket(url, { headers, perMessageDeflate: false });
  const peer = new RawPeer(ws);
  await new Promise((resolve) => ws.on("open", resolve));
  return peer;
}

describe("a middleware sees the upgrade request", () => {
  async function start(config: WebSocketSchemaConfig = {}) {
    const seen = new Queue<GGWebSocketHandshakeContext>();
    const served = await serveApi(Api, (incoming) => incoming.on(quiet), {
      middlewares: [{ parseHandshake: (context) => seen.push(context) }],
      ...config,
    });
    return { ...served, seen };
  }

  it("with url, headers, cookies and address", async () => {
    const { url, seen } = await start({ addressOf: ({ headers }) => String(headers["x-forwarded-for"]) });
    const cookie = 'session=a%20b; theme="dark"; session=other; =nameless; flag; __proto__=polluted; x=1=2 ;';
    const peer = await openWith(`${url}?room=a&room=b`, { cookie, "x-forwarded-for": "192.0.2.7", "X-Other": "yes" });
    peer.send('h:::{"token":"t"}');
    const { headers, queryArgs, request } = await seen.next();
    expect({ headers, queryArgs }).toEqual({ headers: { token: "t" }, queryArgs: { room: ["a", "b"] } });
    expect(request?.url).toBe("/ws/who?room=a&room=b");
    expect(request?.headers["x-other"]).toBe("yes");
    expect(request?.address).toBe("192.0.2.7");
    expect(Object.entries(request?.cookies ?? {})).toEqual([
      ["session", "a%20b"],
      ["theme", "dark"],
      ["__proto__", "polluted"],
      ["x", "1=2"],
    ]);
    expect({}).not.toHaveProperty("polluted");
  });

  it("and cannot change it", async () => {
    const { url, seen } = await start();
    (await openWith(url, { cookie: "a=1" })).send("h:::{}");
    const request = (await seen.next()).request as unknown as { -readonly [Key in keyof GGHandshakeRequest]: unknown };
    for (const member of ["url", "headers", "cookies", "address"] as const) {
      expect(() => {
        request[member] = "forged";
      }).toThrow(TypeError);
    }
    expect(() => Object.assign(request.headers as object, { cookie: "a=2" })).toThrow(TypeError);
    expect(() => Object.assign(request.cookies as object, { a: "2" })).toThrow(TypeError);
  });

  it.each([[undefined], [""], [";;;"], ["=;= ;"]])("that has no cookies (%s)", async (cookie) => {
    const { url, seen } = await start();
    (await openWith(url, cookie === undefined ? {} : { cookie })).send("h:::{}");
    expect((await seen.next()).request?.cookies).toEqual({});
  });

  it("whose address is the TCP peer's where addressOf finds none, fails or returns no text", async () => {
    const finds: (() => unknown)[] = [
      () => undefined,
      () => 7,
      () => null,
      () => ({}),
      async () => "later",
      () => Promise.reject(new Error("no")),
      () => {
        throw new Error("no");
      },
    ];
    for (const addressOf of finds) {
      const { url, seen, logger } = await start({ addressOf: addressOf as () => string });
      (await RawPeer.open(url)).send("h:::{}");
      expect((await seen.next()).request?.address).toBe("127.0.0.1");
      const expected = addressOf === finds[0] ? [] : ["Who: addressOf failed"];
      expect(logger.entries.map(({ message }) => message)).toEqual(expected);
    }
  });

  it("of which a client has none", async () => {
    const { base } = await start();
    const seen: unknown[] = [];
    const client = Api.createClient({
      url: base,
      middlewares: [{ updateHandshake: (context) => void seen.push(context.request) }],
    });
    await client.connect();
    client.close();
    expect(seen).toEqual([undefined]);
  });
});

describe("GG_WS_CONNECTION", () => {
  it("names a connection and its address, and signals its end", async () => {
    const seen = new Queue<NonNullable<ReturnType<typeof GG_WS_CONNECTION.get>>>();
    const note = () => seen.push(GG_WS_CONNECTION.assert());
    const { url, server } = await serveApi(
      Api,
      (incoming) => {
        note();
        incoming.on({ ...quiet, note });
      },
      { middlewares: [{ process: async () => note() }], addressOf: () => "192.0.2.1" },
    );
    const [peer, other] = [await RawPeer.connect(url), await RawPeer.connect(url)];
    peer.send('m:Who.note::"x"');
    const [first, handled, second, , message] = await seen.take(5);
    expect([handled, message]).toEqual([first, first]);
    expect(first).toEqual({ port: Number(new URL(url).port), path: server.path });
    expect(first?.address).toBe("192.0.2.1");
    expect(first?.id).toMatch(/^\w+-\d+$/);
    expect(second?.id).not.toBe(first?.id);
    expect(first?.signal?.aborted).toBe(false);
    const aborted = new Promise((resolve) => first?.signal?.addEventListener("abort", resolve));
    peer.ws.terminate();
    await aborted;
    expect(second?.signal?.aborted).toBe(false);
    await other.close();
  });
});

describe("closeConnections", () => {
  /** Serves handlers that find out who their user is after a while. */
  async function start(givesHandlers: "first" | "last") {
    const arrived = new Queue<Gate>();
    const served = await serveApi(Api, async (incoming, _outgoing, query) => {
      if (givesHandlers === "first") incoming.on(quiet);
      const gate = new Gate();
      arrived.push(gate);
      await gate.passed;
      USER.set(String((query as Record<string, string>).user));
      if (givesHandlers === "last") incoming.on(quiet);
    });
    return { ...served, arrived };
  }

  it.each(["first", "last"] as const)("closes who becomes that user after it (handlers %s)", async (order) => {
    const { url, server, arrived } = await start(order);
    const peers = [await RawPeer.connect(`${url}?user=ann`), await RawPeer.connect(`${url}?user=bo`)];
    const gates = await arrived.take(2);
    expect(server.closeConnections(() => USER.get() === "ann", { reason: "Signed out" })).toBe(0);
    for (const gate of gates) gate.open();
    expect(await peers[0]?.closed).toEqual({ code: 1008, reason: "Signed out" });
    peers[1]?.send('r:Who.echo:1:"x"');
    expect(await peers[1]?.next()).toContain('"data":"x"');
    expect(server.connectionCount).toBe(1);
  });

  it("reaches who becomes that user in an asynchronous raw handler", async () => {
    const { url, server, logger } = await serveApi(Api, (incoming) => incoming.on(quiet));
    const arrived = new Queue<Gate>();
    server.onConnection(async () => {
      const gate = new Gate();
      arrived.push(gate);
      await gate.passed;
      USER.set("ann");
    });
    const peer = await RawPeer.connect(url);
    const gate = await arrived.next();
    expect(server.closeConnections(() => USER.get() === "ann")).toBe(0);
    gate.open();
    expect(await peer.closed).toEqual({ code: 1008, reason: "Revoked" });
    expect(logger.entries).toEqual([]);
  });

  it("spares who becomes that user in a connection that begins after it", async () => {
    const { url, server, arrived } = await start("last");
    server.closeConnections(() => USER.get() === "ann");
    const peer = await RawPeer.connect(`${url}?user=ann`);
    (await arrived.next()).open();
    peer.send('r:Who.echo:1:"x"');
    expect(await peer.next()).toContain('"data":"x"');
    expect(server.closeConnections(() => USER.get() === "ann")).toBe(1);
    expect(await peer.closed).toEqual({ code: 1008, reason: "Revoked" });
  });
});

describe("log entries about a connection", () => {
  const middlewares = [
    {
      parseHandshake({ headers }: GGWebSocketHandshakeContext) {
        if (headers.refuse) throw new NOT_AUTHORIZED();
        if (headers.break) throw new Error("a defect");
      },
    },
  ];
  const accepted =
    (...frames: string[]) =>
    async (peer: RawPeer) => {
      peer.send("h:::{}", ...frames);
    };
  const CASES: readonly [string, (peer: RawPeer) => Promise<void>, string][] = [
    ["a refused handshake", async (peer) => peer.send('h:::{"refuse":"1"}'), "Who: a handshake was refused"],
    ["a middleware that fails", async (peer) => peer.send('h:::{"break":"1"}'), "Who: a middleware failed"],
    [
      "a large handshake",
      async (peer) => peer.send(`h:::${"x".repeat(70_000)}`),
      "Who: a handshake message was too large",
    ],
    ["a connection", accepted(), "Who: a connection is open"],
    [
      "its end",
      async (peer) => {
        peer.send("h:::{}");
        await peer.next();
        peer.ws.terminate();
      },
      "Who: a connection has closed",
    ],
    ["a handler that fails", accepted('r:Who.fail:1:{"token":"t"}'), "Who.fail: the handler failed"],
    ["an invalid message", accepted("m:Who.note::[]"), "Who.note: a message ended with VALIDATION_ERROR"],
    ["an unknown message", accepted("m:Who.nope::1"), "Who: a message ended with ROUTE_NOT_FOUND"],
    ["a deep payload", accepted(`m:Who.note::${"[".repeat(300)}`), "Who.note: a message ended with VALIDATION_ERROR"],
    [
      "a binary message",
      async (peer) => {
        peer.send("h:::{}");
        peer.ws.send(Buffer.from("x"));
      },
      "Who: a connection is closed, BINARY_MESSAGE",
    ],
    [
      "a limit",
      accepted(...Array.from({ length: 6 }, () => 'm:Who.note::"x"')),
      "Who: messages of a connection are refused",
    ],
  ];

  it.each(CASES)("name it and its address: %s", async (_what, act, text) => {
    const { url, logger } = await serveApi(Api, (incoming) => incoming.on(quiet), {
      middlewares,
      addressOf: () => "192.0.2.9",
      limits: { messagesPerSecond: 5 },
    });
    const peer = await RawPeer.open(url);
    await act(peer);
    const find = () => [...logger.entries, ...logger.debugEntries].find(({ message }) => message.startsWith(text));
    while (!find()) await (await RawPeer.open(url)).roundTrip();
    expect(find()?.fields).toMatchObject({ connection: expect.stringMatching(/^\w+-\d+$/), address: "192.0.2.9" });
  });

  it("show no text of a peer, however long its path is", async () => {
    const { url, logger } = await serveApi(Api, (incoming) => incoming.on(quiet));
    const peer = await RawPeer.connect(url);
    peer.send(`r:${"path\n".repeat(3_355_440)}:1:`);
    const { message, fields } = await logger.next();
    expect(message).toBe("Who: its error cannot be sent");
    expect(`${fields.error}`).not.toContain("path\npath");
  });

  it("name the handler of a connection that fails, its callbacks, and connections that are refused", async () => {
    const { url, logger } = await serveApi(
      Api,
      (_incoming, outgoing) => {
        outgoing.onClose(() => {
          throw new Error("a defect");
        });
        throw new Error("a defect");
      },
      { addressOf: () => "192.0.2.9", limits: { maxConnections: 1 } },
    );
    const peer = await RawPeer.connect(url);
    await peer.closed;
    const messages = await Promise.all([logger.next(), logger.next()]);
    for (const { fields } of messages) {
      expect(fields).toMatchObject({ connection: expect.any(String), address: "192.0.2.9" });
    }
    await RawPeer.open(url);
    const refused = new WebSocket(url);
    await new Promise((resolve) => refused.on("error", resolve));
    expect((await logger.next()).fields).toEqual({ result: "TOO_MANY_CONNECTIONS", address: "192.0.2.9" });
  });
});

it("shows no credential in any text, label or context value of a server", async () => {
  const store = new GGMetricsStore();
  GG_METRICS.overwrite(store);
  const secret = "pa55w0rd";
  const contexts: unknown[] = [];
  const { url, logger, server } = await serveApi(
    Api,
    (incoming) => {
      contexts.push(GG_WS_CONNECTION.get());
      incoming.on(quiet);
    },
    { middlewares: [{ parseHandshake: ({ headers }) => headers.how && fail(headers.how) }] },
  );
  function fail(how: string): never {
    throw how === "error" ? new NOT_AUTHORIZED() : new Error("a defect");
  }
  const answers: string[] = [];
  for (const how of ["", "error", "defect"]) {
    const peer = await openWith(`${url}?token=${secret}`, { cookie: `session=${secret}`, authorization: secret });
    peer.send(`h:::${JSON.stringify({ authorization: secret, how })}`);
    answers.push(await peer.next());
    if (how) continue;
    peer.send(`r:Who.fail:1:{"token":"${secret}"}`, `r:Who.echo:2:{"x":"${secret.slice(0, 0)}"}`);
    peer.send(
      `m:Who.note::["${secret}"]`,
      `m:Who.nope::"${secret}"`,
      `x${secret}:Who.note::1`,
      `r:Who.echo:3:{${secret}`,
    );
    answers.push(...(await peer.frames.take(3)));
  }
  server.closeConnections(() => true);
  const shown = JSON.stringify([logger.entries, logger.debugEntries, contexts, answers], (_key, value) =>
    value instanceof Error ? `${value.stack}` : value,
  );
  expect(shown).not.toContain(secret);
  expect(await new GGPrometheusMetricsExporter().export(store)).not.toContain(secret);
});
