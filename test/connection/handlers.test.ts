import {
  ERROR,
  FORBIDDEN,
  GGPromise,
  IsAny,
  IsNumber,
  IsObject,
  IsString,
  NOT_AUTHORIZED,
  NOT_FOUND,
  SERVER_ERROR,
  VALIDATION_ERROR,
} from "@grest-ts/schema";
import {
  defineSocketContract,
  type GGSocketHandlers,
  type WebSocketIncoming,
  type WebSocketOutgoing,
  webSocketSchema,
} from "@grest-ts/websocket";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Gate } from "../support/gate.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { ofConnection, serveApi } from "../support/server.js";

const FULL = ERROR.define("HANDLERS_FULL", 409, IsObject({ limit: IsNumber }));

const contract = defineSocketContract("Work", {
  clientToServer: {
    run: { input: IsString, success: IsAny, errors: [FULL, NOT_FOUND] },
    typed: { input: IsObject({ n: IsNumber, s: IsString.default("d") }), success: IsObject({ n: IsNumber }) },
    bare: { success: IsAny },
    note: { input: IsString },
    ping: {},
  },
  serverToClient: { news: { input: IsString }, other: {} },
});
type C2S = typeof contract.methods.clientToServer;
type S2C = typeof contract.methods.serverToClient;
const Api = webSocketSchema(contract).path("ws/work").done();

const idle: GGSocketHandlers<C2S> = {
  run: () => null,
  typed: ({ n }) => ({ n }),
  bare: () => null,
  note: () => {},
  ping: () => {},
};

async function start(
  onConnection: (incoming: WebSocketIncoming<C2S>, outgoing: WebSocketOutgoing<S2C>) => void | Promise<void>,
) {
  const { url, server, logger } = await serveApi(Api, onConnection);
  return { url, logger, server };
}

/** Serves these handlers, and empty ones for the other methods. */
const startWith = (handlers: Partial<GGSocketHandlers<C2S>>) =>
  start((incoming) => incoming.on({ ...idle, ...handlers }));

async function call(peer: RawPeer, method: string, payload = ""): Promise<Record<string, unknown>> {
  peer.send(`r:Work.${method}:1:${payload}`);
  const reply = await peer.next();
  const start = `s:Work.${method}:1:`;
  expect(reply.startsWith(start)).toBe(true);
  return JSON.parse(reply.slice(start.length)) as Record<string, unknown>;
}

const BARE_SERVER_ERROR = {
  success: false,
  type: "SERVER_ERROR",
  statusCode: 500,
  context: { timestamp: expect.any(Number), ref: expect.stringMatching(/^ERR_REF_/) },
};

