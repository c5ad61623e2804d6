import { type GGContext, type GGContextKey, GGContextStore } from "@grest-ts/context";
import { GG_TRACE } from "@grest-ts/trace";
import { defineSocketContract, GG_WS_CONNECTION, webSocketSchema } from "@grest-ts/websocket";
import { expect, it } from "vitest";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";

const Api = webSocketSchema(defineSocketContract("Values", { clientToServer: {}, serverToClient: {} }))
  .path("ws")
  .done();

/** The values of a connection's context are ordinary ones: what a program does to them lasts. */
const KEYS: Readonly<Record<string, GGContextKey<object>>> = {
  trace: GG_TRACE as unknown as GGContextKey<object>,
  connection: GG_WS_CONNECTION as unknown as GGContextKey<object>,
};

const WAYS: Readonly<Record<string, (key: GGContextKey<object>, context: GGContext) => void>> = {
  "deleted before it is read": (key) => key.delete(),
  "deleted after it was read": (key) => {
    key.get();
    key.delete();
  },
  "set and deleted": (key) => {
    key.set({ path: "/other", traceId: "t", traceTimestamp: 1, spanId: "s", spanTimestamp: 1 });
    key.delete();
  },
  "reset with its context": (_key, context) => context.reset(),
};

const CASES = Object.keys(KEYS).flatMap((name) => Object.keys(WAYS).map((way) => [name, way] as const));

it.each(CASES)("the %s of a connection that is %s is gone", async (name, way) => {
  const key = KEYS[name] as GGContextKey<object>;
  const seen = new Queue<unknown>();
  const { url } = await serveApi(Api, () => {
    expect([key.has(), typeof key.get()]).toEqual([true, "object"]);
    const context = GGContextStore.getContext();
    WAYS[way]?.(key, context);
    seen.push([key.has(), key.get()]);
    // Where it is asked for by other ways than the key's own.
    seen.push([context.has(key), GGContextStore.branch("below").has(key)]);
  });
  await RawPeer.connect(url);
  expect([await seen.next(), await seen.next()]).toEqual([
    [false, undefined],
    [false, false],
  ]);
});

it("a proxy of a connection's context has its values", async () => {
  const seen = new Queue<unknown>();
  const { url } = await serveApi(Api, () => {
    const context = new Proxy(GGContextStore.getContext(), {});
    seen.push([context.get(GG_WS_CONNECTION).path, typeof context.get(GG_TRACE).traceId]);
  });
  await RawPeer.connect(url);
  expect(await seen.next()).toEqual(["/ws", "string"]);
});
