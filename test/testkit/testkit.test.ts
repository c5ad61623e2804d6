import { GGContext } from "@grest-ts/context";
import { IsNumber, IsObject, NOT_AUTHORIZED, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import {
  defineSocketContract,
  GGWebSocketSchema,
  type WebSocketSchemaConfig,
  webSocketSchema,
} from "@grest-ts/websocket";
import { type CallOnOptions, callOn, GGSocketCall, GGSocketMock, GGSocketTestError } from "@grest-ts/websocket/testkit";
import { describe, expect, it, vi } from "vitest";
import { BANNED, FULL, GG_NAME, KitApi, Room } from "../fixtures/testkit/api.js";
import { recordingLogger, serve, startHttp } from "../support/server.js";

const as = (name: string): GGContext => new GGContext("test").set(GG_NAME, name);

/** A room that is served, and Ann in it. */
async function enter({ logger, ...options }: CallOnOptions & WebSocketSchemaConfig = {}, room = new Room()) {
  const { url, http } = await startHttp((server) => KitApi.register(room.handle, { http: server, logger }));
  const ann = callOn(KitApi, { context: as("ann"), ...options });
  await ann.connect();
  return { room, url, http, ann };
}

/** The error text of a failing action, without its variable parts. */
async function failureOf(action: PromiseLike<unknown>): Promise<string> {
  const error = await Promise.resolve(action).then(
    () => expect.unreachable("it did not fail"),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(GGSocketTestError);
  return stable((error as Error).message);
}

const stable = (text: string) => text.replace(/("?timestamp"?: ?)\d{13}/g, "$10").replace(/ERR_REF_\w+/g, "ERR_REF");

/** Ends a test inside a test: what `onTestFinished` was given, called by hand. */
function endOfTest() {
  const callbacks: ((context?: unknown) => Promise<void>)[] = [];
  return {
    onTestFinished: (callback: (context?: unknown) => Promise<void>) => void callbacks.push(callback),
    end: async (state: "pass" | "fail" = "pass") => {
      for (const callback of callbacks) await callback({ task: { result: { state } } });
    },
  };
}

describe("callOn", () => {
  it("finds the server of this process, and acts as the user of its context", async () => {
    const { ann } = await enter();
    await ann.whoAmI().toEqual("ann");
    const bob = as("bob").run(() => callOn(KitApi));
    await bob.connect();
    expect(await bob.whoAmI()).toBe("bob");
  });

  it("takes the latest server that is still running", async () => {
    const first = await enter();
    const second = await startHttp((http) => KitApi.register(new Room().handle, { http }));
    const third = await serve((http) => KitApi.startServer(new Room().handle, { http }));
    await third.server.teardown();
    const reached = async () => {
      const bob = callOn(KitApi, as("bob"));
      await bob.connect();
      const count = await bob.say({ text: "where?" }).with(bob.mock.said);
      await bob.disconnect();
      return count;
    };
    expect([await reached(), await reached()]).toEqual([1, 2]);
    expect(first.room.count).toBe(0);
    await second.http.teardown();
    const ears = first.ann.mock.said.times(1).then(() => {});
    expect(await reached()).toBe(1);
    await ears;
    expect(first.room.count).toBe(1);
  });

  it("says what to do when there is no server", async () => {
    expect(await failureOf(callOn(KitApi).connect())).toMatchInlineSnapshot(
      `"Kit: no running server of this process has registered it. Register it and start its HTTP server before connect(), or set the URL: callOn(Kit, { url })"`,
    );
  });

  it("takes a url, ws or http", async () => {
    const { url } = await enter();
    for (const given of [url, url.replace("ws", "http")]) {
      const bob = callOn(KitApi, { url: given, context: as("bob") });
      await bob.connect();
      await bob.whoAmI().toEqual("bob");
    }
  });

  it("sends query arguments, and runs more middlewares after the schema's", async () => {
    const Api = webSocketSchema(defineSocketContract("Query", { clientToServer: { ping: {} }, serverToClient: {} }))
      .path("ws/query")
      .queryOnConnect<{ room: string }>()
      .done();
    const seen: unknown[] = [];
    await startHttp((http) =>
      Api.register(
        (incoming, _outgoing, query) => {
          seen.push(query);
          incoming.on({ ping: () => {} });
        },
        { http },
      ),
    );
    const middlewares = [
      {
        updateHandshake: ({ queryArgs }: { queryArgs: Record<string, string> }) => {
          queryArgs.more = "yes";
        },
      },
    ];
    const api = callOn(Api, { query: { room: "a" }, middlewares });
    await api.connect();
    expect(seen).toEqual([{ room: "a", more: "yes" }]);
  });

  it("rejects connect() with the error that the server refused with", async () => {
    await enter();
    await expect(callOn(KitApi).connect()).rejects.toBeInstanceOf(NOT_AUTHORIZED);
    await expect(callOn(KitApi, as("mallory")).connect()).rejects.toBeInstanceOf(BANNED);
  });

  it("is found by the framework's own callOn", async () => {
    await enter();
    const factory = (KitApi as unknown as Record<symbol, (context?: GGContext) => unknown>)[
      Symbol.for("gg:callOnFactory")
    ];
    expect(Object.keys(GGWebSocketSchema.prototype)).toEqual([]);
    const bob = factory?.call(KitApi, as("bob")) as ReturnType<
      typeof callOn<typeof C2S, typeof S2C, object, undefined>
    >;
    await bob.connect();
    await bob.whoAmI().toEqual("bob");
  });

  it("connects once, and again after disconnect()", async () => {
    const { ann, room } = await enter();
    await Promise.all([ann.connect(), ann.connect()]);
    expect(room.members).toHaveLength(1);
    await ann.disconnect();
    expect(await failureOf(ann.whoAmI())).toMatchInlineSnapshot(
      `"Kit.whoAmI: there is no connection: the connection has closed (1000). Call connect() again"`,
    );
    await ann.connect();
    await ann.whoAmI().toEqual("ann");
  });

  it("needs connect() first", async () => {
    expect(await failureOf(callOn(KitApi).whoAmI())).toMatchInlineSnapshot(
      `"Kit.whoAmI: there is no connection: call connect() first"`,
    );
    expect(await failureOf(callOn(KitApi).mock.tick)).toMatchInlineSnapshot(
      `"Kit.tick: there is no connection: call connect() first"`,
    );
  });

  it("refuses a contract whose methods it would hide", () => {
    const Api = webSocketSchema(defineSocketContract("Own", { clientToServer: { mock: {} }, serverToClient: {} }));
    expect(() => callOn(Api.path("ws/own").done())).toThrow(/^Own\.mock: /);
  });
});

const { clientToServer: C2S, serverToClient: S2C } = KitApi.methods;

describe("a call", () => {
  it("is sent when it is awaited, and once", async () => {
    const { ann, room } = await enter();
    const call = ann.note({ text: "a" });
    expect(call).toBeInstanceOf(GGSocketCall);
    await ann.whoAmI();
    expect(room.notes).toEqual([]);
    await call;
    await call;
    await ann.whoAmI();
    expect(room.notes).toEqual(["a"]);
    expect(() => call.toBeUndefined()).toThrow(/it has started/);
  });

  it("gives its result, and is a promise", async () => {
    const { ann } = await enter();
    const ended = vi.fn();
    const result: Promise<string> = ann.whoAmI();
    expect(await result.finally(ended)).toBe("ann");
    expect(ended).toHaveBeenCalledTimes(1);
    expect(await ann.enter().catch((error: unknown) => error)).toMatchObject({ cause: { type: "KIT_FULL" } });
    expect(await ann.hush()).toBeUndefined();
  });

  it("is checked by every expectation", async () => {
    const { ann } = await enter();
    const bob = { id: 2, name: "bob" };
    const list = await ann
      .list()
      .toHaveLength(2)
      .toEqual([{ id: 1, name: expect.stringMatching(/^a/) }, bob])
      .toMatchObject([{ name: "ann" }, { id: expect.any(Number) }])
      .arrayToContain({ name: "bob" }, { id: 1 })
      .arrayToContainEqual(bob);
    expect(list).toHaveLength(2);
    await ann.hush().toBeUndefined();
  });

  it.each([
    ["toEqual", (api: Tester) => api.list().toEqual([{ id: 1, name: "ann" }])],
    ["toMatchObject", (api: Tester) => api.list().toMatchObject([{ id: 1 }, { id: 3 }])],
    ["toHaveLength", (api: Tester) => api.list().toHaveLength(3)],
    ["arrayToContain", (api: Tester) => api.list().arrayToContain({ id: 1 }, { name: "cy" })],
    ["arrayToContainEqual", (api: Tester) => api.list().arrayToContainEqual({ id: 1 } as never)],
    ["toBeUndefined", (api: Tester) => api.list().toBeUndefined()],
    ["the first of two", (api: Tester) => api.list().toHaveLength(1).toHaveLength(2)],
  ])("fails: %s", async (_name, call) => {
    const { ann } = await enter();
    expect(await failureOf(call(ann))).toMatch(/^Kit\.list: the result is not as expected\n\nExpected to /);
  });

  it("says what it expected, what came, and what went over the wire", async () => {
    const { ann } = await enter();
    const call = ann.list().toMatchObject([{ id: 1 }, { id: expect.any(String), name: "bob" }]);
    expect(await failureOf(call)).toMatchInlineSnapshot(`
      "Kit.list: the result is not as expected

      Expected to match:
        [ { id: 1 }, { id: Any<String>, name: 'bob' } ]

      Received:
        [ { id: 1 }, { id: 2, name: 'bob' } ]

      Frames of the last exchange (→ sent, ← received):
        → r:Kit.list:1:
        ← s:Kit.list:1:{"success":true,"type":"OK","data":[{"id":1,"name":"ann"},{"id":2,"name":"bob"}]}"
    `);
  });

  it("shows the line of the test that it is on, and both sides to the runner", async () => {
    const { ann } = await enter();
    const error = await ann
      .whoAmI()
      .toEqual("bob")
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ expected: "bob", actual: "ann" });
    expect((error as Error).stack?.split("\n").find((line) => /^ +at /.test(line))).toContain("testkit.test.ts");
  });

  it("fails with the error that came in place of a result", async () => {
    const { ann } = await enter();
    expect(await failureOf(ann.enter())).toMatchInlineSnapshot(`
      "Kit.enter: expected a result

      Received an error:
        { type: 'KIT_FULL', data: { seats: 8 }, timestamp: 0, ref: 'ERR_REF' }

      Frames of the last exchange (→ sent, ← received):
        → r:Kit.enter:1:
        ← s:Kit.enter:1:{"success":false,"type":"KIT_FULL","data":{"seats":8},"statusCode":409,"context":{"timestamp":0,"ref":"ERR_REF"}}"
    `);
  });

  it("is not checked at this end: the server's validation is what the test sees", async () => {
    const { ann } = await enter();
    const errors = await ann
      .say({ text: "", tags: ["a", 2 as never, {} as never] })
      .toBeError(VALIDATION_ERROR)
      .toEqual({ text: ["Value must not be empty"], "tags.2": ["Value must be a string"] });
    expect(errors.text).toEqual(["Value must not be empty"]);
    expect(errors.text?.__issue).toMatchObject([{ code: "invalid.string.nonEmpty" }]);
    await ann
      .say(undefined as never)
      .toBeError(VALIDATION_ERROR)
      .toMatchObject({ "": [expect.any(String)] });
    expect(
      await failureOf(ann.say({ text: "" }).toBeError(VALIDATION_ERROR).toEqual({ tags: [] })),
    ).toMatchInlineSnapshot(`
      "Kit.say: the data of VALIDATION_ERROR is not as expected

      Expected to equal:
        { tags: [] }

      Received:
        { text: [ 'Value must not be empty' ] }

      Frames of the last exchange (→ sent, ← received):
        → r:Kit.say:3:{"text":""}
        ← s:Kit.say:3:{"success":false,"type":"VALIDATION_ERROR","data":[{"path":"text","code":"invalid.string.nonEmpty","message":"Value must not be empty","value":""}],"statusCode":422,"context":{"displayMessage":"Invalid arguments","timestamp":0,"ref":"ERR_REF"}}"
    `);
  });

  it("expects errors, with their data", async () => {
    const { ann } = await enter();
    const data = await ann.enter().toBeError(FULL).toEqual({ seats: 8 });
    expect(data.seats).toBe(8);
    expect(await failureOf(ann.enter().toBeError(FULL).toMatchObject({ seats: 9 }))).toMatch(/the data of KIT_FULL/);
    expect(await failureOf(ann.enter().toBeError(BANNED))).toMatch(
      /expected the error KIT_BANNED[\s\S]*type: 'KIT_FULL'/,
    );
    expect(await failureOf(ann.whoAmI().toBeError(SERVER_ERROR))).toMatchInlineSnapshot(`
      "Kit.whoAmI: expected the error SERVER_ERROR

      Received a result:
        'ann'

      Frames of the last exchange (→ sent, ← received):
        → r:Kit.whoAmI:4:
        ← s:Kit.whoAmI:4:{"success":true,"type":"OK","data":"ann"}"
    `);
    const hush = ann.hush();
    expect(() => hush.toBeError(SERVER_ERROR as never)).toThrow(/has no reply/);
    await hush;
  });

  it("of a method without a reply is done when the server has the message", async () => {
    const { ann, room } = await enter();
    await ann.note({ text: "a" });
    expect(room.notes).toEqual(["a"]);
  });

  it("fails when the connection closes", async () => {
    const room = new Room();
    const failing = gate();
    room.onConnection = () => failing.passed;
    const { ann } = await enter({ logger: recordingLogger() }, room);
    const call = failureOf(ann.never());
    const push = failureOf(ann.mock.tick);
    await ann.hush();
    failing.fail();
    expect(await call).toMatch(
      /^Kit: the connection has closed \(1011 Connection handler failed\) while calling Kit\.never\n/,
    );
    expect(await push).toMatch(/^Kit: the connection has closed \(1011 .*\) while waiting for Kit\.tick\n/);
    expect(await failureOf(ann.whoAmI())).toMatch(/there is no connection: .*1011/);
    room.onConnection = (outgoing) => outgoing.tick();
    await ann.connect();
    await ann.mock.tick;
  });

  it("still reports what came before the connection closed", async () => {
    const room = new Room();
    const { server } = await serve((http) => KitApi.startServer(room.handle, { http }));
    const ann = callOn(KitApi, as("ann"));
    await ann.connect();
    room.members[0]?.tick();
    await ann.whoAmI();
    await server.teardown();
    expect(await failureOf(ann.never())).toMatch(/has closed/);
    expect(await failureOf(ann.connect())).toMatch(/^Kit\.tick: a push that no test expected/);
  });
});