describe("a handler that fails", () => {
  const cycle: Record<string, unknown> = { name: "loop" };
  cycle.self = cycle;
  const failures: [string, () => unknown][] = [
    [
      "throws an Error",
      () => {
        throw new Error("secret");
      },
    ],
    [
      "throws a string",
      () => {
        throw "secret";
      },
    ],
    ["rejects with an Error", async () => Promise.reject(new Error("secret"))],
    ["rejects with a string", async () => Promise.reject("secret")],
    ["rejects with null", async () => Promise.reject(null)],
    ["rejects with an object", async () => Promise.reject({ secret: 1 })],
    [
      "throws an error that it does not declare",
      async () => Promise.reject(new FORBIDDEN({ displayMessage: "secret" })),
    ],
    ["returns a BigInt", () => 10n],
    ["returns a BigInt deep inside", async () => ({ rows: [{ id: 10n }] })],
    ["returns a cycle", () => cycle],
    ["resolves to a cycle", async () => cycle],
    [
      "returns what throws when it is serialised",
      () => ({
        toJSON() {
          throw new Error("secret");
        },
      }),
    ],
  ];

  it.each(failures)(
    "that %s: SERVER_ERROR with a reference and nothing else, logged once, and the connection goes on",
    async (_, fail) => {
      const { url, logger } = await startWith({ run: (how) => (how === "fail" ? fail() : "fine") });
      const peer = await RawPeer.connect(url);
      const reply = await call(peer, "run", '"fail"');
      expect(reply).toEqual(BARE_SERVER_ERROR);
      const { ref } = reply.context as { ref: string };
      expect(logger.entries).toHaveLength(1);
      expect(logger.entries[0]).toMatchObject({ level: "error", fields: { ref } });
      expect(logger.entries[0]?.message).toContain("Work.run");
      expect(await call(peer, "run", '"go on"')).toEqual({ success: true, type: "OK", data: "fine" });
      expect(logger.entries).toHaveLength(1);
    },
  );

  it("names an error that the method does not declare in the log", async () => {
    const { url, logger } = await startWith({ run: () => Promise.reject(new FORBIDDEN()) });
    await call(await RawPeer.connect(url), "run", '""');
    expect(logger.entries[0]?.message).toBe("Work.run: the handler failed, and FORBIDDEN is not among its errors");
  });

  it("shows the original in the log", async () => {
    const original = new Error("the reason");
    const { url, logger } = await startWith({ run: () => Promise.reject(original) });
    await call(await RawPeer.connect(url), "run", '""');
    expect(logger.entries[0]?.fields.error).toBe(original);
  });

  it("by a result that its schema does not take answers 'Invalid response' and logs it", async () => {
    const { url, logger } = await startWith({ typed: () => ({ n: "no number" }) as never });
    const reply = await call(await RawPeer.connect(url), "typed", '{"n":1}');
    expect(reply).toMatchObject({ type: "SERVER_ERROR", context: { displayMessage: "Invalid response" } });
    expect(JSON.stringify(reply)).not.toContain("no number");
    expect(logger.entries).toHaveLength(1);
    expect(logger.entries[0]).toMatchObject({
      level: "error",
      fields: { ref: (reply.context as { ref: string }).ref },
    });
  });

  it("on a fire-and-forget message is logged, sends the client nothing, and goes on", async () => {
    const original = new Error("secret");
    const { url, logger } = await startWith({
      note: (text) => (text === "sync" ? fail(original) : Promise.reject(original)),
    });
    const peer = await RawPeer.connect(url);
    peer.send('m:Work.note::"sync"', 'm:Work.note::"async"');
    expect(await peer.framesUntilAnswerTo("r:Work.ping:1:")).toEqual([]);
    const errors = logger.entries.filter((entry) => entry.level === "error");
    expect(errors.map((entry) => entry.fields.error)).toEqual([original, original]);
  });

  it.each([
    ["throws", () => fail(new FULL({ limit: 3 }, { displayMessage: "full", debugMessage: "hidden" }))],
    ["rejects with", async () => fail(new FULL({ limit: 3 }, { displayMessage: "full" }))],
    ["returns", () => new FULL({ limit: 3 }, { displayMessage: "full" })],
    ["resolves to", async () => new FULL({ limit: 3 }, { displayMessage: "full" })],
    ["returns the JSON of", () => new FULL({ limit: 3 }, { displayMessage: "full" }).toJSON()],
  ])("and %s a declared error is answered with it", async (_, failing) => {
    const { url } = await startWith({ run: failing });
    expect(await call(await RawPeer.connect(url), "run", '""')).toEqual({
      success: false,
      type: "HANDLERS_FULL",
      data: { limit: 3 },
      statusCode: 409,
      context: { displayMessage: "full", timestamp: expect.any(Number), ref: expect.any(String) },
    });
  });

  it("with a SERVER_ERROR of its own keeps the display message, without the data and the original", async () => {
    const { url } = await startWith({
      run: () => fail(new SERVER_ERROR({ displayMessage: "try later", originalError: new Error("secret") })),
    });
    const reply = await call(await RawPeer.connect(url), "run", '""');
    expect(reply).toMatchObject({ type: "SERVER_ERROR", context: { displayMessage: "try later" } });
    expect(JSON.stringify(reply)).not.toContain("secret");
  });

  it.each([NOT_AUTHORIZED, FORBIDDEN, VALIDATION_ERROR])(
    "hides an undeclared %o like any other",
    async (Undeclared) => {
      const { url } = await startWith({ run: () => fail(new Undeclared([] as never)) });
      expect(await call(await RawPeer.connect(url), "run", '""')).toEqual(BARE_SERVER_ERROR);
    },
  );
});

