import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { ERROR, type GGSchema, IsString, IsUnknown, SERVER_ERROR } from "@grest-ts/schema";
import {
  defineSocketContract,
  failureOf,
  GGWebSocketMetrics,
  type WebSocketOutgoing,
  webSocketSchema,
} from "@grest-ts/websocket";
import { beforeEach, describe, expect, it } from "vitest";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { ofConnection, serveApi } from "../support/server.js";

beforeEach(() => GG_METRICS.overwrite(new GGMetricsStore()));

const reason = new Error("a defect");
const broken = {
  safeParse() {
    throw reason;
  },
} as unknown as GGSchema<string>;
const BROKEN = ERROR.define("CAUSES_BROKEN", 400, broken);

const Api = webSocketSchema(
  defineSocketContract("Causes", {
    clientToServer: {
      invalid: { input: broken, success: IsString },
      unsendable: { input: IsString, success: IsString, errors: [BROKEN] },
    },
    serverToClient: {},
  }),
)
  .path("ws/causes")
  .done();

async function answerTo(request: string) {
  const { url, logger } = await serveApi(Api, (incoming) =>
    incoming.on({
      invalid: (text) => text,
      unsendable() {
        throw new BROKEN("x");
      },
    }),
  );
  const peer = await RawPeer.connect(url);
  peer.send(request);
  const reply = JSON.parse((await peer.next()).replace(/^s:[^:]*:1:/, ""));
  return { reply, entries: logger.entries };
}

const handled = (method: string, result: string) =>
  GGWebSocketMetrics.requests.getValue({ api: "Causes", path: "/ws/causes", method, result }) ?? 0;

it("logs the defect of a validator under the reference of its reply", async () => {
  const { reply, entries } = await answerTo('r:Causes.invalid:1:"x"');
  expect(reply.type).toBe("SERVER_ERROR");
  const fields = { ...ofConnection, ref: reply.context.ref, error: reason };
  expect(reply.context.ref).toBeTypeOf("string");
  expect(entries).toEqual([{ level: "error", message: "Causes.invalid: the handler failed", fields }]);
});

it("counts an error that cannot be sent as what its peer gets", async () => {
  const { reply } = await answerTo('r:Causes.unsendable:1:"x"');
  expect(reply.type).toBe("SERVER_ERROR");
  expect(handled("Causes.unsendable", "SERVER_ERROR")).toBe(1);
  expect(handled("Causes.unsendable", "CAUSES_BROKEN")).toBe(0);
});

it("answers a handler that throws an error which cannot be read, and handles what follows", async () => {
  const unreadable = () =>
    new Proxy(new BROKEN("x"), {
      get() {
        throw new Error("not readable");
      },
    });
  const { url, logger } = await serveApi(
    Api,
    (incoming) =>
      incoming.on({
        invalid: (text) => text,
        unsendable(how) {
          if (how === "at once") throw unreadable();
          return Promise.reject(unreadable());
        },
      }),
    { limits: { maxRequestsInFlight: 1 } },
  );
  const peer = await RawPeer.connect(url);
  for (const [id, how] of ["at once", "later", "later", "at once"].entries()) {
    peer.send(`r:Causes.unsendable:${id}:"${how}"`);
    expect(await peer.next()).toMatch(new RegExp(`^s:Causes.unsendable:${id}:.*"SERVER_ERROR"`));
    expect((await logger.next()).message).toBe("Causes.unsendable: the handler failed");
  }
});

describe("an input that throws an error of the framework as it is read", () => {
  const method = { input: IsUnknown, success: IsString };
  const Lazy = webSocketSchema(
    defineSocketContract("Lazy", { clientToServer: {}, serverToClient: { ask: method, news: { input: IsUnknown } } }),
  )
    .path("ws/lazy")
    .done();
  type Outgoing = WebSocketOutgoing<typeof Lazy.methods.serverToClient>;

  async function start() {
    const outgoings = new Queue<Outgoing>();
    const { url, logger } = await serveApi(Lazy, (_, outgoing) => outgoings.push(outgoing));
    const peer = await RawPeer.connect(url);
    return { peer, logger, outgoing: await outgoings.next() };
  }

  const THROWN: Readonly<Record<string, (outgoing: Outgoing) => Promise<unknown>>> = {
    "that of a call which was sent and timed out": (outgoing) => outgoing.ask(1, { timeout: 1 }).asResult(),
    "that of a call which was aborted": (outgoing) => outgoing.ask(1, { signal: AbortSignal.abort() }).asResult(),
    "that of a call whose connection was closed": async () => {
      const { peer, outgoing } = await start();
      const call = outgoing.ask(1).asResult();
      await peer.next();
      peer.ws.close();
      return call;
    },
    "a constant": async () => new SERVER_ERROR({ displayMessage: "no" }),
  };

  it.each(Object.entries(THROWN))("was not sent, each time: %s", async (_, make) => {
    const { peer, logger, outgoing } = await start();
    const error = await make(outgoing);
    await peer.roundTrip();
    await peer.frames.take(peer.frames.unseen.length);
    const inputs = [
      {
        toJSON() {
          throw error;
        },
      },
      {
        get lazy() {
          throw error;
        },
      },
    ];
    for (const input of inputs) {
      const before = logger.entries.length;
      for (let times = 1; times <= 3; times++) {
        expect(failureOf(await outgoing.ask(input).asResult())).toEqual({ reason: "invalid-input", wasSent: false });
        expect(failureOf(await outgoing.news(input).asResult())).toEqual({ reason: "invalid-input", wasSent: false });
        // Of the message: the outcome of a call says it to its caller.
        expect(logger.entries).toHaveLength(before + times);
        expect(logger.entries.at(-1)).toMatchObject({ level: "warn", message: "Lazy.news: a message was not sent" });
      }
    }
    await peer.roundTrip();
    expect(peer.frames.unseen).toEqual([]);
  });
});
