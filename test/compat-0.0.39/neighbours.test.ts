import { GGContext, GGContextKey } from "@grest-ts/context";
import { GG_DISCOVERY, GGDiscoveryClient } from "@grest-ts/discovery";
import { GGHttpServer } from "@grest-ts/http";
import { GGLocatorScope } from "@grest-ts/locator";
import { GGLog, type GGLogEntry } from "@grest-ts/logger";
import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import {
  ERROR,
  GGContractExecutor,
  GGPromise,
  IsArray,
  IsInt,
  IsObject,
  IsString,
  NOT_AUTHORIZED,
  NOT_FOUND,
  SERVER_ERROR,
} from "@grest-ts/schema";
import { GG_TRACE } from "@grest-ts/trace";
import {
  defineSocketContract,
  GG_WS_CONNECTION,
  GG_WS_MESSAGE,
  type GGConnectionQuery,
  GGSocket,
  GGSocketPool,
  GGSocketServer,
  type GGWebSocketHandshakeContext,
  GGWebSocketMetrics,
  type SocketAdapter,
  type WebSocketOutgoing,
  webSocketSchema,
} from "@grest-ts/websocket";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { Queue } from "../support/queue.js";
import { RawPeer, RawServer } from "../support/rawPeer.js";
import { recordingLogger, serve, serveApi, startHttp } from "../support/server.js";

// Behaviour of the framework's packages that 0.0.39 programs rely on, and that its other packages expect of this one.

const QUOTA = ERROR.define("NEIGHBOURS_QUOTA", 429, IsObject({ left: IsInt }));
const USER = new GGContextKey<string>("neighbours_user", IsString);

const contract = defineSocketContract("Near", {
  clientToServer: {
    echo: { input: IsString, success: IsString },
    fail: { success: IsString, errors: [QUOTA, NOT_FOUND, SERVER_ERROR] },
    note: {},
  },
  serverToClient: { ask: { success: IsString }, news: { input: IsString }, tick: {} },
});
type Outgoing = WebSocketOutgoing<typeof contract.methods.serverToClient>;
const quiet = { echo: (text: string) => text, fail: () => "", note: () => {} };

/** A scope as a runtime of the framework creates it in its compose phase. */
function runtimeScope(): GGLocatorScope {
  const scope = new GGLocatorScope("service");
  scope.setLifecycleOwner({});
  return scope;
}