/** A promise that a test rejects. */
function gate() {
  let fail!: () => void;
  const passed = new Promise<void>((_, reject) => {
    fail = () => reject(new Error("the test said so"));
  });
  return { passed, fail };
}

type Tester = Awaited<ReturnType<typeof enter>>["ann"];

describe("a mock", () => {
  it("waits for the push", async () => {
    const { ann, room } = await enter();
    setImmediate(() => room.members[0]?.said({ text: "hi", by: "x" }));
    expect(ann.mock.said).toBeInstanceOf(GGSocketMock);
    expect(await ann.mock.said.toMatchObject({ text: "hi" })).toEqual({ text: "hi", by: "x" });
  });

  it("takes what came before it was asked for, in order", async () => {
    const { ann } = await enter();
    await ann.say({ text: "a" });
    await ann.say({ text: "b" });
    await ann.mock.said.toMatchObject({ text: "a" });
    await ann.mock.said.toEqual({ text: "b", by: "ann" });
  });

  it("takes what comes together with the handshake's answer", async () => {
    const room = new Room();
    room.onConnection = (outgoing) => outgoing.tick();
    const { ann } = await enter({}, room);
    expect(await ann.mock.tick.toBeUndefined()).toBeUndefined();
  });

  it("fails at the first message that is not as expected", async () => {
    const { ann } = await enter();
    await ann.say({ text: "a" });
    expect(await failureOf(ann.mock.said.toMatchObject({ text: "b" }))).toMatchInlineSnapshot(`
      "Kit.said: the payload is not as expected

      Expected to match:
        { text: 'b' }

      Received:
        { text: 'a' }

      Frames of the last exchange (→ sent, ← received):
        → r:Kit.say:1:{"text":"a"}
        ← m:Kit.said::{"text":"a","by":"ann"}
        ← s:Kit.say:1:{"success":true,"type":"OK","data":1}"
    `);
  });

  it("expects several with times(n)", async () => {
    const { ann, room } = await enter();
    room.repeat = 3;
    await ann.say({ text: "a" });
    const payloads = await ann.mock.said.toMatchObject({ by: "ann" }).times(3);
    expect(payloads.map(({ text }) => text)).toEqual(["a", "a", "a"]);
    expect(() => ann.mock.said.times(0)).toThrow(/expect at least one/);
  });

  it("says what has not come", async () => {
    const { ann, room } = await enter();
    room.repeat = 2;
    room.onHush = (outgoing) => outgoing.tick();
    await ann.say({ text: "a" });
    await ann.hush();
    const call = ann.whoAmI().waitFor(ann.mock.said.toMatchObject({ text: "a" }).times(3), 1);
    expect(await failureOf(call)).toMatchInlineSnapshot(`
      "Kit.whoAmI: not done within 1 ms

      Missing:
        Kit.said (2 of 3 received)
          to match:
            { text: 'a' }

      Received but not expected:
        Kit.tick

      Frames of the last exchange (→ sent, ← received):
        → r:Kit.whoAmI:2:
        ← s:Kit.whoAmI:2:{"success":true,"type":"OK","data":"ann"}"
    `);
    await ann.mock.tick;
    const bob = callOn(KitApi, { context: as("bob"), timeout: 1 });
    await bob.connect();
    expect(await failureOf(bob.mock.said)).toMatchInlineSnapshot(`
      "Kit.said: not done within 1 ms

      Missing:
        Kit.said

      Frames of the last exchange (→ sent, ← received):
        → h:::{…}
        ← k:::null"
    `);
  });

  it("answers requests: the value, after a while, or an error", async () => {
    const { ann } = await enter();
    await ann.askMe().with(ann.mock.question.toEqual("why?").andReturn("because")).toEqual("because");
    const start = performance.now();
    await ann.askMe().with(ann.mock.question.andReturn("later").sleep(20)).toEqual("later");
    expect(performance.now() - start).toBeGreaterThanOrEqual(19);
    await ann.askMe().with(ann.mock.question.andReturn(new SERVER_ERROR())).toBeError(SERVER_ERROR);
  });

  it("answers a request that came with the handshake's answer", async () => {
    const room = new Room();
    const answers: unknown[] = [];
    room.onConnection = async (outgoing) => void answers.push(await outgoing.question("who?"));
    const { ann } = await enter({}, room);
    expect(await ann.mock.question.andReturn("me")).toBe("who?");
    await ann.whoAmI();
    expect(answers).toEqual(["me"]);
  });

  it("needs the answer of a request, and takes none for a push", async () => {
    const { ann } = await enter();
    expect(await failureOf(ann.mock.question)).toMatch(/^Kit\.question: a request needs an answer/);
    expect(await failureOf(ann.mock.said.andReturn(1 as never))).toMatch(/^Kit\.said: a push takes no answer/);
  });
});

