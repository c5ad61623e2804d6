import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { ERROR, type GGSchema, IsString } from "@grest-ts/schema";
import { defineSocketContract, GGWebSocketMetrics, webSocketSchema } from "@grest-ts/websocket";
import { beforeEach, expect, it } from "vitest";
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
