import { GGContext, GGContextKey } from "@grest-ts/context";
import { GG_DISCOVERY, GGDiscoveryClient } from "@grest-ts/discovery";
import { GGLocatorKey, GGLocatorScope } from "@grest-ts/locator";
import { type GGValidator, IsString } from "@grest-ts/schema";
import { GG_TRACE } from "@grest-ts/trace";
import {
  defineSocketContract,
  type GGSocket,
  GGSocketGroup,
  GGSocketPool,
  type GGWebSocketLogger,
  type WebSocketOutgoing,
  webSocketSchema,
} from "@grest-ts/websocket";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { Gate } from "../support/gate.js";
import { Queue } from "../support/queue.js";
import { RawPeer, RawServer } from "../support/rawPeer.js";
import { recordingLogger, serve } from "../support/server.js";

// Faulty input of programs and neighbouring packages: it never ends the process, or loses messages of others.

const contract = defineSocketContract("Prog", {
  clientToServer: { echo: { input: IsString, success: IsString }, note: {} },
  serverToClient: { said: { input: IsString }, ask: { success: IsString } },
});
const Api = webSocketSchema(contract).path("ws").done();
const quiet = { echo: (text: string) => text, note: () => {} };
type Outgoing = WebSocketOutgoing<typeof contract.methods.serverToClient>;

/** Silences the console, and records its messages. */
function muteConsole() {
  const written: unknown[] = [];
  for (const level of ["warn", "error"] as const) {
    const spy = vi.spyOn(console, level).mockImplementation((...args) => void written.push(args[0]));
    onTestFinished(() => spy.mockRestore());
  }
  return written;
}

const fails = () => {
  throw new Error("the log is full");
};
const rejects = () => Promise.reject(new Error("the log is full"));
const LOGGERS: [string, object][] = [
  ["throws", { debug: fails, info: fails, warn: fails, error: fails }],
  ["rejects", { debug: rejects, info: rejects, warn: rejects, error: rejects }],
  ["has no functions", { debug: 1, info: "x", warn: null, error: {} }],
  ["throws when it is asked for a level", new Proxy({}, { get: fails })],
];

describe.each(LOGGERS)("a logger that %s", (_, broken) => {
  const logger = broken as GGWebSocketLogger;

  it("stops neither the server nor its end; warnings and errors go to the console", async () => {
    const written = muteConsole();
    const { url, http } = await serve((http) =>
      Api.startServer((incoming) => incoming.on({ ...quiet, echo: fails }), { http, logger }),
    );
    const peer = await RawPeer.connect(`${url}/ws`);
    peer.send('r:Prog.echo:1:"x"', "m:Prog.nope::", "r:Prog.note:2:");
    expect(await peer.next()).toContain("SERVER_ERROR");
    expect(await peer.next()).toContain("s:Prog.note:2:");
    await http.teardown();
    await peer.closed;
    expect(written).toEqual(["Prog.echo: the handler failed", "Prog: a message ended with ROUTE_NOT_FOUND"]);
  });

  it("stops no client", async () => {
    const written = muteConsole();
    const server = await RawServer.start();
    const accepted = server.accept();
    const client = Api.createClient({ url: server.url, logger });
    client.incoming.on({ ask: fails, said() {} });
    await client.connect();
    const peer = await accepted;
    peer.send("r:Prog.ask:1:", "m:Prog.said::{}", "r:Prog.ask:2:");
    expect(await peer.next()).toContain("s:Prog.ask:1:");
    expect(await peer.next()).toContain("s:Prog.ask:2:");
    await client.disconnect();
    expect(written).toContain("Prog.said: a message ended with VALIDATION_ERROR");
  });

  it("stops nothing as the framework's log", async () => {
    const written = muteConsole();
    const scope = new GGLocatorScope("service");
    scope.setLifecycleOwner({});
    scope.set(new GGLocatorKey<object>("GGLog"), broken);
    const { url, http } = await serve((http) =>
      scope.run(() => Api.startServer((incoming) => incoming.on({ ...quiet, echo: fails }), { http })),
    );
    const peer = await RawPeer.connect(`${url}/ws`);
    peer.send('r:Prog.echo:1:"x"');
    expect(await peer.next()).toContain("SERVER_ERROR");
    await http.teardown();
    expect(written).toEqual(["Prog.echo: the handler failed"]);
  });
});