describe("with and waitFor", () => {
  it("wait for what the call leads to, on every connection", async () => {
    const { ann } = await enter();
    const bob = callOn(KitApi, as("bob"));
    await bob.connect();
    const heard = { text: "hi", by: "ann" };
    await ann.say({ text: "hi" }).with(ann.mock.said.toEqual(heard), bob.mock.said.toEqual(heard)).toEqual(1);
    await bob
      .say({ text: "ho" })
      .with(bob.mock.said)
      .waitFor(ann.mock.said.toMatchObject({ by: "bob" }));
  });

  it("wait for what comes after the reply", async () => {
    const { ann, room } = await enter();
    room.onHush = (outgoing) => setImmediate(() => setImmediate(() => outgoing.tick()));
    await ann.hush().with(ann.mock.tick);
    await ann.hush().waitFor(ann.mock.tick);
  });

  it("name what is missing", async () => {
    const { ann } = await enter({ timeout: 1 });
    const call = ann.never().with(ann.mock.said.toMatchObject({ text: "b" }).times(2), ann.mock.tick);
    expect(await failureOf(call)).toMatchInlineSnapshot(`
      "Kit.never: not done within 1 ms

      Missing:
        the reply
        Kit.said (0 of 2 received)
          to match:
            { text: 'b' }
        Kit.tick

      Frames of the last exchange (→ sent, ← received):
        → r:Kit.never:1:"
    `);
    const bob = callOn(KitApi, { context: as("bob"), timeout: 300 });
    await bob.connect();
    expect(await failureOf(bob.whoAmI().with(bob.mock.tick))).toMatchInlineSnapshot(`
      "Kit.whoAmI: not done within 300 ms

      Missing:
        Kit.tick

      Frames of the last exchange (→ sent, ← received):
        → r:Kit.whoAmI:1:
        ← s:Kit.whoAmI:1:{"success":true,"type":"OK","data":"bob"}"
    `);
  });

  it("fail at once when the reply is not as expected", async () => {
    const { ann } = await enter();
    expect(await failureOf(ann.whoAmI().toEqual("bob").with(ann.mock.tick))).toMatch(/the result is not as expected/);
  });

  it("take an expectation once", async () => {
    const { ann } = await enter();
    await ann.say({ text: "a" });
    const { said } = ann.mock;
    await said;
    expect(await failureOf(ann.whoAmI().with(said))).toMatch(/a second time/);
    const call = ann.whoAmI();
    expect(() => call.with(Promise.resolve() as never)).toThrow(/take expectations/);
    await call;
  });
});

