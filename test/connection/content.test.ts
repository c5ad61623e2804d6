import { ERROR, IsArray, IsInt, IsNumber, IsObject, IsString, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import { defineSocketContract, GGSocketGroup, type WebSocketOutgoing, webSocketSchema } from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished } from "vitest";
import { watchTheProcess } from "../hostile/watch.js";
import { Gate } from "../support/gate.js";
import { connectedProbe, displayed } from "../support/probe.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { recordingLogger, serveApi } from "../support/server.js";

// What may cross the wire, and what stays here: sizes, the data of errors, what was thrown by accident.

const LOCKED = ERROR.define(
  "CONTENT_LOCKED",
  423,
  IsObject({ owner: IsString, attempts: IsInt, note: IsString.orUndefined }),
);
const PLAIN = ERROR.define("CONTENT_PLAIN", 400);
const contract = defineSocketContract("Content", {
  clientToServer: {
    run: { input: IsString.orUndefined, success: IsString, errors: [LOCKED, PLAIN, VALIDATION_ERROR] },
    typed: { success: IsObject({ n: IsNumber, list: IsArray(IsString) }) },
    note: { input: IsString },
  },
  serverToClient: { said: { input: IsString }, ask: { input: IsString, success: IsString } },
});
const Api = webSocketSchema(contract).path("ws/content").done();
type Outgoing = WebSocketOutgoing<typeof contract.methods.serverToClient>;

const LARGEST = 16 * 1024 * 1024;
const HIDDEN = {
  success: false,
  type: "SERVER_ERROR",
  statusCode: 500,
  context: { timestamp: expect.any(Number), ref: expect.any(String) },
};

/** Serves handlers that all do the same, and calls one of them. */
async function start(run: (text?: string) => unknown) {
  const outgoings = new Queue<Outgoing>();
  const served = await serveApi(Api, (incoming, outgoing) => {
    outgoings.push(outgoing);
    incoming.on({ run, typed: run, note: run } as never);
  });
  const peer = await RawPeer.connect(served.url);
  const call = async (method = "run", payload = "") => {
    peer.send(`r:Content.${method}:1:${payload}`);
    const reply = await peer.next();
    expect(reply.length).toBeLessThan(10_000);
    return JSON.parse(reply.replace(/^s:Content\.\w+:1:/, "")) as Record<string, unknown>;
  };
  return { ...served, peer, call, outgoings };
}

const fail = (thrown: unknown) => () => {
  throw thrown;
};

watchTheProcess();

describe("what is larger than a frame may be", () => {
  it.each([
    ["a result that fits", 0, '"success":true'],
    ["a result whose frame is a byte too large", 1, '"SERVER_ERROR"'],
  ])("%s is answered, and the connection lives", async (_, more, expected) => {
    const overhead = 's:Content.run:1:{"success":true,"type":"OK","data":""}'.length;
    const { peer, logger } = await start((text) => (text ? text : "x".repeat(LARGEST - overhead + more)));
    peer.send("r:Content.run:1:");
    const reply = await peer.next();
    expect(reply.slice(0, 100)).toContain(expected);
    expect(logger.entries).toHaveLength(more);
    peer.send('r:Content.run:2:"on"');
    expect(await peer.next()).toContain('"data":"on"');
  });

  it.each([
    ["data", () => new LOCKED({ owner: "é".repeat(9 * 1024 * 1024), attempts: 1 })],
    ["display message", () => new PLAIN({ displayMessage: "x".repeat(17 * 1024 * 1024) })],
    ["display message, although it is a SERVER_ERROR", () => new SERVER_ERROR({ displayMessage: "x".repeat(LARGEST) })],
  ])("an error with such a %s is a SERVER_ERROR, logged, and the connection lives", async (_, make) => {
    const { call, logger } = await start((text) => {
      if (!text) throw make();
      return text;
    });
    const reply = await call();
    expect(reply).toEqual(HIDDEN);
    const { ref } = reply.context as { ref: string };
    expect(logger.entries.map(({ level, fields }) => [level, fields.ref])).toEqual([["error", ref]]);
    expect(await call("run", '"on"')).toMatchObject({ data: "on" });
  });

  it("a call, a message and a message to a group are refused where they are made", async () => {
    const { base, outgoings } = await start((text) => text);
    await outgoings.next();
    const client = Api.createClient({ url: base, logger: recordingLogger() });
    onTestFinished(() => client.close());
    const heard = new Queue<string>();
    client.incoming.on({ said: (text) => void heard.push(text), ask: (text) => text });
    await client.connect();
    const outgoing = await outgoings.next();
    const group = new GGSocketGroup(Api);
    group.add(outgoing);
    // The payloads fit.
    const text = "x".repeat(LARGEST - 10);
    for (const call of [
      client.outgoing.run(text),
      client.outgoing.note(text),
      outgoing.ask(text),
      outgoing.said(text),
      group.said(text),
    ]) {
      const result = await call.asResult();
      expect(result).toMatchObject({ success: false, type: "SERVER_ERROR" });
      expect(displayed(result)).toContain("it is larger than 16 MiB");
    }
    expect(await client.outgoing.run("on")).toBe("on");
    group.said("on");
    expect(await heard.next()).toBe("on");
  });
});