describe("handlers of both kinds on one connection", () => {
  /** A connection whose contract gives handlers after `contractMay`, and whose raw handler does after `rawMay`. */
  async function start(contractMay: Gate, rawMay: Gate) {
    const { url, server } = await serve((http) =>
      Api.startServer(
        async (incoming) => {
          await contractMay.passed;
          incoming.on(quiet);
        },
        { http },
      ),
    );
    server.onConnection(async (socket) => {
      await rawMay.passed;
      socket.registerHandler({ path: "Extra.hello", handler: () => "hello" });
      await new Promise(() => {});
    });
    const peer = await RawPeer.connect(`${url}/ws`);
    peer.send('r:Prog.echo:1:"x"', "r:Extra.hello:2:");
    await peer.roundTrip();
    return peer;
  }

  const both = [
    's:Prog.echo:1:{"success":true,"type":"OK","data":"x"}',
    's:Extra.hello:2:{"success":true,"type":"OK","data":"hello"}',
  ];

  it.each(["contract", "raw"])("lose no message when the %s side is slow", async (late) => {
    const [contractMay, rawMay] = [new Gate(), new Gate()];
    (late === "contract" ? rawMay : contractMay).open();
    const peer = await start(contractMay, rawMay);
    expect(peer.frames.unseen).toEqual([]);
    contractMay.open();
    rawMay.open();
    expect(await peer.frames.take(2)).toEqual(both);
  });

  it("are answered though a raw handler gives none and never ends", async () => {
    const { url, server } = await serve((http) => Api.startServer((incoming) => incoming.on(quiet), { http }));
    server.onConnection(() => new Promise(() => {}));
    const peer = await RawPeer.connect(`${url}/ws`);
    peer.send('r:Prog.echo:1:"x"');
    expect(await peer.next()).toBe(both[0]);
  });
});

describe("a trace", () => {
  it("has valid ids when the program's random numbers are all 0", async () => {
    const random = vi.spyOn(Math, "random").mockReturnValue(0);
    onTestFinished(() => random.mockRestore());
    const ids = new Queue<string | undefined>();
    const { url } = await serve((http) =>
      Api.startServer((incoming) => incoming.on({ ...quiet, note: () => void ids.push(GG_TRACE.get()?.traceId) }), {
        http,
      }),
    );
    (await RawPeer.connect(`${url}/ws`)).send("m:Prog.note::");
    expect(await ids.next()).toMatch(/^[0-9a-f]{32}$/);
  });

  it("is there before it is asked for, and begins when its message did", async () => {
    const seen = new Queue<unknown>();
    const { url } = await serve((http) =>
      Api.startServer(
        (incoming) =>
          incoming.on({
            ...quiet,
            async note() {
              const startedAt = Date.now();
              seen.push(GG_TRACE.has());
              while (Date.now() < startedAt + 5) await new Promise((resolve) => setImmediate(resolve));
              seen.push((GG_TRACE.get()?.traceTimestamp ?? 0) <= startedAt + 1);
            },
          }),
        { http },
      ),
    );
    (await RawPeer.connect(`${url}/ws`)).send("m:Prog.note::");
    expect(await seen.take(2)).toEqual([true, true]);
  });
});

describe("a client's setup", () => {
  const USER = new GGContextKey<string>("programs_user", IsString);

  it("runs in the client's context also when the client is connected, and once when a setup brings it", async () => {
    const server = await RawServer.start();
    server.accept();
    const runs: unknown[] = [];
    const client = Api.createClient({ url: server.url, middlewares: [{ updateHandshake: () => USER.set("client") }] });
    onTestFinished(() => client.close());
    await client.connect(() => {
      runs.push(["first", USER.get()]);
      void client.connect(() => void runs.push(["inner", USER.get()]));
    });
    await new GGContext("caller").set(USER, "caller").run(() =>
      client.connect(() => {
        runs.push(["late", USER.get()]);
        USER.set("setup");
      }),
    );
    expect(runs).toEqual([
      ["first", "client"],
      ["inner", "client"],
      ["late", "client"],
    ]);
  });
});

