import { beforeEach, expect, it, onTestFinished, vi } from "vitest";
import type { GGBus } from "../../src/api/bus.js";
import { describeWithRedis, TestRedis } from "../support/redis.js";
import { eventually, listen, publishAll, startNode, texts } from "../support/redisNode.js";
import { RedisProxy } from "../support/redisProxy.js";

describeWithRedis("redisBus, members", () => {
  let redis: TestRedis;
  beforeEach(async () => {
    redis = await TestRedis.start();
    return () => redis.stop();
  });

  const infos = async (bus: GGBus) => [...(await bus.members.list("room")).members.values()].sort();
  const incarnations = async () => (await redis.command("ZRANGE", "gg:nodes", "0", "-1")) as string[];
  const fields = async () => ((await redis.command("HKEYS", "gg:{room}:p")) as string[]).filter((name) => name !== "v");

  /** Two nodes with a member and some connections each, who see each other. */
  async function startBoth() {
    const nodes = [startNode({ url: redis.url }), startNode({ url: redis.url })] as const;
    const listeners = nodes.map(({ bus }) => listen(bus, "room"));
    await Promise.all(listeners.map(({ active }) => active));
    for (const [index, { bus }] of nodes.entries()) {
      bus.members.set("room", "a", `info ${index}`);
      bus.members.setCount("room", index + 1);
    }
    await expectBoth(nodes);
    return { nodes, listeners };
  }

  async function expectBoth(nodes: readonly { bus: GGBus }[]) {
    for (const { bus } of nodes) {
      await eventually(async () => expect(await infos(bus)).toEqual(["info 0", "info 1"]));
      await eventually(async () => expect(await bus.members.count("room")).toBe(3));
    }
  }

  it.each(["what it had saved", "nothing"])("restores them when Redis starts with %s", async (what) => {
    const { nodes } = await startBoth();
    await redis.save("former");
    nodes[0].bus.members.set("room", "late", "late");
    await eventually(async () => expect(await infos(nodes[1].bus)).toContain("late"));
    await redis.restart(what === "nothing" ? undefined : "former");
    await Promise.all(nodes.map(({ down }) => down()));
    nodes[0].bus.members.remove("room", "late");
    nodes[1].bus.members.set("room", "b", "away");
    nodes[1].bus.members.remove("room", "b");
    await Promise.all(nodes.map(({ up }) => up()));
    await expectBoth(nodes);
    expect(await fields()).toHaveLength(2);
    expect(await incarnations()).toHaveLength(2);
  });

  it.each([true, false])(
    "does not take for dead whom Redis has forgotten, for some seconds (back: %s)",
    async (isBack) => {
      const proxy = await RedisProxy.start(redis);
      const [early, late] = [startNode({ url: redis.url }), startNode({ url: proxy.url })];
      const listener = listen(early.bus, "room");
      await Promise.all([listener.active, late.up()]);
      early.bus.members.set("room", "a", "info 0");
      late.bus.members.set("room", "a", "info 1");
      await eventually(async () => expect(await infos(early.bus)).toEqual(["info 0", "info 1"]));
      proxy.isClosed = true;
      await redis.restart();
      await early.down();
      await early.up();
      await expect(early.bus.members.list("room")).rejects.toMatchObject({ reason: "down" });
      await expect(early.bus.members.count("room")).rejects.toMatchObject({ reason: "down" });
      proxy.isClosed = !isBack;
      listener.changes.length = 0;
      const first = await eventually(() => infos(early.bus));
      expect(first).toEqual(isBack ? ["info 0", "info 1"] : ["info 0"]);
      await eventually(() => expect(listener.changes).toContain(undefined));
    },
    15_000,
  );

  it("sets them anew, and only then removes the former names, after each lost link", async () => {
    const proxy = await RedisProxy.start(redis);
    const [cut, other] = [startNode({ url: proxy.url }), startNode({ url: redis.url })];
    const listener = listen(other.bus, "room");
    await Promise.all([listener.active, cut.up(), other.up()]);
    for (const text of texts(700)) cut.bus.members.set("room", text, text);
    await eventually(() => expect(listener.changes).toHaveLength(700));
    proxy.cut();
    await cut.down();
    await eventually(() => expect(listener.changes).toHaveLength(2_100));
    const versions = listener.changes.map((change) => change?.version);
    expect(versions).toEqual(versions.map((_, index) => index + 1));
    expect(listener.changes.slice(700).map((change) => change?.info)).toEqual([
      ...texts(700),
      ...texts(700).map(() => undefined),
    ]);
    expect(await infos(other.bus)).toEqual(texts(700).sort());
  });

  it("leaves nothing in Redis that stays for ever, and of a node that closes nothing at all", async () => {
    const { nodes } = await startBoth();
    await publishAll(nodes[0].bus, "room", ["text"]);
    for (const key of (await redis.command("KEYS", "*")) as string[]) {
      expect(await redis.command("PTTL", key), key).toBeGreaterThan(0);
    }
    await Promise.all(nodes.map(({ bus }) => bus.close()));
    expect(await incarnations()).toEqual([]);
    expect(await fields()).toEqual([]);
    expect(await redis.command("EXISTS", "gg:{room}:c")).toBe(0);
  });

  it("does not use the clocks of the nodes", async () => {
    onTestFinished(() => void vi.useRealTimers());
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
    const early = startNode({ url: redis.url });
    await early.up();
    early.bus.members.set("room", "a", "info 0");
    early.bus.members.setCount("room", 1);
    vi.setSystemTime(Date.now() - 2 * 3_600_000);
    const late = startNode({ url: redis.url });
    await late.up();
    late.bus.members.set("room", "a", "info 1");
    late.bus.members.setCount("room", 2);
    await expectBoth([early, late]);
    vi.setSystemTime(0);
    await expectBoth([early, late]);
    const [position] = await publishAll(early.bus, "room", ["text"]);
    expect((await late.bus.read("room", { ...position!, offset: 0 }, 1)).missed).toHaveLength(1);
  });
});