describe("a declared method without a handler", () => {
  it("answers with a SERVER_ERROR that names it, and the others work", async () => {
    const { run: _left, ...others } = idle;
    const { url } = await start((incoming) => incoming.on(others as GGSocketHandlers<C2S>));
    const peer = await RawPeer.connect(url);
    const reply = await call(peer, "run", '""');
    expect(reply).toMatchObject({ type: "SERVER_ERROR", context: { ref: expect.any(String) } });
    expect((reply.context as { displayMessage: string }).displayMessage).toContain("Work.run");
    expect(await call(peer, "ping")).toEqual({ success: true, type: "OK" });
  });

  it("is warned about when it gets a fire-and-forget message", async () => {
    const { note: _left, ...others } = idle;
    const { url, logger } = await start((incoming) => incoming.on(others as GGSocketHandlers<C2S>));
    const peer = await RawPeer.connect(url);
    peer.send('m:Work.note::"x"');
    await call(peer, "ping");
    expect(logger.entries).toHaveLength(1);
    expect(logger.entries[0]?.message).toContain("Work.note");
  });

  it("does not find one in what every object inherits", async () => {
    const named = defineSocketContract("Odd", {
      clientToServer: { toString: { success: IsString }, constructor: { success: IsAny }, valueOf: { success: IsAny } },
      serverToClient: {},
    });
    const { url } = await serveApi(webSocketSchema(named).path("ws/odd").done(), (incoming) =>
      incoming.on({} as never),
    );
    const peer = await RawPeer.connect(url);
    for (const method of ["toString", "constructor", "valueOf"]) {
      peer.send(`r:Odd.${method}:1:`);
      expect(await peer.next()).toContain(`Odd.${method} has no handler`);
    }
  });
});

describe("what a handler gets", () => {
  it("is its input coerced, with defaults, and stripped of unknown keys", async () => {
    const got: unknown[] = [];
    const { url } = await startWith({
      typed: (input) => {
        got.push(input);
        return { n: input.n };
      },
    });
    await call(await RawPeer.connect(url), "typed", '{"n":"5","more":1,"__proto__":{"x":1}}');
    expect(got).toEqual([{ n: 5, s: "d" }]);
  });

  it("is nothing when its method has no input, whatever was sent", async () => {
    const got: unknown[][] = [];
    const { url } = await startWith({
      bare: (...args: unknown[]) => {
        got.push(args);
        return "ok";
      },
    });
    const peer = await RawPeer.connect(url);
    await call(peer, "bare", '{"a":1}');
    await call(peer, "bare", "{not json");
    expect(got).toEqual([[undefined], [undefined]]);
  });

  it("never is an input that does not validate", async () => {
    const got: unknown[] = [];
    const { url, logger } = await startWith({
      typed: (input) => {
        got.push(input);
        return { n: 1 };
      },
      note: (text) => void got.push(text),
    });
    const peer = await RawPeer.connect(url);
    expect(await call(peer, "typed", '{"n":"x"}')).toMatchObject({
      type: "VALIDATION_ERROR",
      statusCode: 422,
      data: [{ path: "n", value: "x" }],
    });
    expect(await call(peer, "typed")).toMatchObject({ type: "VALIDATION_ERROR", data: [{ path: "" }] });
    peer.send("m:Work.note::{nope", "m:Work.note::[]");
    await call(peer, "ping");
    expect(got).toEqual([]);
    expect(logger.entries.map((entry) => [entry.level, entry.message])).toEqual([
      ["warn", expect.stringContaining("Work.note")],
      ["warn", expect.stringContaining("Work.note")],
    ]);
  });
});