describe("a query validator of another library", () => {
  it.each([
    ["a list of issues", [{ message: "no" }]],
    ["no issues", undefined],
    ["issues that are no list", { toJSON: () => "no" }],
  ])("that refuses with %s closes with 4000", async (_, issues) => {
    const validator = { safeParse: () => ({ success: false, issues }) } as unknown as GGValidator<object>;
    const { url } = await serve((http) =>
      webSocketSchema(contract)
        .path("ws")
        .queryOnConnect(validator)
        .done()
        .startServer(() => {}, { http, logger: recordingLogger() }),
    );
    const peer = await RawPeer.open(`${url}/ws?a=1`);
    expect((await peer.closed).code).toBe(4000);
  });
});

describe("an outgoing half", () => {
  const said: string[] = [];
  const spied = (text: string) => void said.push(text);
  const WRAPPERS: [string, (outgoing: Outgoing) => Outgoing][] = [
    ["a Proxy of it", (outgoing) => new Proxy(outgoing, {})],
    ["an object that inherits from it", (outgoing) => Object.create(outgoing)],
    ["a Proxy of one that inherits from it", (outgoing) => new Proxy(Object.create(outgoing), {})],
  ];

  it.each(WRAPPERS)("calls through %s, and belongs to groups", async (_, wrap) => {
    const group = new GGSocketGroup(Api);
    const { url } = await serve((http) =>
      Api.startServer(
        (_incoming, outgoing) => {
          const wrapped = wrap(outgoing as Outgoing);
          wrapped.said("direct");
          group.add(wrapped);
          group.said("group");
        },
        { http },
      ),
    );
    const peer = await RawPeer.connect(`${url}/ws`);
    expect(await peer.frames.take(2)).toEqual(['m:Prog.said::"direct"', 'm:Prog.said::"group"']);
  });

  it("takes a function of the program in place of a method", async () => {
    const { url } = await serve((http) =>
      Api.startServer(
        (_incoming, outgoing) => {
          Object.assign(outgoing, { said: spied });
          outgoing.said("mine");
          expect(Object.keys({ ...outgoing })).not.toContain("caller");
        },
        { http },
      ),
    );
    await RawPeer.connect(`${url}/ws`);
    expect(said).toEqual(["mine"]);
  });
});

describe("a raw socket", () => {
  afterEach(() => GGSocketPool.closeAll(false));

  it.each([
    ["throws", fails],
    ["rejects", rejects],
  ])("logs what its handler of unknown messages %s, and goes on", async (_, handler) => {
    const written = muteConsole();
    const server = await RawServer.start();
    const accepted = server.accept();
    const socket: GGSocket = await GGSocketPool.getOrConnect({ domain: server.url, path: "/ws" });
    socket.setUnknownMessageHandler(handler);
    socket.registerHandler({ path: "A.b", handler: () => 1 });
    const peer = await accepted;
    peer.send("m:A.other::1", "r:A.b:1:");
    expect(await peer.next()).toContain("s:A.b:1:");
    expect(written).toEqual(["GGSocketPool: the setUnknownMessageHandler callback failed"]);
  });
});

describe("a discovery client", () => {
  it("may reject: the API is served, and the log says so", async () => {
    class Rejecting extends GGDiscoveryClient {
      readonly isLocal = true;
      registerRoutes = rejects as () => never;
      register() {}
      unregister() {}
      discoverApi = rejects;
    }
    const scope = new GGLocatorScope("service");
    scope.setLifecycleOwner({});
    scope.set(GG_DISCOVERY, new Rejecting());
    const logger = recordingLogger();
    const { url } = await serve((http) => scope.run(() => Api.startServer(() => {}, { http, logger })));
    await RawPeer.connect(`${url}/ws`);
    expect((await logger.next()).message).toBe("Prog: the discovery client did not take its route");
  });
});