describe("raw sockets", () => {
  afterEach(() => GGSocketPool.closeAll(false));

  async function raw() {
    const server = await RawServer.start();
    const accepted = server.accept();
    const socket = await GGSocketPool.getOrConnect({ domain: server.url, path: "/ws" });
    return { socket, peer: await accepted };
  }

  it.each([
    ["nothing", "", undefined],
    ["null", "null", null],
    ["a number", "0", 0],
    ["an object", '{"a":null}', { a: null }],
  ])("send, handle and answer %s as a payload", async (_, payload, value) => {
    const { socket, peer } = await raw();
    const seen = new Queue<unknown>();
    socket.registerHandler({
      path: "A.b",
      handler(data) {
        seen.push(data);
        return data;
      },
    });
    socket.setUnknownMessageHandler((_path, data) => seen.push(data));
    peer.send(`m:A.b::${payload}`, `m:A.unknown::${payload}`, `r:A.b:1:${payload}`);
    expect(await seen.take(3)).toEqual([value, value, value]);
    expect(await peer.next()).toBe(`s:A.b:1:{"success":true,"type":"OK"${payload && `,"data":${payload}`}}`);

    const reply = socket.send("A.c", value, true);
    expect(await peer.next()).toBe(`r:A.c:1:${payload}`);
    peer.send(`s:A.c:1:{"success":true,"type":"OK"${payload && `,"data":${payload}`}}`);
    expect(await reply).toEqual({ success: true, type: "OK", ...(payload && { data: value }) });
  });

  it("take handlers that return a GGPromise of a plain value, as the framework's mocks do", async () => {
    const { socket, peer } = await raw();
    socket.registerHandler({ path: "A.mock", handler: () => new GGPromise(Promise.resolve("raw") as never) });
    socket.registerHandler({
      path: "A.error",
      handler: () => new GGPromise(Promise.resolve(new NOT_FOUND({ displayMessage: "gone" })) as never),
    });
    peer.send("r:A.mock:1:", "r:A.error:2:");
    expect(await peer.next()).toBe('s:A.mock:1:{"success":true,"type":"OK","data":"raw"}');
    expect(await peer.next()).toMatch(/^s:A\.error:2:\{"success":false,"type":"NOT_FOUND".*"displayMessage":"gone"/);
  });

  it("run updateHandshake and handlers in a context of their own, below the caller's", async () => {
    const server = await RawServer.start();
    const caller = new GGContext("caller").set(USER, "ann");
    const seen: unknown[] = [];
    const accepted = server.accept("m:A.b::");
    await caller.run(async () => {
      const socket = await GGSocketPool.getOrConnect({
        domain: server.url,
        path: "/ws",
        middlewares: [
          {
            updateHandshake() {
              seen.push(USER.get(), GG_WS_CONNECTION.get()?.path === "/ws");
              USER.set("handshake");
            },
          },
        ],
      });
      const handled = new Promise<void>((resolve) => {
        socket.registerHandler({
          path: "A.b",
          handler: () => {
            seen.push(USER.get(), GG_WS_CONNECTION.get()?.path === "/ws");
            resolve();
          },
        });
      });
      await accepted;
      await handled;
      socket.onClose(() => seen.push(`closed ${USER.get()}`));
      socket.close();
      await socket.closed();
      expect(USER.get()).toBe("ann");
    });
    expect(seen).toEqual(["ann", true, "handshake", true, "closed handshake"]);
  });

  it("are made of an adapter, with handlers in the context that is given", async () => {
    const sent: string[] = [];
    const listeners: Record<string, (value?: never) => void> = {};
    const on = (name: string) => (listener: (value: never) => void) => {
      listeners[name] = listener as (value?: never) => void;
    };
    const off = () => {};
    const adapter: SocketAdapter = {
      send: (message) => sent.push(message),
      close: () => listeners.close?.(),
      onOpen: on("open"),
      onMessage: on("message"),
      onClose: on("close"),
      onError: on("error"),
      offOpen: off,
      offMessage: off,
      offClose: off,
      offError: off,
    };
    const socket = new GGSocket(adapter, {
      apiName: "Own",
      connectionContext: new GGContext("own").set(USER, "ann"),
    });
    expect(socket).toBeInstanceOf(GGSocket);
    const handled = new Queue<unknown>();
    socket.registerHandler({ path: "A.b", handler: (data) => handled.push([USER.get(), data]) as unknown });
    listeners.message?.("m:A.b::5" as never);
    expect(await handled.next()).toEqual(["ann", 5]);
    const reply = socket.send("A.c", "x", true);
    await Promise.resolve();
    await new Promise<void>((resolve) => process.nextTick(resolve));
    expect(sent).toEqual(['r:A.c:1:"x"']);
    listeners.message?.('s:A.c:1:{"success":true,"type":"OK","data":1}' as never);
    expect(await reply).toEqual({ success: true, type: "OK", data: 1 });
    socket.close();
    await socket.closed();
    expect(socket.isOpen).toBe(false);
  });
});

describe("errors", () => {
  it("reach callers with text and reference, declared or not known to this end, on every Node", async () => {
    // The framework's own error factory loses the context of unknown errors, and throws before Node 21.
    const createErrorObj = vi.spyOn(GGContractExecutor, "createErrorObj");
    onTestFinished(() => createErrorObj.mockRestore());
    const server = await RawServer.start();
    const client = webSocketSchema(contract).path("ws").done().createClient({ url: server.url });
    const accepted = server.accept();
    await client.connect();
    onTestFinished(() => client.close());
    const peer = await accepted;
    const context = { displayMessage: "shown", timestamp: 5, ref: "REF" };
    const answer = async (reply: object) => {
      const result = client.outgoing.fail().asResult();
      const [, , id] = (await peer.next()).split(":");
      peer.send(`s:Near.fail:${id}:${JSON.stringify({ success: false, context, ...reply })}`);
      return result;
    };
    const quota = await answer({ type: QUOTA.TYPE, statusCode: 429, data: { left: 3, secret: 1 } });
    expect(quota).toBeInstanceOf(QUOTA);
    expect(quota).toMatchObject({ data: { left: 3 }, context });
    expect(await answer({ type: "NOT_FOUND" })).toMatchObject({ type: "NOT_FOUND", context });
    expect(await answer({ type: "SERVER_ERROR" })).toMatchObject({ type: "SERVER_ERROR", context });
    expect(await answer({ type: "NOT_AUTHORIZED" })).toBeInstanceOf(NOT_AUTHORIZED);
    expect(createErrorObj).not.toHaveBeenCalled();
  });

  it("refuse a handshake with text and reference, whatever their class", async () => {
    const server = await RawServer.start();
    const connect = async (type: string) => {
      const client = webSocketSchema(contract).path("ws").done().createClient({ url: server.url });
      const failed = client.connect().catch((error: unknown) => error);
      const peer = await server.connections.next();
      await peer.next();
      peer.send(`x:::${JSON.stringify({ success: false, type, context: { displayMessage: "no", ref: "REF" } })}`);
      return failed;
    };
    const context = { displayMessage: "no", ref: "REF" };
    expect(await connect("NOT_FOUND")).toBeInstanceOf(NOT_FOUND);
    expect(await connect("NOT_FOUND")).toMatchObject({ context });
    expect(await connect("OF_THE_SERVER_ALONE")).toMatchObject({ type: "SERVER_ERROR", context });
  });
});

describe("context keys in a handler", () => {
  it("are there when they are asked for: has, get and assert agree", async () => {
    const seen = new Queue<unknown>();
    const { url } = await serveApi(webSocketSchema(contract).path("ws").done(), (incoming) =>
      incoming.on({
        ...quiet,
        note: () => void seen.push([GG_WS_MESSAGE.has(), GG_WS_MESSAGE.assert().path, GG_WS_CONNECTION.has()]),
      }),
    );
    const peer = await RawPeer.connect(url);
    peer.send("m:Near.note::");
    expect(await seen.next()).toEqual([true, "Near.note", true]);
    expect(GG_WS_MESSAGE.has()).toBe(false);
  });

  it("hold a trace: one for each connection, message and client, found by the framework's own key", async () => {
    const traces = new Queue<string>();
    const note = () => {
      const { traceId, spanId, traceTimestamp, spanTimestamp } = GG_TRACE.assert();
      expect([traceId, spanId]).toEqual([
        expect.stringMatching(/^[0-9a-f]{32}$/),
        expect.stringMatching(/^[0-9a-f]{16}$/),
      ]);
      expect([typeof traceTimestamp, typeof spanTimestamp]).toEqual(["number", "number"]);
      expect(GG_TRACE.has()).toBe(true);
      expect(GG_TRACE.get()?.traceId).toBe(traceId);
      traces.push(traceId);
    };
    const Api = webSocketSchema(contract).path("ws").use({ parseHandshake: note }).done();
    const { base } = await serveApi(Api, (incoming, outgoing) => {
      note();
      outgoing.onClose(note);
      incoming.on({ ...quiet, note });
      outgoing.tick();
    });
    const client = Api.createClient({ url: base, middlewares: [{ updateHandshake: note }] });
    client.incoming.on({ tick: note });
    client.onClose(note);
    await client.connect();
    await client.outgoing.note();
    const [handshake, parse, connect, ...messages] = await traces.take(5);
    expect(connect).toBe(parse);
    const second = await (async () => {
      await client.outgoing.note();
      return traces.next();
    })();
    expect(new Set([handshake, connect, ...messages, second]).size).toBe(5);
    await client.disconnect();
    expect(new Set(await traces.take(2))).toEqual(new Set([handshake, connect]));
  });

  it("keep a trace that the handler sets itself", async () => {
    const seen = new Queue<unknown>();
    const { url } = await serveApi(webSocketSchema(contract).path("ws").done(), (incoming) =>
      incoming.on({
        ...quiet,
        note() {
          GG_TRACE.set({ traceId: "mine", traceTimestamp: 1, spanId: "s", spanTimestamp: 1 });
          seen.push(GG_TRACE.get()?.traceId);
          GG_TRACE.init();
          seen.push(GG_TRACE.get()?.traceId === "mine");
        },
      }),
    );
    const peer = await RawPeer.connect(url);
    peer.send("m:Near.note::");
    expect(await seen.take(2)).toEqual(["mine", false]);
  });
});

describe("the framework's log", () => {
  async function logged(logger?: ReturnType<typeof recordingLogger>) {
    const entries = new Queue<GGLogEntry & { readonly traceId: string | undefined }>();
    const scope = runtimeScope();
    const consoleWarn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const consoleError = vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => {
      consoleWarn.mockRestore();
      consoleError.mockRestore();
    });
    const trace = new Queue<string | undefined>();
    const { http, url } = await startHttp((http) =>
      scope.run(() =>
        webSocketSchema(contract)
          .path("ws")
          .use({
            parseHandshake({ headers }) {
              if (headers.who === "stranger") throw new NOT_AUTHORIZED();
            },
          })
          .done()
          .register(
            (incoming) =>
              incoming.on({
                ...quiet,
                fail() {
                  trace.push(GG_TRACE.get()?.traceId);
                  throw new Error("boom");
                },
              }),
            { http, logger },
          ),
      ),
    );
    // After the API: the log is looked up for each entry.
    scope.run(() => {
      GGLog.init();
      GGLog.add({ minLevel: 0, log: (entry) => entries.push({ ...entry, traceId: GG_TRACE.get()?.traceId }) });
    });
    return { http, url: `${url}/ws`, entries, trace, consoleWarn, consoleError };
  }

  it("gets refusals, failures with their error, trace and reference, and the end of an API", async () => {
    const { http, url, entries, trace, consoleError } = await logged();
    const stranger = await RawPeer.open(url);
    stranger.send('h:::{"who":"stranger"}');
    await stranger.closed;
    expect(await entries.next()).toMatchObject({ context: "Near", message: "Near: a handshake was refused" });

    const peer = await RawPeer.connect(url);
    peer.send("r:Near.fail:1:", "m:Near.nope::");
    expect(await entries.next()).toMatchObject({ message: "Near: a connection is open" });
    const failed = await entries.next();
    const { ref } = JSON.parse((await peer.next()).slice("s:Near.fail:1:".length)).context;
    expect(failed).toMatchObject({
      context: "Near",
      message: "Near.fail: the handler failed",
      data: [expect.objectContaining({ message: "boom" }), { ref }],
      traceId: await trace.next(),
    });
    expect(await entries.next()).toMatchObject({ message: "Near: a message ended with ROUTE_NOT_FOUND" });
    await peer.close();
    expect(await entries.next()).toMatchObject({ message: "Near: a connection has closed" });
    await http.teardown();
    expect(await entries.next()).toMatchObject({ message: "Near: stopped" });
    expect(consoleError).not.toHaveBeenCalled();
  });

  it("gets nothing where the program has given a logger", async () => {
    const logger = recordingLogger();
    const { url, entries } = await logged(logger);
    const peer = await RawPeer.connect(url);
    peer.send("r:Near.fail:1:");
    await peer.next();
    expect((await logger.next()).message).toBe("Near.fail: the handler failed");
    expect(entries.unseen).toEqual([]);
  });

  it("says when an API is served, on which port", async () => {
    const entries = new Queue<GGLogEntry>();
    const scope = runtimeScope();
    scope.run(() => {
      GGLog.init();
      GGLog.add({ minLevel: 1, log: (entry) => entries.push(entry) });
    });
    const { http } = await startHttp((http) =>
      scope.run(() =>
        webSocketSchema(contract)
          .path("ws")
          .done()
          .register(() => {}, { http }),
      ),
    );
    expect(await entries.next()).toMatchObject({ message: "Near: served on /ws", data: [{ port: http.port }] });
  });

  it("gets a client's log entries, from its caller's scope", async () => {
    const entries = new Queue<GGLogEntry>();
    const scope = runtimeScope();
    const server = await RawServer.start();
    const accepted = server.accept();
    const client = webSocketSchema(contract).path("ws").done().createClient({ url: server.url });
    onTestFinished(() => client.close());
    client.incoming.on({
      ask: () => {
        throw new Error("no answer");
      },
    });
    await scope.run(() => {
      GGLog.init();
      GGLog.add({ minLevel: 3, log: (entry) => entries.push(entry) });
      return client.connect();
    });
    (await accepted).send("r:Near.ask:1:");
    expect(await entries.next()).toMatchObject({ context: "Near", message: "Near.ask: the handler failed" });
  });
});