describe("the data of a declared error", () => {
  const extra = { owner: "ann", attempts: "3", passwordHash: "secret" } as never;
  const WAYS: [string, (data: never) => () => unknown][] = [
    ["thrown", (data) => fail(new LOCKED(data))],
    ["rejected with", (data) => async () => Promise.reject(new LOCKED(data))],
    ["returned", (data) => () => new LOCKED(data)],
    ["resolved to", (data) => async () => new LOCKED(data)],
    ["returned as JSON", (data) => () => new LOCKED(data).toJSON()],
  ];

  it.each(WAYS)("crosses the wire as its class declares it: %s", async (_, way) => {
    const { call } = await start(way(extra));
    expect(await call()).toMatchObject({ type: "CONTENT_LOCKED", statusCode: 423 });
    expect((await call()).data).toEqual({ owner: "ann", attempts: 3 });
  });

  it.each(WAYS)("that does not fit is a SERVER_ERROR, logged with its fields: %s", async (_, way) => {
    const { call, logger } = await start(way({ owner: 1, attempts: "secret" } as never));
    const reply = await call();
    expect(reply).toEqual(HIDDEN);
    expect(logger.entries).toHaveLength(1);
    expect(logger.entries[0]).toMatchObject({
      level: "error",
      fields: { ref: (reply.context as { ref: string }).ref },
    });
  });

  it("names in the log what did not fit, never its value", async () => {
    const original = new LOCKED({ owner: "ann", attempts: "secret" } as never);
    const { call, logger } = await start(fail(original));
    await call();
    const { error, ...fields } = logger.entries[0]?.fields ?? {};
    expect(error).toBe(original);
    expect(JSON.stringify(fields)).toContain("attempts invalid.number.type");
    expect(JSON.stringify(fields)).not.toContain("secret");
  });

  it("keeps the issues of a VALIDATION_ERROR, also about the whole value", async () => {
    const issues = [{ path: "", code: "c", message: "m", value: [1] }];
    const { call } = await start(fail(new VALIDATION_ERROR(issues)));
    expect((await call()).data).toEqual(issues);
  });

  it("of a refused handshake is treated alike", async () => {
    let error: ERROR = new LOCKED(extra);
    const { url, logger } = await serveApi(Api, () => {}, { middlewares: [{ process: () => Promise.reject(error) }] });
    const refusal = async () => {
      const peer = await RawPeer.open(url);
      peer.send("h:::{}");
      const answer = await peer.next();
      expect((await peer.closed).code).toBe(4001);
      expect(answer.length).toBeLessThan(10_000);
      return JSON.parse(answer.slice("x:::".length));
    };
    expect(await refusal()).toMatchObject({ type: "CONTENT_LOCKED", data: { owner: "ann", attempts: 3 } });
    expect(JSON.stringify(await refusal())).not.toContain("secret");
    for (const bad of [new LOCKED({ owner: 1 } as never), new PLAIN({ displayMessage: "x".repeat(LARGEST) })]) {
      error = bad;
      logger.entries.length = 0;
      expect(await refusal()).toEqual(HIDDEN);
      expect(logger.entries.map(({ level, fields }) => [level, fields.error === bad])).toEqual([["error", true]]);
    }
  });
});