describe("what no test expected", () => {
  it("fails disconnect(), with method and payload", async () => {
    const { ann } = await enter();
    await ann.say({ text: "a" });
    expect(await failureOf(ann.disconnect())).toMatchInlineSnapshot(`
      "Kit.said: a push that no test expected

      Kit.said
        { text: 'a', by: 'ann' }

      Frames of the last exchange (→ sent, ← received):
        → r:Kit.say:1:{"text":"a"}
        ← m:Kit.said::{"text":"a","by":"ann"}
        ← s:Kit.say:1:{"success":true,"type":"OK","data":1}"
    `);
    await ann.disconnect();
  });

  it("is seen also when it comes last", async () => {
    const { ann, room } = await enter();
    room.onHush = (outgoing) => {
      outgoing.tick();
      process.nextTick(() => outgoing.said({ text: "late", by: "x" }));
    };
    await ann.hush();
    expect(await failureOf(ann.disconnect())).toMatch(/^Kit\.tick, Kit\.said: 2 pushes that no test expected\n/);
  });

  it("is seen also when it crosses the close frame", async () => {
    const { ann, room } = await enter();
    const disconnected = failureOf(ann.disconnect());
    room.members[0]?.tick();
    expect(await disconnected).toMatch(/^Kit\.tick: a push that no test expected/);
  });

  it("is only what came beside an expectation, of the same method too", async () => {
    const { ann, room } = await enter();
    room.repeat = 2;
    await ann.say({ text: "a" }).with(ann.mock.said);
    expect(await failureOf(ann.disconnect())).toMatch(/^Kit\.said: a push that no test expected/);
  });

  it("fails the test at its end, and closes the connection", async () => {
    const { onTestFinished, end } = endOfTest();
    const { ann } = await enter({ onTestFinished });
    await ann.say({ text: "a" });
    expect(await failureOf(end())).toMatch(/^Kit\.said: a push that no test expected/);
    expect(await failureOf(ann.whoAmI())).toMatch(/there is no connection/);
    await end();
  });

  it("does not include what users get when others disconnect at its end", async () => {
    const { onTestFinished, end } = endOfTest();
    const { ann, room } = await enter({ onTestFinished });
    const bob = callOn(KitApi, { context: as("bob"), onTestFinished });
    await bob.connect();
    room.onLeave = () => void room.members[0]?.tick();
    await end();
    room.onLeave = () => {};
    await ann.connect();
    await bob.connect();
    room.onLeave = () => void room.members[2]?.tick();
    await bob.disconnect();
    await ann.mock.tick;
  });

  it("is not reported on top of another failure", async () => {
    const { onTestFinished, end } = endOfTest();
    const { ann } = await enter({ onTestFinished });
    await ann.say({ text: "a" });
    await end("fail");
    await ann.disconnect();
  });

  it("may be a request: it is answered with an error, and the next expectation fails", async () => {
    const { ann, room } = await enter();
    const answer = await room.members[0]?.question("why?").asResult();
    expect(answer).toMatchObject({
      type: "SERVER_ERROR",
      context: { displayMessage: "No mock of the test answers Kit.question" },
    });
    expect(await failureOf(ann.whoAmI())).toMatchInlineSnapshot(`
      "Kit: the server asked Kit.question, and no mock answers it

      Answer it with api.mock.question.andReturn(…), in with(…) of the call that causes it

      Kit.question
        'why?'

      Frames of the last exchange (→ sent, ← received):
        → h:::{…}
        ← k:::null
        ← r:Kit.question:1:"why?""
    `);
    await ann.whoAmI().toEqual("ann");
  });

  it("fails what is awaited meanwhile", async () => {
    const { ann } = await enter();
    expect(await failureOf(ann.askMe())).toMatch(/^Kit: the server asked Kit\.question, and no mock answers it\n/);
  });

  it("may be a request that comes while another is expected", async () => {
    const { ann, room } = await enter();
    const asked = room.members[0]?.question("why?").asResult();
    expect(await failureOf(ann.mock.question.toEqual("how?").andReturn("so"))).toMatch(/payload is not as expected/);
    expect(await asked).toMatchObject({ type: "SERVER_ERROR" });
  });

  it("may be outside the contract, or not fit it", async () => {
    const contract = defineSocketContract("Kit", {
      clientToServer: { whoAmI: { success: IsNumber } },
      serverToClient: { said: { input: IsObject({ text: IsNumber }) }, news: { input: IsNumber } },
    });
    const Other = webSocketSchema(contract).path("ws/kit").done();
    let send!: () => void;
    const { url } = await startHttp((http) =>
      Other.register(
        (incoming, outgoing) => {
          incoming.on({ whoAmI: () => 5 });
          send = () => void Promise.all([outgoing.said({ text: 1 }), outgoing.news(7)]);
        },
        { http },
      ),
    );
    const ann = callOn(KitApi, { url, context: as("ann") });
    await ann.connect();
    const heard = failureOf(ann.mock.said);
    send();
    expect((await heard).split("\n\nFrames")[0]).toMatchInlineSnapshot(`
      "Kit.said: a payload that does not fit the contract

      Received:
        { text: 1 }

      Issues:
        [ { path: 'by', code: 'required', message: 'Value is required' } ]"
    `);
    expect((await failureOf(ann.whoAmI())).split("\n\nFrames")[0]).toMatchInlineSnapshot(`
      "Kit: the server sent Kit.news, which is not in the contract

      Payload:
        7"
    `);
    await ann.whoAmI().toEqual("5");
    expect(await failureOf(ann.list())).toMatch(/^Kit\.list: expected a result[\s\S]*ROUTE_NOT_FOUND/);
  });

  it("may be the test's own call, which it forgot to await", async () => {
    const { ann, room } = await enter();
    ann.note({ text: "a" });
    ann.mock.tick.toBeUndefined();
    const failure = await failureOf(ann.disconnect());
    expect(failure).toMatchInlineSnapshot(`
      "Kit.note: never awaited, so nothing was sent or checked

      Kit.tick: never awaited, so nothing was sent or checked"
    `);
    expect(room.notes).toEqual([]);
  });

  it("is no push for a mock that gave up", async () => {
    const { ann, room } = await enter();
    expect(await failureOf(ann.whoAmI().waitFor(ann.mock.tick, 1))).toMatch(/not done within 1 ms/);
    room.members[0]?.tick();
    expect(await failureOf(ann.disconnect())).toMatch(/^Kit\.tick: a push/);
  });
});

