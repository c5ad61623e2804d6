import { beforeEach, describe, expect, it } from "vitest";
import { describeWithRedis, TestRedis } from "../support/redis.js";
import { eventually, HISTORY, keptIn, listen, publishAll, startNode, texts } from "../support/redisNode.js";
import { RedisProxy } from "../support/redisProxy.js";

describeWithRedis("redisBus, when Redis refuses a part", () => {
  let redis: TestRedis;
  beforeEach(async () => {
    redis = await TestRedis.start();
    return () => redis.stop();
  });

  const rights = (...more: string[]) =>
    redis.command("ACL", "SETUSER", "poor", "on", ">secret", "&gg:*", "+publish", "+subscribe", "+hello", ...more);

  it.each([
    ["rights for members", () => rights("-@all", "+publish", "+subscribe", "+hello")],
    ["memory", () => redis.command("CONFIG", "SET", "maxmemory", "1")],
    ["replicas", () => redis.command("CONFIG", "SET", "min-replicas-to-write", "1")],
  ])(
    "is up again after each cut without %s, and writes its members later",
    async (_, forbid) => {
      await rights("+@all", "~gg:*");
      const proxy = await RedisProxy.start(redis);
      const node = startNode({ url: proxy.url.replace("//", "//poor:secret@") });
      const listener = listen(node.bus, "room");
      await Promise.all([listener.active, node.up()]);
      node.bus.members.set("room", "ann", "{}");
      node.bus.members.setCount("room", 1);
      await eventually(async () => expect((await node.bus.members.list("room")).members.size).toBe(1));
      await forbid();
      for (let cuts = 0; cuts < 3; cuts++) {
        proxy.cut();
        await node.down();
        await node.up();
        await node.bus.publish("room", `text ${cuts}`);
        await eventually(() => expect(listener.bodies).toEqual(texts(cuts + 1)));
      }
      await redis.command("CONFIG", "SET", "maxmemory", "0");
      await redis.command("CONFIG", "SET", "min-replicas-to-write", "0");
      await redis.command("DEL", "gg:nodes", "gg:{room}:p");
      await rights("+@all", "~gg:*");
      await eventually(async () => {
        expect([...(await node.bus.members.list("room")).members.keys()]).toEqual([expect.stringMatching(/\/ann$/)]);
        expect(await redis.command("ZCARD", "gg:nodes")).toBe(1);
      });
    },
    20_000,
  );

  it("begins an epoch where a stream is ahead of the position", async () => {
    const { bus } = startNode({ url: redis.url });
    const positions = await publishAll(bus, "room", texts(3));
    const { epoch } = positions[0]!;
    await redis.command("SET", "gg:{room}:m", `${epoch}:1`);
    const [position] = await publishAll(bus, "room", ["next"]);
    expect(position!.offset).toBe(1);
    expect(position!.epoch).not.toBe(epoch);
    expect(await keptIn(bus, "room", position!.epoch)).toEqual(["next"]);
    expect(await publishAll(bus, "room", ["last"])).toEqual([{ epoch: position!.epoch, offset: 2 }]);
  });

  describe("a history that Redis cannot keep", () => {
    it.each([
      { size: 10, ttlMs: Number.POSITIVE_INFINITY },
      { size: 10, ttlMs: 1e18 },
      { size: 10, ttlMs: 0 },
      { size: 10, ttlMs: Number.NaN },
      { size: Number.POSITIVE_INFINITY, ttlMs: 1_000 },
      { size: 1e21, ttlMs: 1_000 },
      { size: -1, ttlMs: 1_000 },
    ])("$size messages for $ttlMs ms", async (history) => {
      const { bus, up } = startNode({ url: redis.url });
      await up();
      await expect(bus.publish("room", "text", { history })).rejects.toMatchObject({
        reason: "refused",
        mayHaveBeenPublished: false,
      });
      expect(await redis.command("EXISTS", "gg:{room}:s", "gg:{room}:m")).toBe(0);
    });
  });

  it.each([
    { size: 1, ttlMs: 1e15 },
    { size: 2 ** 52, ttlMs: 2 ** 52 },
    { size: 1, ttlMs: 1_000.5 },
  ])("keeps $size messages for $ttlMs ms", async (history) => {
    const { bus } = startNode({ url: redis.url });
    await expect(bus.publish("room", "text", { history })).resolves.toMatchObject({ offset: 1 });
    expect(await redis.command("PTTL", "gg:{room}:s")).toBeGreaterThan(0);
  });

  it("publishes while it is up, though nothing may wait", async () => {
    const node = startNode({ url: redis.url, queue: { messages: 0, bytes: 0 } });
    await node.up();
    expect(await publishAll(node.bus, "room", texts(100))).toHaveLength(100);
    await expect(node.bus.publish("room", "not kept")).resolves.toBeUndefined();
    await expect(node.bus.publish("room", "x".repeat(5_000_000), { history: HISTORY })).resolves.toBeDefined();
    await redis.kill();
    await node.down();
    await expect(publishAll(node.bus, "room", ["text"])).rejects.toMatchObject({ reason: "limit" });
  });
});