describe("a server middleware", () => {
  const IsQuery = IsObject({ n: IsInt, d: IsString.default("dflt"), tag: IsArray(IsString).orUndefined });

  it.each([
    ["n=3", { n: 3, d: "dflt" }],
    ["n=3&d=x&tag=a&tag=b", { n: 3, d: "x", tag: ["a", "b"] }],
    ["n=3&tag=only", { n: 3, d: "dflt", tag: ["only"] }],
  ])("sees the query as the validator made it: %s", async (text, expected) => {
    const seen = new Queue<unknown>();
    const { url } = await serveApi(
      webSocketSchema(contract)
        .path("ws")
        .use({
          parseHandshake({ queryArgs }: GGWebSocketHandshakeContext<typeof IsQuery.infer>) {
            seen.push(queryArgs);
          },
        } as object)
        .queryOnConnect(IsQuery)
        .done(),
      (_incoming, _outgoing, query) => void seen.push(query),
    );
    await RawPeer.connect(`${url}?${text}`);
    expect(await seen.take(2)).toEqual([expected, expected]);
  });

  it("sees the raw strings without a validator, and a list of what is repeated", async () => {
    const seen = new Queue<unknown>();
    const { url } = await serveApi(
      webSocketSchema(contract)
        .path("ws")
        .use({ parseHandshake: ({ queryArgs }) => void seen.push(queryArgs) })
        .done(),
      (_in, _out, query: GGConnectionQuery<undefined>) => void seen.push(query),
    );
    await RawPeer.connect(`${url}?a=1&a=2&a=3&__proto__=x&b=`);
    const query = await seen.next();
    expect(Object.entries(query as object)).toEqual([
      ["a", ["1", "2", "3"]],
      ["__proto__", "x"],
      ["b", ""],
    ]);
    expect(await seen.next()).toBe(query);
  });

  it("gets lists from this package's client as repeated parameters", async () => {
    const seen = new Queue<unknown>();
    const Api = webSocketSchema(contract).path("ws").queryOnConnect(IsQuery).done();
    const { base } = await serveApi(Api, (_in, _out, query) => void seen.push(query));
    const client = Api.createClient({ url: base, query: { n: 3, d: "x", tag: ["a b", "c&d"] } });
    await client.connect();
    onTestFinished(() => client.close());
    expect(await seen.next()).toEqual({ n: 3, d: "x", tag: ["a b", "c&d"] });
  });
});

