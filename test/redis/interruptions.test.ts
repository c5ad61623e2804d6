import { beforeEach, describe, expect, it } from "vitest";
import { describeWithRedis, TestRedis } from "../support/redis.js";
import { eventually, HISTORY, keptIn, listen, publishAll, startNode, texts } from "../support/redisNode.js";
import { RedisProxy } from "../support/redisProxy.js";

describeWithRedis("redisBus, when Redis is away", () => {
  let redis: TestRedis;
  beforeEach(async () => {
    redis = await TestRedis.start();
    return () => redis.stop();
  });

  it("starts without Redis, says so once, and heals", async () => {
    const absent = await TestRedis.prepare();
    const node = startNode({ url: absent.url });
    const listener = listen(node.bus, "room");
    const kept = node.bus.publish("room", "kept", { history: HISTORY });
    expect(node.bus.queued).toBe(1);
    await expect(node.bus.publish("room", "not kept")).rejects.toMatchObject({
      reason: "down",
      mayHaveBeenPublished: false,
    });
    await expect(node.bus.read("room", { epoch: "", offset: 0 }, 1)).rejects.toMatchObject({ reason: "down" });
    await expect(node.bus.members.list("room")).rejects.toMatchObject({ reason: "down" });
    await eventually(() => expect(node.health).toHaveLength(1));
    expect(node.health[0]).toContain("ECONNREFUSED");

    await absent.start();
    expect((await kept)?.offset).toBe(1);
    await listener.active;
    await eventually(() => expect(listener.bodies).toEqual(["kept"]));
    expect(node.health).toEqual([node.health[0], "up"]);
    expect(node.bus.queued).toBe(0);
    await absent.stop();
  });

  it("begins an epoch after Redis is killed and starts empty; what waits comes after the interruption", async () => {
    const [first, second] = [startNode({ url: redis.url }), startNode({ url: redis.url })];
    const listeners = [listen(first.bus, "room"), listen(second.bus, "room")];
    await Promise.all(listeners.map(({ active }) => active));
    const before = await publishAll(first.bus, "room", texts(3));
    await eventually(() => expect(listeners.map(({ bodies }) => bodies.length)).toEqual([3, 3]));
    await redis.kill();
    await Promise.all([first.down(), second.down()]);
    const waiting = publishAll(first.bus, "room", texts(3, "later"), before[2]);
    await redis.start();
    const after = await waiting;
    expect(after.map((position) => position?.offset)).toEqual([1, 2, 3]);
    const [epoch] = new Set(after.map((position) => position?.epoch));
    expect(epoch).not.toBe(before[0]!.epoch);
    for (const listener of listeners) {
      const { reads } = listener;
      await eventually(() => expect(reads).toHaveLength(1));
      // When the link is lost, and when there is another.
      expect(listener.interruptions).toBeGreaterThanOrEqual(2);
      expect(reads[0]?.missed).toBeUndefined();
      expect(reads[0]?.top.epoch).toBe(epoch);
    }
    expect(listeners[0]!.reads[0]?.top.offset).toBe(0);
  });

  it.each(["read", "publish"])("sees by a %s that Redis has gone back in time", async (by) => {
    const node = startNode({ url: redis.url });
    await node.up();
    const [former] = await publishAll(node.bus, "room", texts(5));
    await redis.save("former");
    await publishAll(node.bus, "room", texts(5, "lost"));
    const known = { epoch: former!.epoch, offset: 10 };
    await redis.restart("former");
    await node.down();
    await node.up();
    // What Redis has is not lost for those who know no more.
    expect((await node.bus.read("room", { epoch: known.epoch, offset: 2 }, 10)).missed).toHaveLength(3);
    if (by === "read") {
      const { top, missed } = await node.bus.read("room", known, 10);
      expect([top.offset, missed]).toEqual([0, undefined]);
      expect(top.epoch).not.toBe(known.epoch);
    } else {
      const [position] = await publishAll(node.bus, "room", ["new"], known);
      expect(position!.offset).toBe(1);
      expect(position!.epoch).not.toBe(known.epoch);
    }
  });

  it("finds that Redis hangs, and publishes once what hung with it", async () => {
    const node = startNode({ url: redis.url });
    const listener = listen(node.bus, "room");
    await listener.active;
    const history = { size: 20_000, ttlMs: 60_000 };
    const publish = (bodies: string[]) =>
      Promise.all(bodies.map((body) => node.bus.publish("room", body, { history })));
    const [position] = await publish(["first"]);
    redis.pause();
    // Much more than Redis reads at once: it still has commands of the former connection when the next one is there.
    const bodies = texts(12_000).map((text) => text + "x".repeat(100));
    const waiting = publish(bodies);
    await node.down();
    expect(node.health.at(-1)).toContain("has not answered");
    redis.resume();
    const positions = await waiting;
    expect(positions.map((each) => each?.offset)).toEqual(bodies.map((_, index) => index + 2));
    const { missed } = await node.bus.read("room", { epoch: position!.epoch, offset: 0 }, 20_000);
    expect(missed?.map(({ body }) => body)).toEqual(["first", ...bodies]);
  });

  it("finds that an idle Redis hangs", async () => {
    const node = startNode({ url: redis.url });
    await node.up();
    redis.pause();
    await node.down();
    redis.resume();
    await node.up();
  });

  it("heals when only its subscriptions are cut", async () => {
    const [node, other] = [startNode({ url: redis.url }), startNode({ url: redis.url })];
    const listener = listen(node.bus, "room");
    await listener.active;
    await other.up();
    await publishAll(other.bus, "room", texts(2));
    await eventually(() => expect(listener.bodies).toHaveLength(2));
    await redis.command("CLIENT", "KILL", "TYPE", "pubsub");
    await eventually(() => expect(listener.interruptions).toBe(2));
    await Promise.all([node.up(), other.up()]);
    await publishAll(other.bus, "room", ["after"]);
    await eventually(() => expect(listener.bodies.at(-1)).toBe("after"));
    expect(node.health.filter((health) => health !== "up")).toHaveLength(1);
  });

  describe("an answer is lost", () => {
    it.each([
      ["after Redis has done all", 20, 0],
      ["before Redis has done any", 0, 20],
      ["after Redis has done some", 10, 10],
    ])("%s: publishes each once, in order", async (_, done, notDone) => {
      const proxy = await RedisProxy.start(redis);
      const node = startNode({ url: proxy.url, timeoutMs: 30_000 });
      await node.up();
      const [position] = await publishAll(node.bus, "room", ["first"]);
      proxy.isMuted = true;
      const bodies = texts(done);
      const waiting = [publishAll(node.bus, "room", bodies, position)];
      await eventually(async () => expect(await redis.command("XLEN", "gg:{room}:s")).toBe(done + 1));
      proxy.isDeaf = true;
      bodies.push(...texts(notDone, "not done"));
      waiting.push(publishAll(node.bus, "room", bodies.slice(done), position));
      // They are on their way.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      proxy.cut();
      await node.down();
      bodies.push("later");
      waiting.push(publishAll(node.bus, "room", ["later"], position));
      proxy.isMuted = proxy.isDeaf = false;
      const positions = (await Promise.all(waiting)).flat();
      expect(positions.map((each) => each?.offset)).toEqual(bodies.map((_, index) => index + 2));
      expect(await keptIn(node.bus, "room", position!.epoch)).toEqual(["first", ...bodies]);
    });

    it.each([true, false])(
      "publishes each once, also where Redis has dropped some since (position known: %s)",
      async (isKnown) => {
        const proxy = await RedisProxy.start(redis);
        const node = startNode({ url: proxy.url, timeoutMs: 30_000 });
        const history = { size: 3, ttlMs: 60_000 };
        const [first] = await Promise.all([node.bus.publish("room", "first", { history })]);
        const known = isKnown ? first : undefined;
        proxy.isMuted = true;
        const publish = (body: string) => node.bus.publish("room", body, { history, known });
        const waiting = Promise.all(texts(300).map(publish));
        await eventually(async () => expect(await redis.command("GET", "gg:{room}:m")).toBe(`${first!.epoch}:301`));
        proxy.cut();
        await node.down();
        proxy.isMuted = false;
        const positions = await waiting;
        const dropped = positions.findIndex((position) => position !== undefined);
        expect(dropped).toBeGreaterThan(100);
        expect(positions.slice(dropped).map((position) => position?.offset)).toEqual(
          texts(300 - dropped).map((_, index) => index + dropped + 2),
        );
        expect(await publish("last")).toEqual({ epoch: first!.epoch, offset: 302 });
      },
    );

    it("does not run commands of a former connection that arrive later than the next one's", async () => {
      const proxy = await RedisProxy.start(redis);
      const node = startNode({ url: proxy.url, timeoutMs: 30_000 });
      await node.up();
      const [first] = await publishAll(node.bus, "room", ["first"]);
      proxy.isHolding = true;
      const waiting = publishAll(node.bus, "room", texts(20));
      await eventually(() => expect(proxy.isOnItsWay("text 19")).toBe(true));
      proxy.isHolding = false;
      proxy.cut();
      await waiting;
      await proxy.release();
      await node.up();
      await publishAll(node.bus, "room", ["last"]);
      expect(await keptIn(node.bus, "room", first!.epoch)).toEqual(["first", ...texts(20), "last"]);
    });

    it("says of a message without history that it may have been published", async () => {
      const proxy = await RedisProxy.start(redis);
      const node = startNode({ url: proxy.url, timeoutMs: 30_000 });
      await node.up();
      proxy.isMuted = true;
      const published = node.bus.publish("room", "text");
      const read = node.bus.read("room", { epoch: "", offset: 0 }, 1);
      setImmediate(() => setImmediate(() => proxy.cut()));
      await expect(published).rejects.toMatchObject({ reason: "down", mayHaveBeenPublished: true });
      await expect(read).rejects.toMatchObject({ reason: "down" });
    });
  });

  it("is cut by Redis when it reads too slowly, and is told of the interruption", async () => {
    await redis.command("CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 1mb 1");
    const proxy = await RedisProxy.start(redis);
    const [slow, other] = [startNode({ url: proxy.url }), startNode({ url: redis.url })];
    const listener = listen(slow.bus, "room");
    await Promise.all([listener.active, slow.up(), other.up()]);
    const [position] = await publishAll(other.bus, "room", ["first"]);
    await eventually(() => expect(listener.bodies).toEqual(["first"]));
    proxy.stopReading();
    const large = texts(200).map((text) => text + "x".repeat(100_000));
    await publishAll(other.bus, "room", large);
    await eventually(async () => {
      expect(
        String(await redis.command("CLIENT", "LIST", "TYPE", "pubsub"))
          .trim()
          .split("\n"),
      ).toHaveLength(1);
    });
    proxy.readAgain();
    await eventually(() => expect(listener.interruptions).toBe(2));
    await eventually(() => expect(listener.reads).toHaveLength(1));
    const missed = listener.reads[0]!.missed!.map(({ body }) => body);
    expect(missed.length).toBeGreaterThan(0);
    expect(listener.bodies).toEqual(["first", ...large.slice(0, large.length - missed.length)]);
    expect(missed).toEqual(large.slice(large.length - missed.length));
    expect(listener.reads[0]!.top).toEqual({ epoch: position!.epoch, offset: large.length + 1 });
  });

  it("leaves a Redis that takes no writes for the one that does", async () => {
    await redis.command("CONFIG", "SET", "repl-diskless-sync-delay", "0");
    const replica = await TestRedis.start("--replicaof", "127.0.0.1", `${redis.port}`);
    const proxy = await RedisProxy.start(redis);
    const node = startNode({ url: proxy.url });
    const listener = listen(node.bus, "room");
    await Promise.all([listener.active, node.up()]);
    const [position] = await publishAll(node.bus, "room", texts(5));
    await eventually(async () => expect(await replica.command("XLEN", "gg:{room}:s")).toBe(5));
    // The replica lags from here on.
    await replica.command("REPLICAOF", "127.0.0.1", "1");
    await publishAll(node.bus, "room", texts(5, "lost"));
    const known = { epoch: position!.epoch, offset: 10 };
    await eventually(() => expect(listener.bodies).toHaveLength(10));
    proxy.target = replica;
    proxy.cut();
    await node.down();
    const waiting = publishAll(node.bus, "room", ["new"], known);
    await eventually(() => expect(node.health.length).toBeGreaterThan(1));
    await replica.command("REPLICAOF", "NO", "ONE");
    const [after] = await waiting;
    expect(after!.offset).toBe(1);
    expect(after!.epoch).not.toBe(known.epoch);
    expect(listener.reads[0]).toEqual({ top: { epoch: after!.epoch, offset: 0 } });
    await replica.stop();
  });
});
