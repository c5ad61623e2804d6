import { createClient, createCluster, createSentinel } from "redis";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { GGRedisBusOptions } from "../../src/redis/options.js";
import { redisBus } from "../../src/redis/redisBus.js";
import { describeWithRedis, TestRedis } from "../support/redis.js";
import { eventually, HISTORY, listen, publishAll, startNode, texts } from "../support/redisNode.js";
import { RedisProxy } from "../support/redisProxy.js";

describe("the options of redisBus", () => {
  const url = "redis://127.0.0.1:1";
  it.each<[string, unknown]>([
    ["give it either url or client", {}],
    ["give it either url or client", { url, client: createClient() }],
    ["the options of redisBus() must be an object", undefined],
    ["url must be text", { url: 5 }],
    ["url must be one that begins with redis://", { url: "http://localhost" }],
    ["url must be one that begins with redis://", { url: "localhost" }],
    ["client must be a client of node-redis", { client: {} }],
    ["client must be a client of node-redis", { client: "redis" }],
    [
      "client must be a client of node-redis",
      { client: createSentinel({ name: "a", sentinelRootNodes: [{ host: "a", port: 1 }] }) },
    ],
    ["prefix must be text without { and }", { url, prefix: "{a}" }],
    ["prefix must be text without { and }", { url, prefix: 1 }],
    ["queue must be an object", { url, queue: 5 }],
    ["queue.messages must be a number of 0 or more", { url, queue: { messages: -1 } }],
    ["queue.bytes must be a number of 0 or more", { url, queue: { bytes: Number.NaN } }],
    ["queue.ms must be a number of ms", { url, queue: { ms: 0 } }],
    ["queue.ms must be a number of ms", { url, queue: { ms: Number.POSITIVE_INFINITY } }],
    ["timeoutMs must be a number of ms", { url, timeoutMs: 50 }],
    ['has no option "timeoutMS"', { url, timeoutMS: 50 }],
    ['has no option "queue.message"', { url, queue: { message: 50 } }],
  ])("%s", (message, options) => {
    const make = () => redisBus(options as GGRedisBusOptions);
    expect(make).toThrow("redisBus: ");
    expect(make).toThrow(message);
  });

  it("do not show a password", () => {
    expect(() => redisBus({ url: "http://user:secret@localhost" })).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("secret") }),
    );
  });
});