describe("a plain object in the form of an error", () => {
  const json = (type: string) => ({
    success: false,
    type,
    data: { owner: "secret", attempts: 1 },
    context: { displayMessage: "secret" },
  });

  it.each(["CONTENT_LOCKED", "CONTENT_PLAIN", "VALIDATION_ERROR", "SERVER_ERROR", "OTHER"])(
    "stays private when it is thrown: %s",
    async (type) => {
      for (const run of [fail(json(type)), async () => Promise.reject(json(type))]) {
        const { call, logger } = await start(run);
        const reply = await call();
        expect(reply).toEqual(HIDDEN);
        expect(logger.entries).toMatchObject([
          { level: "error", fields: { ref: (reply.context as { ref: string }).ref, error: json(type) } },
        ]);
      }
    },
  );

  it("is public when it is returned, since the result of another call may be", async () => {
    const { call, logger } = await start(async () => json("CONTENT_LOCKED"));
    expect(await call()).toMatchObject({ type: "CONTENT_LOCKED", data: { owner: "secret", attempts: 1 } });
    expect(logger.entries).toEqual([]);
  });

  it("is a defect when a middleware throws it", async () => {
    const { url, logger } = await serveApi(Api, () => {}, { middlewares: [{ process: fail(json("NOT_AUTHORIZED")) }] });
    const peer = await RawPeer.open(url);
    peer.send("h:::{}");
    expect(JSON.parse((await peer.next()).slice("x:::".length))).toEqual(HIDDEN);
    expect(logger.entries).toMatchObject([{ level: "error", fields: { error: json("NOT_AUTHORIZED") } }]);
  });
});

describe("a received VALIDATION_ERROR", () => {
  it("leaves out issues that lack one of the texts", async () => {
    const { client, peer } = await connectedProbe();
    const result = client.outgoing.echo({ text: "x" }).asResult();
    await peer.next();
    const whole = { path: "", code: "c", message: "m" };
    const issues = [whole, { code: "c", message: "m" }, { path: "p", message: "m" }, { path: "p", code: "c" }];
    const odd = [{ ...whole, path: 1 }, { ...whole, code: null }, { ...whole, message: {} }, null, "text", [], 7];
    peer.send(
      `s:Probe.echo:1:${JSON.stringify({ success: false, type: "VALIDATION_ERROR", data: [...odd, ...issues] })}`,
    );
    expect(await result).toMatchObject({ type: "VALIDATION_ERROR", data: [whole] });
  });
});

describe("'Invalid response'", () => {
  it("names the fields in the server's log, never the values", async () => {
    const { call, logger } = await start(() => ({ n: "secret", list: ["a", { secret: 1 }] }));
    expect(await call("typed")).toMatchObject({ context: { displayMessage: "Invalid response" } });
    const entry = JSON.stringify(logger.entries);
    expect(logger.entries).toHaveLength(1);
    expect(entry).toContain("n invalid.number.type, list.1 invalid.string.type");
    expect(entry).not.toContain("secret");
  });

  it("names them to the caller", async () => {
    const { client, peer } = await connectedProbe();
    const result = client.outgoing.echo({ text: "x" }).asResult();
    await peer.next();
    peer.send('s:Probe.echo:1:{"success":true,"type":"OK","data":{"text":["secret"]}}');
    const outcome = (await result) as typeof SERVER_ERROR.infer;
    expect(displayed(outcome)).toBe("Invalid response");
    expect(outcome.getDebugContext()?.debugMessage).toContain("text invalid.string.type");
    expect(outcome.getDebugContext()?.debugMessage).not.toContain("secret");
  });
});