describe("incoming.on", () => {
  it("called again replaces the handlers that it names and keeps the others", async () => {
    const first = { ...idle, run: () => "first run", bare: () => "first bare" };
    const { url } = await start((incoming) => {
      incoming.on(first);
      incoming.on({ run: () => "second run" } as unknown as GGSocketHandlers<C2S>);
    });
    const peer = await RawPeer.connect(url);
    expect([(await call(peer, "run", '""')).data, (await call(peer, "bare")).data]).toEqual([
      "second run",
      "first bare",
    ]);
  });

  it("called in the middle of a connection holds from the next message on", async () => {
    const { url } = await start((incoming) => {
      incoming.on({
        ...idle,
        run: () => {
          incoming.on({ ...idle, run: () => "after" });
          return "before";
        },
      });
    });
    const peer = await RawPeer.connect(url);
    expect([(await call(peer, "run", '""')).data, (await call(peer, "run", '""')).data]).toEqual(["before", "after"]);
  });

  it("calls each handler as a method of the object that it came with", async () => {
    class Service {
      readonly #name = "service";
      run() {
        return this.#name;
      }
      typed({ n }: { n: number }) {
        return { n };
      }
      bare() {
        return "overridden";
      }
      note() {}
      ping() {}
    }
    const own = {
      name: "own",
      bare() {
        return this.name;
      },
    };
    const { url } = await start((incoming) => {
      incoming.on(new Service());
      incoming.on(own as unknown as GGSocketHandlers<C2S>);
    });
    const peer = await RawPeer.connect(url);
    expect([(await call(peer, "run", '""')).data, (await call(peer, "bare")).data]).toEqual(["service", "own"]);
  });

  it("takes handlers that return values, promises or the GGPromise of another call", async () => {
    const passedOn = () =>
      new GGPromise<string, typeof SERVER_ERROR.infer>(Promise.resolve({ success: true, type: "OK", data: "call" }));
    const { url } = await startWith({
      run: (how) => (how === "value" ? "value" : how === "promise" ? Promise.resolve("promise") : passedOn()),
    });
    const peer = await RawPeer.connect(url);
    for (const how of ["value", "promise", "call"]) {
      expect(await call(peer, "run", `"${how}"`)).toEqual({ success: true, type: "OK", data: how });
    }
  });

  it("replies as handlers finish, while the next messages are handled", async () => {
    const gate = new Gate();
    const { url } = await startWith({ run: () => gate.passed.then(() => "slow"), bare: () => "quick" });
    const peer = await RawPeer.connect(url);
    peer.send('r:Work.run:1:""', "r:Work.bare:2:");
    expect(await peer.next()).toContain("s:Work.bare:2:");
    gate.open();
    expect(await peer.next()).toContain("s:Work.run:1:");
  });
});

describe("the connection handler", () => {
  it.each([
    [
      "throws",
      () => {
        throw new Error("no user");
      },
    ],
    ["rejects", () => Promise.reject(new Error("no user"))],
    [
      "rejects after it has given handlers",
      async (incoming: WebSocketIncoming<C2S>) => {
        incoming.on(idle);
        throw new Error("no user");
      },
    ],
  ])("that %s closes the connection with 1011, is logged, and runs onClose", async (_, handler) => {
    const closed = new Gate();
    const { url, logger, server } = await start((incoming, outgoing) => {
      outgoing.onClose(() => closed.open());
      return handler(incoming);
    });
    const peer = await RawPeer.open(url);
    peer.send("h:::{}");
    expect(await peer.closed).toEqual({ code: 1011, reason: "Connection handler failed" });
    await closed.passed;
    expect(logger.entries).toEqual([
      {
        level: "error",
        message: "Work: the connection handler failed",
        fields: { ...ofConnection, error: new Error("no user") },
      },
    ]);
    expect(server.connectionCount).toBe(0);
  });

  it.each([undefined, null, "text", 0])("may reject with %s too", async (reason) => {
    const { url, logger } = await start(() => Promise.reject(reason));
    const peer = await RawPeer.open(url);
    peer.send("h:::{}");
    expect((await peer.closed).code).toBe(1011);
    expect(logger.entries[0]?.fields).toEqual({ ...ofConnection, error: reason });
  });

  it("that fails for one connection does not affect others", async () => {
    let count = 0;
    const { url } = await start((incoming) => {
      if (++count === 2) throw new Error("only this one");
      incoming.on(idle);
    });
    const first = await RawPeer.connect(url);
    const second = await RawPeer.open(url);
    second.send("h:::{}");
    await second.closed;
    const third = await RawPeer.connect(url);
    expect([await call(first, "ping"), await call(third, "ping")]).toEqual([
      { success: true, type: "OK" },
      { success: true, type: "OK" },
    ]);
  });

  it("gets incoming and outgoing of its connection and no other", async () => {
    const { url } = await start((incoming, outgoing) => {
      incoming.on({ ...idle, note: (text) => void outgoing.news(text) });
    });
    const [ann, bob] = [await RawPeer.connect(url), await RawPeer.connect(url)];
    ann.send('m:Work.note::"for ann"');
    expect(await ann.next()).toBe('m:Work.news::"for ann"');
    await bob.roundTrip();
    expect(bob.frames.unseen).toEqual([]);
  });
});

