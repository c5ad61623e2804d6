import type { Socket } from "node:net";
import { GGContextKey } from "@grest-ts/context";
import { GGHttp, type GGHttpRequest, type GGHttpTransportMiddleware, GGRpc, httpSchema } from "@grest-ts/http";
import { ERROR, GGContractClass, IsNumber, IsObject, IsString, NOT_AUTHORIZED } from "@grest-ts/schema";
import {
  defineSocketContract,
  type GGWebSocketHandshakeContext,
  type GGWebSocketMiddleware,
  type WebSocketSchemaConfig,
  webSocketSchema,
} from "@grest-ts/websocket";
import { describe, expect, it } from "vitest";
import { onFakeClock } from "../support/fakeClock.js";
import { Gate } from "../support/gate.js";
import { RawPeer } from "../support/rawPeer.js";
import { ofConnection, serveApi, startHttp } from "../support/server.js";
import { closeOf } from "../support/tcp.js";

const BANNED = ERROR.define("BANNED", 403, IsObject({ days: IsNumber }));
const USER = new GGContextKey<string>("handshake_test_user", IsString);
const ROLE = new GGContextKey<string>("handshake_test_role", IsString);

const contract = defineSocketContract("Hand", {
  clientToServer: { whoAmI: { success: IsString } },
  serverToClient: {},
});

/** Serves the contract behind these middlewares; `whoAmI` answers with what the connection and the message see. */
async function start(
  middlewares: readonly GGWebSocketMiddleware[],
  config: WebSocketSchemaConfig & { query?: Parameters<ReturnType<typeof builder>["queryOnConnect"]>[0] } = {},
) {
  const accepted: unknown[] = [];
  const made = builder();
  for (const middleware of middlewares) made.use(middleware);
  const { query, ...rest } = config;
  const Api = (query ? made.queryOnConnect(query) : made).done() as ReturnType<typeof made.done>;
  const { url, server, http, logger } = await serveApi(
    Api,
    (incoming, _outgoing, args) => {
      accepted.push(args);
      const atConnect = `${USER.get()}/${ROLE.get()}`;
      incoming.on({ whoAmI: async () => `${atConnect} ${USER.get()}/${ROLE.get()}` });
    },
    rest,
  );
  return { url, logger, accepted, server, http };
}
const builder = () => webSocketSchema(contract).path("ws/hand");

const whoAmI = async (peer: RawPeer) => {
  peer.send("r:Hand.whoAmI:1:");
  return /"data":"(.*)"/.exec(await peer.next())?.[1];
};

