import { EventEmitter } from "node:events";
import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { ERROR, IsNumber, IsObject, IsString, NOT_FOUND, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import {
  defineSocketContract,
  failureOf,
  GGWebSocketMetrics,
  type WebSocketOutgoing,
  type WebSocketSchemaConfig,
  webSocketSchema,
} from "@grest-ts/websocket";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";
import { runningDeadlines } from "../../src/connection/deadlines.js";
import { webSocketSchema as inPages } from "../../src/index.browser.js";
import { onFakeClock } from "../support/fakeClock.js";
import { Gate } from "../support/gate.js";
import { connectedProbe, probe, probeContract } from "../support/probe.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";

const BUSY = ERROR.define("SERVER_CALLS_BUSY", 409, IsObject({ until: IsNumber }));

const contract = defineSocketContract("Ask", {
  clientToServer: { ping: {} },
  serverToClient: {
    ask: { input: IsObject({ n: IsNumber }), success: IsObject({ n: IsNumber }), errors: [BUSY] },
    areYouThere: { success: IsString },
    news: { input: IsString.nonEmpty },
    nudge: {},
  },
});
type Outgoing = WebSocketOutgoing<typeof contract.methods.serverToClient>;
const Api = webSocketSchema(contract).path("ws/ask").done();

/** A connection with both of its ends, and a promise of its close as the server sees it. */
async function connected(config: WebSocketSchemaConfig = {}) {
  const outgoings = new Queue<Outgoing>();
  const closed = new Gate();
  const { url, logger } = await serveApi(
    Api,
    (incoming, outgoing) => {
      incoming.on({ ping: () => {} });
      outgoing.onClose(() => closed.open());
      outgoings.push(outgoing);
    },
    config,
  );
  const peer = await RawPeer.connect(url);
  return { peer, outgoing: await outgoings.next(), closed: closed.passed, logger };
}

const rejections: unknown[] = [];
const note = (reason: unknown) => void rejections.push(reason);
beforeEach(() => {
  rejections.length = 0;
  process.on("unhandledRejection", note);
});
afterEach(() => {
  process.off("unhandledRejection", note);
  expect(rejections).toEqual([]);
});

describe("a request to the client", () => {
  it("resolves with the reply, coerced and stripped", async () => {
    const { peer, outgoing } = await connected();
    const reply = outgoing.ask({ n: 1 });
    expect(await peer.next()).toBe('r:Ask.ask:1:{"n":1}');
    peer.send('s:Ask.ask:1:{"success":true,"type":"OK","data":{"n":"2","more":true}}');
    expect(await reply).toEqual({ n: 2 });
  });

  it("rejects with a declared error as an instance of its class", async () => {
    const { peer, outgoing } = await connected();
    const reply = outgoing.ask({ n: 1 });
    await peer.next();
    peer.send(
      's:Ask.ask:1:{"success":false,"type":"SERVER_CALLS_BUSY","data":{"until":7},"statusCode":409,"context":{"displayMessage":"later"}}',
    );
    const error = await reply.asResult();
    expect(error).toBeInstanceOf(BUSY);
    expect(error).toMatchObject({ data: { until: 7 }, context: { displayMessage: "later" } });
  });

  it.each([
    ["an error that is not declared", '{"success":false,"type":"NOT_DECLARED","statusCode":400}'],
    ["a declared error with the wrong data", '{"success":false,"type":"SERVER_CALLS_BUSY","data":{}}'],
    ["a value of the wrong type", '{"success":true,"type":"OK","data":{"n":"x"}}'],
    ["no value", '{"success":true,"type":"OK"}'],
    ["what is no outcome", '{"n":1}'],
    ["what is not JSON", "{nope"],
    ["nothing", ""],
  ])("answered with %s rejects with SERVER_ERROR 'Invalid response'", async (_, payload) => {
    const { peer, outgoing } = await connected();
    const reply = outgoing.ask({ n: 1 });
    await peer.next();
    peer.send(`s:Ask.ask:1:${payload}`);
    expect(await reply.asResult()).toMatchObject({
      type: "SERVER_ERROR",
      context: { displayMessage: "Invalid response" },
    });
  });

  it.each(["NOT_AUTHORIZED", "FORBIDDEN", "ROUTE_NOT_FOUND", "SERVER_ERROR", "VALIDATION_ERROR"])(
    "answered with the framework's own %s rejects with it, though it is not declared",
    async (type) => {
      const { peer, outgoing } = await connected();
      const reply = outgoing.areYouThere();
      await peer.next();
      peer.send(`s:Ask.areYouThere:1:{"success":false,"type":"${type}","context":{"displayMessage":"as is"}}`);
      expect(await reply.asResult()).toMatchObject({ type, context: { displayMessage: "as is" } });
    },
  );

  it("with input that does not validate fails before the wire", async () => {
    const { peer, outgoing } = await connected();
    expect(await outgoing.ask({ n: "x" } as never).asResult()).toBeInstanceOf(VALIDATION_ERROR);
    expect(await outgoing.news("").asResult()).toBeInstanceOf(VALIDATION_ERROR);
    await peer.roundTrip();
    expect(peer.frames.unseen).toEqual([]);
    const next = outgoing.ask({ n: 1 });
    expect(await peer.next()).toBe('r:Ask.ask:1:{"n":1}');
    peer.send('s:Ask.ask:1:{"success":true,"type":"OK","data":{"n":1}}');
    await next;
  });
});

describe("a time-out", () => {
  it("of the registration ends a request that gets no reply, and the late reply is ignored", async () => {
    const { peer, outgoing } = await connected({ timeout: 5 });
    const error = await outgoing.areYouThere().asResult();
    expect(error).toBeInstanceOf(SERVER_ERROR);
    expect(error).toMatchObject({ context: { displayMessage: expect.stringContaining("Request timeout") } });
    expect(error).toMatchObject({ context: { displayMessage: expect.stringContaining("Ask.areYouThere") } });
    await peer.next();
    peer.send('s:Ask.areYouThere:1:{"success":true,"type":"OK","data":"late"}');
    expect(await peer.framesUntilAnswerTo("r:Ask.ping:1:")).toEqual([]);
  });

  it("of the call is taken before that of the registration, in both directions", async () => {
    const { peer, outgoing } = await connected({ timeout: 5 });
    const patient = outgoing.areYouThere(undefined, { timeout: 60_000 });
    expect(await outgoing.areYouThere().asResult()).toMatchObject({ type: "SERVER_ERROR" });
    await peer.frames.take(2);
    peer.send('s:Ask.areYouThere:1:{"success":true,"type":"OK","data":"in time"}');
    expect(await patient).toBe("in time");

    const other = await connected();
    expect(await other.outgoing.ask({ n: 1 }, { timeout: 5 }).asResult()).toMatchObject({
      context: { displayMessage: expect.stringContaining("5 ms") },
    });
  });

  it("is 30 s by default", async () => {
    const clock = await onFakeClock();
    const Asking = clock
      .webSocketSchema(
        clock.defineSocketContract("Ask", {
          clientToServer: {},
          serverToClient: { areYouThere: { success: clock.schema.IsString } },
        }),
      )
      .path("ws/ask")
      .done();
    const outgoings = new Queue<WebSocketOutgoing<typeof Asking.methods.serverToClient>>();
    const { url } = await clock.start((http) =>
      // A peer cannot answer pings as fast as this clock runs.
      Asking.register((_, outgoing) => outgoings.push(outgoing), { http, heartbeat: false }),
    );
    const peer = await RawPeer.connect(`${url}/ws/ask`);
    let settled = 0;
    const call = (await outgoings.next()).areYouThere().asResult();
    call.then(() => settled++);
    await peer.next();
    clock.pass(29_999);
    await peer.roundTrip();
    expect(settled).toBe(0);
    clock.pass(2);
    expect(await call).toMatchObject({ type: "SERVER_ERROR" });
  });
});

/** Texts that are no id of these calls, though some are the same number as one, and some the name of a member. */
function idsBeside(count: number): string[] {
  const odd = ["", " ", "0", "-0", "-1", "NaN", "Infinity", "-Infinity", "1e400", "null", "true", "[]", "1,2", "1_0"];
  const names = ["__proto__", "constructor", "size", "length", "number", "undefined"];
  const beyond = [count + 1, 2 ** 31 + 1, 2 ** 32 + 1, 2 ** 53, 1.5].map(String);
  const same = Array.from({ length: count }, (_, i) => i + 1).flatMap((n) => [
    ...[
      `0${n}`,
      `00${n}`,
      ` ${n}`,
      `${n} `,
      `\t${n}`,
      `\u00a0${n}`,
      `${n}\r`,
      `+${n}`,
      `${n}.0`,
      `${n}.`,
      `${n}e0`,
      `${n}E+0`,
    ],
    ...[`${n * 10}e-1`, `0x${n.toString(16)}`, `0b${n.toString(2)}`, `0o${n.toString(8)}`, `.${n}e1`, `${n}n`, `-${n}`],
  ]);
  return [...odd, ...names, ...beyond, ...same];
}

describe("a reply whose id is no call's, or another text of its number, settles nothing", () => {
  const COUNT = 20;

  /** Sends such replies while calls wait, and then the true ones, in another order. */
  async function exchange(peer: RawPeer, path: string, data: (id: number) => object, calls: Promise<unknown>[]) {
    const settled: unknown[] = [];
    for (const call of calls) call.then((value) => settled.push(value));
    expect((await peer.frames.take(COUNT)).map((frame) => frame.split(":")[2])).toEqual(
      Array.from({ length: COUNT }, (_, i) => `${i + 1}`),
    );
    const stray = idsBeside(COUNT);
    for (const id of stray) peer.send(`s:${path}:${id}:{"success":true,"type":"OK","data":{"n":-1,"text":"wrong"}}`);
    await peer.roundTrip();
    expect(settled).toEqual([]);
    const order = Array.from({ length: COUNT }, (_, i) => 1 + ((7 * i) % COUNT));
    for (const id of order)
      peer.send(`s:${path}:${id}:${JSON.stringify({ success: true, type: "OK", data: data(id) })}`);
    await Promise.all(calls);
    expect(settled).toEqual(order.map(data));
    return stray.length;
  }

  it("on a server, which counts them", async () => {
    GG_METRICS.set(new GGMetricsStore());
    const { peer, outgoing } = await connected();
    const calls = Array.from({ length: COUNT }, (_, n) => outgoing.ask({ n }));
    const stray = await exchange(peer, "Ask.ask", (n) => ({ n }), calls);
    const labels = { api: "Ask", path: "/ws/ask", method: "unknown", result: "UNEXPECTED_REPLY" };
    expect(GGWebSocketMetrics.outRequests.getValue(labels)).toBe(stray);
  });

  it("on a client", async () => {
    const { peer, client } = await connectedProbe();
    const calls = Array.from({ length: COUNT }, (_, n) => client.outgoing.echo({ text: `${n}` }));
    await exchange(peer, "Probe.echo", (id) => ({ text: `${id}` }), calls);
  });
});

describe("an abort signal", () => {
  it("aborts a request at once, and the late reply is ignored", async () => {
    const { peer, outgoing } = await connected();
    const controller = new AbortController();
    const call = outgoing.ask({ n: 1 }, { signal: controller.signal });
    await peer.next();
    controller.abort();
    expect(await call.asResult()).toMatchObject({
      type: "SERVER_ERROR",
      context: { displayMessage: expect.stringContaining("Aborted") },
    });
    peer.send('s:Ask.ask:1:{"success":true,"type":"OK","data":{"n":1}}');
    expect(await peer.framesUntilAnswerTo("r:Ask.ping:1:")).toEqual([]);
  });

  it("that was aborted before keeps the request, and a push, from being sent", async () => {
    const { peer, outgoing } = await connected();
    const signal = AbortSignal.abort();
    expect(await outgoing.ask({ n: 1 }, { signal }).asResult()).toMatchObject({ type: "SERVER_ERROR" });
    expect(await outgoing.news("x", { signal }).asResult()).toMatchObject({ type: "SERVER_ERROR" });
    expect(await peer.framesUntilAnswerTo("r:Ask.ping:1:")).toEqual([]);
  });

  it("changes nothing after the reply", async () => {
    const { peer, outgoing } = await connected();
    const controller = new AbortController();
    const call = outgoing.ask({ n: 1 }, { signal: controller.signal });
    await peer.next();
    peer.send('s:Ask.ask:1:{"success":true,"type":"OK","data":{"n":1}}');
    expect(await call).toEqual({ n: 1 });
    controller.abort();
    expect(await call).toEqual({ n: 1 });
  });
});

/** The client of a page, which checks no options, and its peer. */
async function connectedInPage() {
  const { server, logger } = await probe();
  const Api = inPages(probeContract).path("ws/probe").done();
  const client = Api.createClient({ url: server.url, webSocket: WebSocket as never, logger });
  onTestFinished(() => client.close());
  const accepted = server.accept();
  await client.connect();
  return { client, peer: await accepted };
}

/** Signals that know functions, and no objects that handle events: one of an older platform, and one of Node's emitters. */
class SignalOfFunctions {
  aborted = false;
  reason: unknown;
  readonly #listeners = new Set<(event: object) => void>();

  addEventListener(type: string, listener: (event: object) => void): void {
    if (type === "abort") this.#listeners.add(listener);
  }

  removeEventListener(_type: string, listener: (event: object) => void): void {
    this.#listeners.delete(listener);
  }

  listenerCount(_type: "abort"): number {
    return this.#listeners.size;
  }

  abort(reason: unknown): void {
    this.aborted = true;
    this.reason = reason;
    for (const listener of [...this.#listeners]) listener.call(this, { type: "abort" });
  }
}

class EmittingSignal extends EventEmitter {
  aborted = false;
  reason: unknown;
  readonly addEventListener = this.on;
  readonly removeEventListener = this.off;

  abort(reason: unknown): void {
    this.aborted = true;
    this.reason = reason;
    this.emit("abort", { type: "abort" });
  }
}

it.each([
  ["in a page, of an older platform", connectedInPage, SignalOfFunctions],
  ["in a page, of an emitter", connectedInPage, EmittingSignal],
  ["in Node, of an emitter", connectedProbe, EmittingSignal],
])("an abort signal that knows functions alone aborts a call: %s", async (_, connect, Signal) => {
  const { client, peer } = await connect();
  const signal = new Signal();
  const options = { signal: signal as unknown as AbortSignal };
  const calls = ["a", "b"].map((text) => client.outgoing.echo({ text }, options).asResult());
  await peer.frames.take(2);
  peer.send('s:Probe.echo:1:{"success":true,"type":"OK","data":{"text":"in time"}}');
  expect(await calls[0]).toMatchObject({ data: { text: "in time" } });
  expect(signal.listenerCount("abort")).toBe(1);
  signal.abort("why");
  expect(failureOf(await calls[1])).toEqual({ reason: "aborted", wasSent: true, cause: "why" });
  expect(signal.listenerCount("abort")).toBe(0);
});

it.each([
  ["in a page", connectedInPage],
  ["in Node", connectedProbe],
])("a signal may abort while it takes the listener: %s", async (_, connect) => {
  const { client, peer } = await connect();
  const before = runningDeadlines();
  /** Of a program's own: it makes up for an abort that is under way. */
  class Replaying extends EventTarget {
    readonly aborted = false;
    readonly reason = "replayed";
    override addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void {
      super.addEventListener(...args);
      this.dispatchEvent(new Event("abort"));
    }
  }
  const signal = new Replaying() as unknown as AbortSignal;
  const outcome = await client.outgoing.echo({ text: "a" }, { signal }).asResult();
  expect(failureOf(outcome)).toEqual({ reason: "aborted", wasSent: true, cause: "replayed" });
  expect(runningDeadlines()).toBe(before);
  expect(await peer.next()).toBe('r:Probe.echo:1:{"text":"a"}');
});

describe("the options of a call in a page, which nothing checks,", () => {
  it("are read once", async () => {
    const { client, peer } = await connectedInPage();
    const reads: PropertyKey[] = [];
    const options = new Proxy(
      {},
      {
        get(_, name) {
          if (reads.includes(name)) throw new Error(`${String(name)} is read again`);
          reads.push(name);
          return undefined;
        },
      },
    );
    const call = client.outgoing.echo({ text: "a" }, options).asResult();
    expect(await peer.next()).toBe('r:Probe.echo:1:{"text":"a"}');
    peer.send('s:Probe.echo:1:{"success":true,"type":"OK","data":{"text":"b"}}');
    expect(await call).toMatchObject({ data: { text: "b" } });
    expect(reads).toEqual(expect.arrayContaining(["signal", "timeout"]));
  });

  it.each([
    ["a bigint", 5n],
    ["a symbol", Symbol("ms")],
    ["an object without a number", Object.create(null)],
  ])("may have a time-out that cannot be, and leave nothing pending: %s", async (_, timeout) => {
    const { client, peer } = await connectedInPage();
    const before = runningDeadlines();
    const outcome = await client.outgoing.echo({ text: "a" }, { timeout }).asResult();
    expect(failureOf(outcome)?.reason).toBe("invalid-input");
    expect(runningDeadlines()).toBe(before);
    // A call that was still pending would make it wait, and no wait ends on this clock.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    await client.disconnect();
    expect(await peer.closed).toMatchObject({ code: 1000 });
  });
});

describe("when the connection closes", () => {
  it.each<[string, (peer: RawPeer) => void]>([
    ["by a close frame", (peer) => peer.ws.close()],
    ["by breaking off", (peer) => peer.ws.terminate()],
  ])("%s, requests that wait settle with SERVER_ERROR, all of them", async (_, close) => {
    const { peer, outgoing, closed } = await connected();
    const calls = [outgoing.ask({ n: 1 }), outgoing.areYouThere(), outgoing.ask({ n: 2 })];
    await peer.frames.take(3);
    close(peer);
    for (const call of calls) {
      expect(await call.asResult()).toMatchObject({
        type: "SERVER_ERROR",
        context: { displayMessage: expect.stringContaining("Socket connection closed!") },
      });
    }
    await closed;
  });

  it("pushes and requests settle with SERVER_ERROR, and do not throw", async () => {
    const { peer, outgoing, closed } = await connected();
    peer.ws.close();
    await closed;
    for (const call of [outgoing.news("x"), outgoing.nudge(), outgoing.ask({ n: 1 })]) {
      const error = await call.asResult();
      expect(error).toBeInstanceOf(SERVER_ERROR);
      expect(error).toMatchObject({
        context: { displayMessage: expect.stringMatching(/closed! Ask\.\w+ was not sent/) },
      });
    }
  });
});

describe("no await is needed for", () => {
  it("a push, whether it is sent, does not validate, or meets a closed connection", async () => {
    const { peer, outgoing, closed } = await connected();
    outgoing.news("sent");
    outgoing.news("");
    expect(await peer.next()).toBe('m:Ask.news::"sent"');
    peer.ws.close();
    await closed;
    outgoing.news("closed");
    outgoing.nudge();
    await new Promise((resolve) => setImmediate(resolve));
    // afterEach: no unhandled rejection
  });

  it("a request, whether it is refused, times out, is aborted, or loses its connection", async () => {
    const { peer, outgoing, closed } = await connected();
    const controller = new AbortController();
    outgoing.areYouThere();
    outgoing.ask({ n: 1 }, { signal: controller.signal });
    outgoing.ask({ n: 2 });
    const timedOut = outgoing.ask({ n: 3 }, { timeout: 1 }).asResult();
    outgoing.ask({ n: 4 }, { timeout: 1 });
    await peer.frames.take(5);
    peer.send('s:Ask.areYouThere:1:{"success":false,"type":"SERVER_ERROR"}');
    controller.abort();
    await timedOut;
    await peer.roundTrip();
    peer.ws.close();
    await closed;
    await new Promise((resolve) => setImmediate(resolve));
    // afterEach: no unhandled rejection
  });
});

it("lets handlers ask the client before they answer", async () => {
  const Back = webSocketSchema(
    defineSocketContract("Back", {
      clientToServer: { begin: { success: IsString, errors: [NOT_FOUND] } },
      serverToClient: { confirm: { input: IsString, success: IsString } },
    }),
  )
    .path("ws/back")
    .done();
  const { url } = await serveApi(Back, (incoming, outgoing) =>
    incoming.on({ begin: async () => `it is ${await outgoing.confirm("sure?")}` }),
  );
  const peer = await RawPeer.connect(url);
  peer.send("r:Back.begin:1:");
  expect(await peer.next()).toBe('r:Back.confirm:1:"sure?"');
  peer.send('s:Back.confirm:1:{"success":true,"type":"OK","data":"yes"}');
  expect(await peer.next()).toBe('s:Back.begin:1:{"success":true,"type":"OK","data":"it is yes"}');
});