describe("outgoing", () => {
  it("has functions that work on their own and stay the same", async () => {
    const outgoings = new Queue<WebSocketOutgoing<S2C>>();
    const { url } = await start((_incoming, outgoing) => outgoings.push(outgoing));
    const peer = await RawPeer.connect(url);
    const other = await RawPeer.connect(url);
    const outgoing = await outgoings.next();
    const { news } = outgoing;
    expect(outgoing.news).toBe(news);
    expect(outgoing.other).toBe(outgoing.other);
    expect((await outgoings.next()).news).not.toBe(news);
    news("detached");
    expect(await peer.next()).toBe('m:Work.news::"detached"');
    expect(new Set([outgoing.news, news]).size).toBe(1);
    await other.roundTrip();
    expect(other.frames.unseen).toEqual([]);
  });

  it("is not a promise and has no more methods than the contract", async () => {
    const outgoings = new Queue<WebSocketOutgoing<S2C>>();
    const { url } = await start(async (_incoming, outgoing) => outgoings.push(outgoing));
    await RawPeer.connect(url);
    const outgoing = (await outgoings.next()) as unknown as Record<string, unknown>;
    for (const name of ["then", "nope", "__proto__x"]) expect(outgoing[name]).toBeUndefined();
    const methods: string[] = [];
    for (const name in outgoing) methods.push(name);
    expect(methods.sort()).toEqual(["news", "other"]);
  });
});

describe("outgoing.onClose", () => {
  it.each<[string, (peer: RawPeer) => void]>([
    ["closes", (peer) => peer.ws.close(1000, "bye")],
    ["breaks off", (peer) => peer.ws.terminate()],
  ])("runs every callback once, in order, when the client %s", async (_, close) => {
    const events = new Queue<string>();
    const { url } = await start((incoming, outgoing) => {
      incoming.on(idle);
      outgoing.onClose(() => events.push("first"));
      outgoing.onClose(() => events.push("second"));
    });
    const peer = await RawPeer.connect(url);
    close(peer);
    expect(await events.take(2)).toEqual(["first", "second"]);
    await peer.closed;
    await call(await RawPeer.connect(url), "ping");
    expect(events.unseen).toEqual([]);
  });

  it("runs a callback that is added after the close, once, and calls it with nothing", async () => {
    const outgoings = new Queue<WebSocketOutgoing<S2C>>();
    const closed = new Gate();
    const { url } = await start((incoming, outgoing) => {
      incoming.on(idle);
      outgoings.push(outgoing);
      outgoing.onClose(() => closed.open());
    });
    (await RawPeer.connect(url)).ws.close();
    await closed.passed;
    const outgoing = await outgoings.next();
    const calls: unknown[][] = [];
    outgoing.onClose((...args: unknown[]) => void calls.push(args));
    expect(calls).toEqual([[]]);
  });

  it("goes on to the next callback when one throws, and logs it", async () => {
    const closed = new Gate();
    const { url, logger } = await start((_incoming, outgoing) => {
      outgoing.onClose(() => fail(new Error("in onClose")));
      outgoing.onClose(() => closed.open());
    });
    (await RawPeer.connect(url)).ws.close();
    await closed.passed;
    expect(logger.entries).toEqual([
      { level: "error", message: expect.any(String), fields: { ...ofConnection, error: new Error("in onClose") } },
    ]);
  });
});

describe("nothing that a program does in its handlers", () => {
  const rejections: unknown[] = [];
  const note = (reason: unknown) => void rejections.push(reason);
  beforeEach(() => {
    rejections.length = 0;
    process.on("unhandledRejection", note);
  });
  afterEach(() => void process.off("unhandledRejection", note));

  it("raises an unhandled rejection", async () => {
    const { url } = await startWith({
      run: async () => Promise.reject(new Error("1")),
      bare: async () => 10n,
      note: async () => Promise.reject(new Error("2")),
      ping: async () => fail(new NOT_FOUND()),
    });
    const peer = await RawPeer.connect(url);
    peer.send(
      'm:Work.run::""',
      "m:Work.bare::",
      'm:Work.note::""',
      "m:Work.ping::",
      'r:Work.run:1:""',
      "r:Work.bare:2:",
    );
    await peer.frames.take(2);
    await peer.roundTrip();
    expect(rejections).toEqual([]);
  });
});

function fail(error: unknown): never {
  throw error;
}