describe("a client", () => {
  it("runs its callbacks in a context of its own, below the caller's: what they set stays there", async () => {
    const seen: unknown[] = [];
    const Api = webSocketSchema(contract).path("ws").done();
    const outgoings = new Queue<Outgoing>();
    const { base } = await serveApi(Api, (_in, out) => outgoings.push(out));
    const client = Api.createClient({
      url: base,
      middlewares: [
        {
          updateHandshake() {
            seen.push(`handshake ${USER.get()} ${GG_WS_CONNECTION.has()}`);
            USER.set("bob");
          },
        },
      ],
    });
    client.incoming.on({ ask: () => `${USER.get()}` });
    const closed = new Promise<void>((resolve) => {
      client.onDisconnect(() => seen.push(`disconnect ${USER.get()}`));
      client.onClose(() => {
        seen.push(`close ${USER.get()} ${GG_WS_CONNECTION.has()}`);
        USER.set("unknown");
        resolve();
      });
    });
    const caller = new GGContext("caller").set(USER, "ann");
    await caller.run(() => client.connect(() => void seen.push(`setup ${USER.get()}`)));
    expect(await (await outgoings.next()).ask()).toBe("bob");
    await client.disconnect();
    await closed;
    expect(seen).toEqual(["handshake ann true", "setup bob", "disconnect bob", "close bob true"]);
    expect(caller.get(USER)).toBe("ann");
  });

  it("lets updateHandshake set a key also where there is no context around it", async () => {
    const server = await RawServer.start();
    const Api = webSocketSchema(contract)
      .path("ws")
      .use({
        updateHandshake({ headers }) {
          USER.set("ann");
          headers.user = USER.assert();
        },
      })
      .done();
    const client = Api.createClient({ url: server.url });
    onTestFinished(() => client.close());
    const accepted = server.accept();
    await client.connect();
    expect((await accepted).headers).toEqual({ user: "ann" });
    expect(USER.has()).toBe(false);
  });
});

