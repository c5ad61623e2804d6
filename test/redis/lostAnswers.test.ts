import { beforeEach, expect, it } from "vitest";
import type { GGHistory, GGPosition } from "../../src/api/bus.js";
import { describeWithRedis, TestRedis } from "../support/redis.js";
import { eventually, listen, startNode, texts } from "../support/redisNode.js";
import { RedisProxy } from "../support/redisProxy.js";

describeWithRedis("redisBus, when the answer of a kept message is lost and others go on", () => {
  let redis: TestRedis;
  beforeEach(async () => {
    redis = await TestRedis.start();
    return () => redis.stop();
  });

  /** Publishes "lost" through a node whose answers do not arrive; Redis may have done it, or not. */
  async function loseOne(history: GGHistory, how: { isKnown: boolean; isDone: boolean; ms?: number }) {
    const proxy = await RedisProxy.start(redis);
    const node = startNode({ url: proxy.url, timeoutMs: 30_000, ...(how.ms && { queue: { ms: how.ms } }) });
    const other = startNode({ url: redis.url });
    const listener = listen(other.bus, "room");
    await Promise.all([listener.active, node.up(), other.up()]);
    const publish = (bus: typeof node.bus, body: string, known?: GGPosition) =>
      bus.publish("room", body, { history, known });
    const first = await publish(other.bus, "first");
    if (how.isDone) proxy.isMuted = true;
    else proxy.isDeaf = true;
    proxy.isClosed = true;
    const lost = publish(node.bus, "lost", how.isKnown ? first : undefined).then(
      (position) => position ?? "published",
      (error: unknown) => error,
    );
    if (how.isDone) await eventually(() => expect(listener.bodies).toContain("lost"));
    else await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    proxy.cut();
    await node.down();
    const heal = () => {
      proxy.isMuted = proxy.isDeaf = proxy.isClosed = false;
    };
    const timesArrived = async () => {
      await publish(other.bus, "end");
      await eventually(() => expect(listener.bodies.at(-1)).toBe("end"));
      return listener.bodies.filter((body) => body === "lost").length;
    };
    const publishMany = (count: number) => Promise.all(texts(count).map((text) => publish(other.bus, text)));
    return { node, lost, heal, timesArrived, publishMany, first: first! };
  }

  const SMALL = { size: 10, ttlMs: 60_000 };
  const UNKNOWN = { reason: "timeout", mayHaveBeenPublished: true };

  it.each([true, false])("does not publish what Redis may have dropped since (position known: %s)", async (isKnown) => {
    const { node, lost, heal, timesArrived, publishMany } = await loseOne(SMALL, { isKnown, isDone: true });
    await publishMany(400);
    heal();
    const error = await lost;
    expect(error).toMatchObject(UNKNOWN);
    expect(String(error)).toContain("it is not known whether it was published");
    await node.up();
    expect(await timesArrived()).toBe(1);
  });

  it("does not publish what may have expired since", async () => {
    const short = { size: 10, ttlMs: 300 };
    const { lost, heal, timesArrived } = await loseOne(short, { isKnown: true, isDone: true });
    await eventually(async () => expect(await redis.command("EXISTS", "gg:{room}:s")).toBe(0));
    heal();
    expect(await lost).toMatchObject(UNKNOWN);
    expect(await timesArrived()).toBe(1);
  });

  it.each([true, false])(
    "publishes what Redis does not have, though others publish (position known: %s)",
    async (isKnown) => {
      const { lost, heal, timesArrived, publishMany } = await loseOne(SMALL, { isKnown, isDone: false });
      await publishMany(50);
      heal();
      expect(await lost).toMatchObject({ offset: 52 });
      expect(await timesArrived()).toBe(1);
    },
  );

  it("publishes what Redis does not have, where all has expired and nothing has come", async () => {
    const short = { size: 10, ttlMs: 300 };
    const { lost, heal, timesArrived } = await loseOne(short, { isKnown: true, isDone: false });
    await eventually(async () => expect(await redis.command("EXISTS", "gg:{room}:s")).toBe(0));
    heal();
    expect(await lost).toMatchObject({ offset: 2 });
    expect(await timesArrived()).toBe(1);
  });

  it("looks at no more than what came after the position that was known, and at a part of a large history", async () => {
    const large = { size: 100_000, ttlMs: 60_000 };
    const fill = (epoch: string) =>
      redis.command(
        "EVAL",
        `for i = 2, 30000 do redis.call('XADD', KEYS[1], i .. '-0', 'b', 'text', 'f', 'another.' .. i) end
        redis.call('SET', KEYS[2], ARGV[1] .. ':30000')`,
        "2",
        "gg:{room}:s",
        "gg:{room}:m",
        epoch,
      );
    const { lost, heal, first } = await loseOne(large, { isKnown: true, isDone: false });
    await fill(first.epoch);
    heal();
    expect(await lost).toMatchObject(UNKNOWN);

    const node = startNode({ url: redis.url });
    const top = await node.bus.publish("room", "own", { history: large });
    expect(top).toEqual({ epoch: first.epoch, offset: 30_001 });
    const proxy = await RedisProxy.start(redis);
    const cut = startNode({ url: proxy.url, timeoutMs: 30_000 });
    await cut.up();
    proxy.isDeaf = true;
    const published = cut.bus.publish("room", "after", { history: large, known: top });
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    proxy.cut();
    proxy.isDeaf = false;
    expect(await published).toMatchObject({ offset: 30_002 });
  });

  it("says no more that it may have been published, once Redis was found not to have it", async () => {
    const { node, lost, heal } = await loseOne(SMALL, { isKnown: true, isDone: false, ms: 3_000 });
    await redis.command("CONFIG", "SET", "min-replicas-to-write", "1");
    heal();
    await node.up();
    expect(await lost).toMatchObject({ reason: "timeout", mayHaveBeenPublished: false });
  });
});