describe("without vitest's expect", () => {
  const at = Symbol.for("expect-global");

  it("compares, and says the same", async () => {
    const { ann } = await enter();
    const kept = Reflect.get(globalThis, at);
    const calls = [
      () =>
        ann.list().toEqual([
          { id: 1, name: expect.stringMatching(/^a/) },
          { id: 2, name: "bob" },
        ]),
      () => ann.list().toMatchObject([{ id: 1, name: undefined } as never, {}]),
      () => ann.list().toMatchObject([{ id: 1 }, { name: expect.any(Number) }]),
      () => ann.list().toEqual([{ id: 1, name: "ann" }]),
      () => ann.whoAmI().toMatchObject("ann"),
      () => ann.hush().toBeUndefined(),
    ];
    const outcomes = async () => {
      const all: string[] = [];
      for (const call of calls)
        all.push(
          await call().then(
            () => "passed",
            (error: unknown) => (error as Error).message.split("\n\nFrames")[0]!,
          ),
        );
      return all;
    };
    const withExpect = await outcomes();
    Reflect.set(globalThis, at, undefined);
    const without = await outcomes().finally(() => Reflect.set(globalThis, at, kept));
    expect(without.map((outcome) => outcome === "passed")).toEqual([true, false, false, false, true, true]);
    expect(without.map((outcome) => outcome.split("\n\nReceived")[0])).toEqual(
      withExpect.map((outcome) => outcome.split("\n\nReceived")[0]),
    );
  });
});