describe("in a scope of the framework's runtime", () => {
  it("registers an API on the scope's own server, and counts it in the scope's store", async () => {
    const scope = runtimeScope();
    const { http } = scope.run(() => {
      GG_METRICS.set(new GGMetricsStore());
      const http = new GGHttpServer({ port: 0 });
      webSocketSchema(contract)
        .path("ws")
        .done()
        .register((incoming) => incoming.on(quiet));
      return { http };
    });
    await http.start();
    onTestFinished(() => http.teardown());
    const peer = await RawPeer.connect(`ws://127.0.0.1:${http.port}/ws`);
    peer.send('r:Near.echo:1:"x"');
    await peer.next();
    scope.run(() => {
      const labels = { api: "Near", path: "/ws" };
      expect(GGWebSocketMetrics.connections.getValue({ ...labels, result: "OK" })).toBe(1);
      expect(GGWebSocketMetrics.connectionsActive.getValue(labels)).toBe(1);
      expect(GGWebSocketMetrics.requests.getValue({ ...labels, method: "Near.echo", result: "OK" })).toBe(1);
      expect(GGWebSocketMetrics.requestDuration.getValue({ ...labels, method: "Near.echo" })?.count).toBe(1);
    });
  });

  it("announces an API at once that is registered after the start", async () => {
    const routes: unknown[] = [];
    class Discovery extends GGDiscoveryClient {
      readonly isLocal = true;
      registerRoutes(more: readonly unknown[]) {
        routes.push(...more);
      }
      register() {}
      unregister() {}
      discoverApi = () => Promise.reject(new Error("none"));
    }
    const { http } = await startHttp(() => {});
    const scope = runtimeScope();
    scope.set(GG_DISCOVERY, new Discovery());
    scope.run(() =>
      webSocketSchema(contract)
        .path("ws")
        .done()
        .register(() => {}, { http }),
    );
    expect(routes).toEqual([{ runtime: "Near", api: "Near", protocol: "ws", port: http.port, pathPrefix: "/ws" }]);
  });

  it("starts the server and its APIs when a discovery client fails", async () => {
    class Failing extends GGDiscoveryClient {
      readonly isLocal = true;
      registerRoutes() {
        throw new Error("no discovery today");
      }
      register() {}
      unregister() {}
      discoverApi = () => Promise.reject(new Error("none"));
    }
    const scope = runtimeScope();
    scope.set(GG_DISCOVERY, new Failing());
    const logger = recordingLogger();
    const { url } = await serve((http) =>
      scope.run(() =>
        webSocketSchema(contract)
          .path("ws")
          .done()
          .startServer((incoming) => incoming.on(quiet), { http, logger }),
      ),
    );
    await RawPeer.connect(`${url}/ws`);
    expect((await logger.next()).message).toBe("Near: the discovery client did not take its route");
  });
});