describeWithRedis("redisBus, its connections", () => {
  let redis: TestRedis;
  beforeEach(async () => {
    redis = await TestRedis.start();
    return () => redis.stop();
  });

  const connections = async () =>
    String(await redis.command("CLIENT", "LIST"))
      .trim()
      .split("\n").length - 1;

  it.each([true, false])("never uses nor closes the program's client (connected: %s)", async (isConnected) => {
    const client = createClient({ url: redis.url, database: 3, name: "app", commandOptions: { timeout: 7 } });
    client.on("error", () => {});
    if (isConnected) await client.connect();
    const { bus, up } = startNode({ client });
    const listener = listen(bus, "room");
    await Promise.all([up(), listener.active]);
    await publishAll(bus, "room", ["text"]);
    await eventually(() => expect(listener.bodies).toEqual(["text"]));
    expect(client.isOpen).toBe(isConnected);
    expect(await redis.command("DBSIZE")).toBe(0);
    await bus.close();
    expect(client.isOpen).toBe(isConnected);
    if (isConnected) {
      expect(await client.ping()).toBe("PONG");
      client.destroy();
    }
    await eventually(async () => expect(await connections()).toBe(0));
  });

  it("keeps its names apart from those of another prefix", async () => {
    const [one, two] = [startNode({ url: redis.url, prefix: "one:" }), startNode({ url: redis.url, prefix: "two:" })];
    const listeners = [listen(one.bus, "room"), listen(two.bus, "room")];
    await Promise.all([one.up(), two.up(), ...listeners.map(({ active }) => active)]);
    await publishAll(one.bus, "room", ["text"]);
    one.bus.members.set("room", "a", "info");
    await eventually(() => expect(listeners[0]!.bodies).toEqual(["text"]));
    await eventually(() => expect(listeners[0]!.changes).toHaveLength(1));
    expect((await two.bus.members.list("room")).members.size).toBe(0);
    const read = async ({ bus }: typeof one) => (await bus.read("room", { epoch: "", offset: 0 }, 1)).top;
    const tops = [await read(one), await read(two)] as const;
    expect(tops.map(({ offset }) => offset)).toEqual([1, 0]);
    expect(tops[0].epoch).not.toBe(tops[1].epoch);
    expect([listeners[1]!.bodies, listeners[1]!.changes]).toEqual([[], []]);
    for (const key of (await redis.command("KEYS", "*")) as string[]) expect(key).toMatch(/^(one|two):/);
  });

  it("subscribes many channels with few commands, each once, and ends them likewise", async () => {
    const { bus, up } = startNode({ url: redis.url });
    await up();
    const calls = async (name: string) =>
      Number(
        new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(String(await redis.command("INFO", "commandstats")))?.[1] ?? 0,
      );
    const before = await calls("subscribe");
    const listeners = texts(2_500).flatMap((channel) => [listen(bus, channel), listen(bus, channel)]);
    await Promise.all(listeners.map(({ active }) => active));
    expect((await calls("subscribe")) - before).toBe(3);
    expect(await redis.command("PUBSUB", "NUMSUB", "gg:{text 7}")).toEqual(["gg:{text 7}", 1]);
    for (const { end } of listeners) end();
    await eventually(async () => expect(await redis.command("PUBSUB", "CHANNELS", "gg:{*")).toEqual([]));
    expect(await calls("unsubscribe")).toBe(3);
  });

  it("ends up as it was last asked, however often that changes", async () => {
    const { bus, up } = startNode({ url: redis.url });
    await up();
    // Between the commands, and while they are under way.
    for (let round = 0; round < 60; round++) {
      const former = listen(bus, "room");
      if (round % 2) await former.active;
      if (round % 3) await new Promise(setImmediate);
      former.end();
      if (round % 5) await new Promise(setImmediate);
    }
    const listener = listen(bus, "room");
    await listener.active;
    await bus.publish("room", "text");
    await eventually(() => expect(listener.bodies).toEqual(["text"]));
    listener.end();
    await eventually(async () => expect(await redis.command("PUBSUB", "CHANNELS", "gg:{*")).toEqual([]));
  });

  it("survives callbacks that throw, and calls none that was taken back", async () => {
    const { bus, up } = startNode({ url: redis.url });
    const [failing, other, takenBack] = [vi.fn(() => expect.fail("of the program")), vi.fn(), vi.fn()];
    bus.onHealth(failing);
    bus.onHealth(other);
    bus.onHealth(takenBack)();
    await up();
    expect([failing.mock.calls.length, other.mock.calls.length, takenBack.mock.calls.length]).toEqual([1, 1, 0]);
  });

  it.each(["absent", "hanging", "connecting"])("closes while Redis is %s, and rejects what waits", async (how) => {
    const target = how === "absent" ? await TestRedis.prepare() : redis;
    const { bus, up, health } = startNode({ url: target.url, timeoutMs: 30_000 });
    if (how === "absent") await eventually(() => expect(health).toHaveLength(1));
    if (how === "hanging") await up();
    if (how !== "absent") redis.pause();
    const { active } = listen(bus, "room");
    bus.members.set("room", "a", "info");
    const waiting = bus.publish("room", "text", { history: HISTORY });
    waiting.catch(() => {});
    const closing = [bus.close(), bus.close()];
    await Promise.all([...closing, active]);
    await expect(waiting).rejects.toMatchObject({ reason: "closed", mayHaveBeenPublished: how === "hanging" });
    expect(bus.health).toBe("down");
    expect(bus.queued).toBe(0);
    if (how !== "absent") {
      redis.resume();
      await eventually(async () => expect(await connections()).toBe(0));
    }
  });

  it("finds that nothing arrives any more, though Redis answers", async () => {
    const proxy = await RedisProxy.start(redis);
    const { up, down, health } = startNode({ url: proxy.url });
    await up();
    proxy.isSilent = true;
    await down();
    expect(health.at(-1)).toContain("does not come back");
    proxy.isSilent = false;
    await up();
  }, 15_000);

  it("closes as soon as it is made", async () => {
    const bus = redisBus({ url: redis.url });
    await bus.close();
    expect(bus.health).toBe("down");
    await eventually(async () => expect(await connections()).toBe(0));
  });

  it("leaves no connection after many failures", async () => {
    const { bus, up, down } = startNode({ url: redis.url });
    for (let round = 0; round < 5; round++) {
      await up();
      await redis.command("CLIENT", "KILL", "TYPE", round % 2 ? "normal" : "pubsub");
      await down();
    }
    await up();
    expect(await connections()).toBe(2);
    await bus.close();
    await eventually(async () => expect(await connections()).toBe(0));
  });

  it("raises nothing that no one handles", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    process.on("uncaughtException", unhandled);
    onTestFinished(() => {
      process.off("unhandledRejection", unhandled);
      process.off("uncaughtException", unhandled);
    });
    const { bus, up, down } = startNode({ url: redis.url });
    await up();
    for (const channel of texts(20)) {
      listen(bus, channel);
      bus.members.set(channel, "a", "info");
      bus.members.setCount(channel, 1);
    }
    await redis.kill();
    await down();
    await bus.close();
    await new Promise(setImmediate);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it("is a cluster's when the client is", () => {
    const client = createCluster({ rootNodes: [{ url: "redis://127.0.0.1:1" }] });
    const bus = redisBus({ client });
    onTestFinished(() => bus.close());
    expect(bus.health).toBe("down");
  });
});