describe("a hostile value", () => {
  const revoked = () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  };
  const withGetter = (...names: string[]) =>
    Object.defineProperties(
      {},
      Object.fromEntries(names.map((name) => [name, { enumerable: true, get: fail(new Error("secret")) }])),
    );
  const VALUES: [string, () => unknown][] = [
    ["a revoked Proxy", revoked],
    ["a Proxy whose traps throw", () => new Proxy({}, { get: fail(1), getPrototypeOf: fail(2), ownKeys: fail(3) })],
    ["a throwing `then`", () => withGetter("then")],
    ["a throwing `success`", () => withGetter("success")],
    ["a throwing `type`", () => Object.assign(withGetter("type", "data"), { success: false })],
    ["a throwing `data`", () => Object.assign(withGetter("data"), { success: true, type: "OK" })],
    ["an error whose data throw", () => Object.assign(withGetter("data"), { success: false, type: "CONTENT_LOCKED" })],
    ["a throwing `context`", () => Object.assign(withGetter("context"), { success: false, type: "CONTENT_PLAIN" })],
    ["a function", () => () => "secret"],
    ["a class of errors", () => LOCKED],
    ["null", () => null],
    ["undefined", () => undefined],
    ["a symbol", () => Symbol("secret")],
    ["an error whose data have a throwing getter", () => new LOCKED(withGetter("owner") as never)],
    // biome-ignore lint/suspicious/noThenProperty: it is meant to be waited for.
    ["a thenable that throws", () => ({ then: fail(new Error("secret")) })],
  ];
  const throws: typeof VALUES = VALUES.map(([name, make]) => [`thrown: ${name}`, () => fail(make())()]);
  const rejects: typeof VALUES = VALUES.map(([name, make]) => [`rejected with: ${name}`, async () => fail(make())()]);
  const returns: typeof VALUES = VALUES.map(([name, make]) => [`returned: ${name}`, make]);
  const resolves: typeof VALUES = VALUES.map(([name, make]) => [`resolved to: ${name}`, async () => make()]);

  it.each([...throws, ...rejects, ...returns, ...resolves])(
    "%s ends in a SERVER_ERROR and one entry",
    async (_, run) => {
      const { call, logger } = await start((text) => (text ? text : run()));
      const reply = await call();
      expect(reply).toMatchObject({ success: false, type: "SERVER_ERROR", statusCode: 500 });
      expect(reply).not.toHaveProperty("data");
      expect(JSON.stringify(reply)).not.toContain("secret");
      expect(logger.entries).toHaveLength(1);
      expect(logger.entries[0]).toMatchObject({
        level: "error",
        fields: { ref: (reply.context as { ref: string }).ref },
      });
      expect(await call("run", '"on"')).toMatchObject({ data: "on" });
    },
  );

  it.each(VALUES.slice(0, -2))("thrown by a middleware refuses the handshake: %s", async (_, make) => {
    const { url, logger } = await serveApi(Api, () => {}, { middlewares: [{ process: () => fail(make())() }] });
    const peer = await RawPeer.open(url);
    peer.send("h:::{}");
    expect(JSON.parse((await peer.next()).slice("x:::".length))).toEqual(HIDDEN);
    expect((await peer.closed).code).toBe(4001);
    expect(logger.entries).toHaveLength(1);
  });
});

describe("a handler that fails when its caller no longer waits", () => {
  const PATIENT = "ws-capabilities";

  it.each(["cancels", "leaves"])("is no defect: its caller %s", async (how) => {
    const begun = new Queue<string | undefined>();
    const [gate, failed] = [new Gate(), new Gate()];
    const { url, logger } = await serveApi(Api, (incoming, outgoing) => {
      outgoing.onClose(() => failed.open());
      incoming.on({
        async run(text?: string) {
          begun.push(text);
          await gate.passed;
          throw new Error("stopped");
        },
        typed: fail(new Error("a defect")),
        note: () => {},
      } as never);
    });
    const peer = await RawPeer.open(url);
    peer.send(`h:::{"${PATIENT}":"cancel"}`);
    await peer.next();
    peer.send("r:Content.run:1:");
    await begun.next();
    if (how === "leaves") {
      peer.ws.terminate();
      await failed.passed;
    } else {
      peer.send("c:Content.run:1:");
      await peer.roundTrip();
    }
    gate.open();
    if (how === "cancels") expect(await peer.next()).toContain("SERVER_ERROR");
    else await new Promise((resolve) => setImmediate(resolve));
    expect(logger.entries).toEqual([]);
    const [entry] = logger.debugEntries.filter(({ message }) => message === "Content.run: the handler failed");
    expect(entry?.fields).toMatchObject({ ref: expect.any(String), error: new Error("stopped") });
    // Any other failure still is one.
    const other = await RawPeer.connect(url);
    other.send("r:Content.typed:1:");
    await other.next();
    expect(logger.entries).toHaveLength(1);
  });
});