describe("a socket server", () => {
  it("serves a path without a contract, with a raw socket for each connection", async () => {
    const { http, url } = await startHttp(() => {});
    const server = new GGSocketServer<object, { room: string }>(http, {
      path: "ws/raw",
      apiName: "Raw",
      queryValidator: IsObject({ room: IsString }),
      middlewares: [{ parseHandshake: ({ headers }) => void USER.set(String(headers.user)) }],
    });
    server.onConnection((socket, query) => {
      expect(socket).toBeInstanceOf(GGSocket);
      socket.registerHandler({ path: "Any.thing", handler: (data) => [USER.get(), query.room, data] });
    });
    expect([server.path, server.apiName]).toEqual(["/ws/raw", "Raw"]);
    const peer = await RawPeer.connect(`${url}/ws/raw?room=a`, { user: "ann" });
    peer.send("r:Any.thing:1:", "r:Any.other:2:");
    expect(await peer.next()).toBe('s:Any.thing:1:{"success":true,"type":"OK","data":["ann","a",null]}');
    expect(await peer.next()).toContain("ROUTE_NOT_FOUND");
    expect(server.connectionCount).toBe(1);
    const refused = await RawPeer.open(`${url}/ws/raw`);
    expect((await refused.closed).code).toBe(4000);
    expect(server.closeConnections(() => USER.get() === "ann")).toBe(1);
    expect((await peer.closed).code).toBe(1008);
    await server.teardown();
  });

  it("of a schema gives raw sockets besides the contract, whose own handler is untouched", async () => {
    const { url, server, logger } = await serveApi(webSocketSchema(contract).path("ws").done(), (incoming) =>
      incoming.on(quiet),
    );
    expect(server).toBeInstanceOf(GGSocketServer);
    server.onConnection(() => {
      throw new Error("a raw handler of no use");
    });
    server.onConnection(async (socket) => {
      await new Promise((resolve) => setImmediate(resolve));
      socket.registerHandler({ path: "Extra.hello", handler: (name) => `Hello ${name}` });
      socket.registerHandler({ path: "Near.echo", handler: () => "not the contract's" });
    });
    const peer = await RawPeer.connect(url);
    peer.send('r:Extra.hello:1:"Ann"', 'r:Near.echo:2:"x"');
    expect(await peer.frames.take(2)).toEqual([
      's:Extra.hello:1:{"success":true,"type":"OK","data":"Hello Ann"}',
      's:Near.echo:2:{"success":true,"type":"OK","data":"x"}',
    ]);
    expect((await logger.next()).fields.error).toMatchObject({ message: "a raw handler of no use" });
  });
});
