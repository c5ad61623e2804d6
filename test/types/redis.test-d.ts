import {
  createClient,
  createClientPool,
  createCluster,
  createSentinel,
  defineScript,
  type RedisClientType,
  type RedisClusterType,
} from "redis";
import { expectTypeOf, it } from "vitest";
import type { GGBus } from "../../src/api/bus.js";
import { type GGRedisBusOptions, redisBus } from "../../src/index.redis.js";

const rootNodes = [{ url: "redis://127.0.0.1" }];
const scripts = {
  add: defineScript({
    SCRIPT: "return 1",
    NUMBER_OF_KEYS: 0,
    parseCommand() {},
    transformReply: (reply: number) => reply,
  }),
};

it("takes any client of createClient and createCluster, and a URL", () => {
  const options: GGRedisBusOptions[] = [
    { url: "redis://127.0.0.1" },
    { url: "redis://127.0.0.1", prefix: "app:", queue: { messages: 1, bytes: 2, ms: 3 }, timeoutMs: 1_000 },
    { url: "redis://127.0.0.1", client: undefined, prefix: undefined, queue: undefined, timeoutMs: undefined },
    { client: createClient() },
    { client: createClient({ RESP: 2, scripts, modules: {}, functions: {} }) },
    { client: createClient({ RESP: 3, modules: {}, database: 3 }).withTypeMapping({ 36: Buffer }) },
    { client: createClient().on("error", () => {}) },
    { client: {} as RedisClientType },
    { client: createCluster({ rootNodes }) },
    { client: createCluster({ rootNodes, RESP: 2, scripts, modules: {} }) },
    { client: {} as RedisClusterType },
  ];
  void options;
});

it("takes nothing else", () => {
  // @ts-expect-error a client or a URL is needed
  void ({} satisfies GGRedisBusOptions);
  // @ts-expect-error one of both
  void ({ url: "redis://127.0.0.1", client: createClient() } satisfies GGRedisBusOptions);
  // @ts-expect-error an object is no client
  void ({ client: {} } satisfies GGRedisBusOptions);
  // @ts-expect-error a pool cannot subscribe
  void ({ client: createClientPool() } satisfies GGRedisBusOptions);
  // @ts-expect-error clients of Sentinel are not supported
  void ({ client: createSentinel({ name: "a", sentinelRootNodes: [] }) } satisfies GGRedisBusOptions);
  // @ts-expect-error misspelt
  void ({ url: "redis://127.0.0.1", timeout: 5 } satisfies GGRedisBusOptions);
});

it("gives a bus", () => {
  expectTypeOf(redisBus).toBeCallableWith({ url: "redis://127.0.0.1" });
  expectTypeOf<ReturnType<typeof redisBus>>().toEqualTypeOf<GGBus>();
});