/** The server's answer to a refused handshake. */
async function refusal(url: string, headers: object = {}) {
  const peer = await RawPeer.open(url);
  peer.send(`h:::${JSON.stringify(headers)}`);
  const closed = await peer.closed;
  expect(peer.frames.unseen).toHaveLength(1);
  const frame = await peer.next();
  expect(frame).toMatch(/^x:::\{/);
  return { closed, error: JSON.parse(frame.slice(4)) as Record<string, unknown> & { context: { ref: string } } };
}
const REFUSED = { code: 4001, reason: "Handshake failed" };

describe("middlewares", () => {
  it("interleave, parse then process of each, the schema's before the registration's, inside one context", async () => {
    const steps: string[] = [];
    const step = (name: string): GGWebSocketMiddleware => ({
      parseHandshake() {
        steps.push(`${name}.parse user=${USER.get()}`);
        USER.set(name);
      },
      async process() {
        await new Promise((resolve) => setImmediate(resolve));
        steps.push(`${name}.process user=${USER.get()}`);
        USER.set(`${USER.get()}+`);
      },
    });
    const { url } = await start([step("a"), {}, step("b")], { middlewares: [step("c")] });
    const peer = await RawPeer.connect(url);
    expect(steps).toEqual([
      "a.parse user=undefined",
      "a.process user=a",
      "b.parse user=a+",
      "b.process user=b",
      "c.parse user=b+",
      "c.process user=c",
    ]);
    expect(await whoAmI(peer)).toBe("c+/undefined c+/undefined");
  });

  it("are called as methods of their object", async () => {
    class Counting implements GGWebSocketMiddleware {
      #name = "";
      parseHandshake(handshake: GGWebSocketHandshakeContext) {
        this.#name = handshake.headers.name ?? "";
      }
      async process() {
        USER.set(this.#name);
      }
    }
    const { url } = await start([new Counting()]);
    expect(await whoAmI(await RawPeer.connect(url, { name: "n" }))).toBe("n/undefined n/undefined");
  });

  it("see the headers of the handshake message and the arguments of the query", async () => {
    const seen: GGWebSocketHandshakeContext[] = [];
    const { url } = await start([{ parseHandshake: (handshake) => void seen.push(handshake) }]);
    await RawPeer.connect(`${url}?room=a%20b&lang=en`, { authorization: "Bearer t" });
    expect(seen).toEqual([{ headers: { authorization: "Bearer t" }, queryArgs: { room: "a b", lang: "en" } }]);
  });

  it("keep what they set to its connection, when two of them interleave", async () => {
    const gates = { ann: new Gate(), bob: new Gate() };
    const parsed = { ann: new Gate(), bob: new Gate() };
    const { url } = await start([
      {
        parseHandshake: ({ headers }) => USER.set(headers.user ?? ""),
        async process() {
          const user = USER.get() as "ann" | "bob";
          parsed[user].open();
          await gates[user].passed;
          ROLE.set(`role of ${USER.get()}`);
        },
      },
    ]);
    const connecting = [RawPeer.connect(url, { user: "ann" }), RawPeer.connect(url, { user: "bob" })] as const;
    await Promise.all([parsed.ann.passed, parsed.bob.passed]);
    gates.bob.open();
    const bob = await connecting[1];
    const bobFirst = await whoAmI(bob);
    gates.ann.open();
    const ann = await connecting[0];
    expect(await Promise.all([whoAmI(ann), whoAmI(bob)])).toEqual([
      "ann/role of ann ann/role of ann",
      "bob/role of bob bob/role of bob",
    ]);
    expect(bobFirst).toBe("bob/role of bob bob/role of bob");
    expect(USER.get()).toBeUndefined();
  });

  it.each(["parseHandshake", "process"] as const)(
    "refuse with an ERROR thrown in %s: its public part in x, close 4001, no handler",
    async (hook) => {
      const later: string[] = [];
      const refuse = () => {
        throw new BANNED({ days: 3 }, { displayMessage: "come back later", debugMessage: "hidden" });
      };
      const { url, logger, accepted } = await start([
        hook === "process" ? { process: async () => refuse() } : { parseHandshake: refuse },
        { parseHandshake: () => void later.push("parse"), process: async () => void later.push("process") },
      ]);
      const { closed, error } = await refusal(url);
      expect(closed).toEqual(REFUSED);
      expect(error).toEqual({
        success: false,
        type: "BANNED",
        data: { days: 3 },
        statusCode: 403,
        context: {
          displayMessage: "come back later",
          timestamp: expect.any(Number),
          ref: expect.stringMatching(/^ERR_REF_/),
        },
      });
      expect({ later, accepted, logged: logger.entries }).toEqual({ later: [], accepted: [], logged: [] });
    },
  );

  it.each([
    ["parseHandshake", new Error("secret")],
    ["process", new Error("secret")],
    ["process", "secret"],
    ["process", undefined],
  ] as const)("refuse with a SERVER_ERROR and a reference when %s throws %s, and log it", async (hook, thrown) => {
    const fail = () => {
      throw thrown;
    };
    const { url, logger, accepted } = await start([
      hook === "process" ? { process: async () => fail() } : { parseHandshake: fail },
    ]);
    const { closed, error } = await refusal(url);
    expect(closed).toEqual(REFUSED);
    expect(error).toEqual({
      success: false,
      type: "SERVER_ERROR",
      statusCode: 500,
      context: { timestamp: expect.any(Number), ref: expect.stringMatching(/^ERR_REF_/) },
    });
    expect(logger.entries).toEqual([
      {
        level: "error",
        message: "Hand: a middleware failed",
        fields: { ...ofConnection, ref: error.context.ref, error: thrown },
      },
    ]);
    expect(accepted).toEqual([]);
  });

  it("may be slow: messages that the client sends meanwhile wait and are answered in order", async () => {
    const gate = new Gate();
    const { url } = await start([{ process: () => gate.passed }]);
    const peer = await RawPeer.open(url);
    peer.send("h:::{}", "r:Hand.whoAmI:1:", "r:Hand.whoAmI:2:", "r:Hand.whoAmI:3:");
    await peer.roundTrip();
    expect(peer.frames.unseen).toEqual([]);
    gate.open();
    expect((await peer.frames.take(4)).map((frame) => frame.slice(0, 15))).toEqual([
      "k:::null",
      "s:Hand.whoAmI:1",
      "s:Hand.whoAmI:2",
      "s:Hand.whoAmI:3",
    ]);
  });

  it("do not open a connection that the client has closed meanwhile", async () => {
    const gate = new Gate();
    const entered = new Gate();
    const { url, accepted, server, http } = await start([
      {
        process: () => {
          entered.open();
          return gate.passed;
        },
      },
    ]);
    const sockets: Socket[] = [];
    http.httpServer.on("connection", (socket: Socket) => void sockets.push(socket));
    const peer = await RawPeer.open(url);
    peer.send("h:::{}");
    await entered.passed;
    const closed = closeOf(sockets[0] as Socket);
    peer.ws.terminate();
    await closed;
    gate.open();
    await RawPeer.connect(url);
    expect(accepted).toHaveLength(1);
    expect(server.connectionCount).toBe(1);
  });
});

describe("the query", () => {
  const query = IsObject({ room: IsString.nonEmpty, page: IsNumber });

  it("that does not pass its validator closes with 4000, without x, before any middleware", async () => {
    const steps: string[] = [];
    const { url, accepted } = await start([{ parseHandshake: () => void steps.push("parse") }], { query });
    for (const bad of ["", "?room=a", "?room=&page=1", "?room=a&page=x"]) {
      const peer = await RawPeer.open(`${url}${bad}`);
      peer.send("h:::{}");
      expect(await peer.closed).toEqual({ code: 4000, reason: "Invalid query parameters" });
      expect(peer.frames.unseen).toEqual([]);
    }
    expect({ steps, accepted }).toEqual({ steps: [], accepted: [] });
  });

  it("reaches the connection handler coerced and stripped when there is a validator", async () => {
    const { url, accepted } = await start([], { query });
    await RawPeer.connect(`${url}?room=a%26b&page=2&extra=1`);
    expect(accepted).toEqual([{ room: "a&b", page: 2 }]);
  });

  it("reaches the connection handler as it came when there is none", async () => {
    const { url, accepted } = await start([]);
    await RawPeer.connect(`${url}?room=a%20b&page=2`);
    await RawPeer.connect(url);
    expect(accepted).toEqual([{ room: "a b", page: "2" }, {}]);
  });
});

it("refuses with x and 4001 when no handshake message comes within 5 s", async () => {
  const clock = await onFakeClock();
  const Api = clock
    .webSocketSchema(clock.defineSocketContract("Slow", { clientToServer: { ping: {} }, serverToClient: {} }))
    .path("ws/slow")
    .done();
  const accepted: unknown[] = [];
  const { url } = await clock.start((http) => Api.register(() => void accepted.push(1), { http }));
  const peer = await RawPeer.open(`${url}/ws/slow`);
  const inTime = await RawPeer.connect(`${url}/ws/slow`);
  peer.send("m:Slow.ping::");
  await peer.roundTrip();
  clock.pass(4_999);
  await peer.roundTrip();
  expect(peer.frames.unseen).toEqual([]);
  clock.pass(2);
  expect(await peer.closed).toEqual(REFUSED);
  expect(peer.frames.unseen).toEqual([
    expect.stringMatching(/^x:::\{"success":false,"type":"SERVER_ERROR",.*"displayMessage":"Handshake timeout"/),
  ]);
  await inTime.roundTrip();
  expect(accepted).toHaveLength(1);
});

it("cuts a refused connection after 5 s when its peer does not answer the close frame", async () => {
  const clock = await onFakeClock();
  const parsed = new Gate();
  const Api = clock
    .webSocketSchema(clock.defineSocketContract("Deaf", { clientToServer: {}, serverToClient: {} }))
    .path("ws/deaf")
    .use({
      parseHandshake() {
        parsed.open();
        throw new clock.schema.NOT_AUTHORIZED();
      },
    })
    .done();
  const sockets: Socket[] = [];
  const { http, url } = await clock.start((http) => Api.register(() => {}, { http }));
  http.httpServer.on("connection", (socket: Socket) => void sockets.push(socket));
  const peer = await RawPeer.open(`${url}/ws/deaf`);
  const socket = sockets[0] as Socket;
  peer.send("h:::{}");
  peer.ws.pause();
  await parsed.passed;
  await new Promise((resolve) => setImmediate(resolve)); // the refusal follows after a few microtasks
  const closed = closeOf(socket);
  clock.pass(5_001);
  await closed;
});

describe("one middleware for both transports", () => {
  // The README's class, verbatim.
  const IsAuthUser = IsObject({ id: IsString, role: IsString });
  type AuthUser = typeof IsAuthUser.infer;
  const GG_AUTH_USER = new GGContextKey<AuthUser>("authUser", IsAuthUser);

  class BearerAuthMiddleware implements GGHttpTransportMiddleware, GGWebSocketMiddleware {
    constructor(
      private opts: {
        getToken: () => string | undefined;
        verify: (token: string) => AuthUser | undefined;
      },
    ) {}

    updateRequest = (req: GGHttpRequest) => this.setHeader(req.headers as Record<string, string>);
    updateHandshake = (ctx: GGWebSocketHandshakeContext) => this.setHeader(ctx.headers);

    parseRequest = (req: GGHttpRequest) => this.extract(req.headers as Record<string, string | string[]>);
    parseHandshake = (ctx: GGWebSocketHandshakeContext) => this.extract(ctx.headers);

    private setHeader(headers: Record<string, string>) {
      const t = this.opts.getToken();
      if (t) headers.authorization = `Bearer ${t}`;
    }

    private extract(headers: Record<string, string | string[]>) {
      const header = headers.authorization;
      if (typeof header !== "string" || !header.startsWith("Bearer ")) {
        throw new NOT_AUTHORIZED({ displayMessage: "Missing bearer token" });
      }
      const user = this.opts.verify(header.substring(7));
      if (!user) throw new NOT_AUTHORIZED({ displayMessage: "Invalid token" });
      GG_AUTH_USER.set(user);
    }
  }

  async function startBoth() {
    let token: string | undefined;
    const verified: string[] = [];
    const auth = new BearerAuthMiddleware({
      getToken: () => token,
      verify: (presented) => {
        verified.push(presented);
        return presented === "good" ? { id: "u1", role: "admin" } : undefined;
      },
    });
    const methods = { me: { success: IsAuthUser, errors: [NOT_AUTHORIZED] } };
    const ItemApi = httpSchema(new GGContractClass("ItemApi", methods))
      .pathPrefix("api/items")
      .use(auth)
      .routes({ me: GGRpc.GET("me") });
    const MeApi = webSocketSchema(defineSocketContract("MeApi", { clientToServer: methods, serverToClient: {} }))
      .path("ws/me")
      .use(auth)
      .done();
    const me = async () => GG_AUTH_USER.assert();
    const { http, url } = await startHttp((http) => {
      new GGHttp(http).http(ItemApi, { me });
      MeApi.register((incoming) => incoming.on({ me }), { http });
    });
    const overHttp = ItemApi.createClient({ url: `http://127.0.0.1:${http.port}` });
    const overSocket = async () => {
      const client = MeApi.createClient({ url });
      await client.connect();
      const user = await client.outgoing.me();
      client.close();
      return user;
    };
    const login = (next: string | undefined) => {
      token = next;
    };
    return { overHttp, overSocket, verified, url, login };
  }

  it("identifies the user of a request and of a connection", async () => {
    const { overHttp, overSocket, verified, login } = await startBoth();
    login("good");
    expect([await overHttp.me(), await overSocket()]).toEqual([
      { id: "u1", role: "admin" },
      { id: "u1", role: "admin" },
    ]);
    expect(verified).toEqual(["good", "good"]);
  });

  it.each([
    [undefined, "Missing bearer token"],
    ["bad", "Invalid token"],
  ])("refuses the token %s on both, as the same error", async (token, displayMessage) => {
    const { overHttp, overSocket, url, login } = await startBoth();
    login(token);
    const expected = { type: "NOT_AUTHORIZED", statusCode: 401, context: { displayMessage } };
    expect(await overHttp.me().asResult()).toMatchObject(expected);
    const refused = await overSocket().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(NOT_AUTHORIZED);
    expect(refused).toMatchObject(expected);
    const raw = await refusal(`${url}/ws/me`, token ? { authorization: `Bearer ${token}` } : {});
    expect(raw).toMatchObject({ closed: REFUSED, error: expected });
  });
});
