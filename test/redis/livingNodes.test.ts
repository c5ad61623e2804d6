import { beforeEach, expect, it } from "vitest";
import type { GGBus } from "../../src/api/bus.js";
import { describeWithRedis, TestRedis } from "../support/redis.js";
import { eventually, listen, startNode } from "../support/redisNode.js";

const LONG = 20_000;

// A node looks every 5 s who lives.
describeWithRedis("redisBus, nodes that live", () => {
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

  it(
    "restores them, under another name, when Redis was emptied",
    async () => {
      const { nodes, listeners } = await startBoth();
      const before = await incarnations();
      await redis.command("FLUSHALL");
      await expectBoth(nodes);
      const after = await incarnations();
      expect(after).toHaveLength(2);
      expect(after.filter((name) => before.includes(name))).toEqual([]);
      for (const { changes } of listeners) await eventually(() => expect(changes).toContain(undefined));
    },
    LONG,
  );

  it(
    "takes another name when it was given up while it did not run",
    async () => {
      const { nodes, listeners } = await startBoth();
      const before = await incarnations();
      const own = before.find((name) => name.startsWith(nodes[0].bus.node))!;
      await redis.command("ZREM", "gg:nodes", own);
      expect(await infos(nodes[1].bus)).toEqual(["info 1"]);
      // The other node has removed what it left.
      await eventually(async () => expect(await fields()).toHaveLength(1));
      await expectBoth(nodes);
      expect(await incarnations()).not.toContain(own);
      await eventually(() => expect(listeners[1]!.changes).toContain(undefined));
    },
    LONG,
  );

  it(
    "forgets a node that has died, and says so",
    async () => {
      const { bus, up } = startNode({ url: redis.url });
      const listener = listen(bus, "room");
      await Promise.all([listener.active, up()]);
      const [seconds] = (await redis.command("TIME")) as [string];
      await redis.command("ZADD", "gg:nodes", `${Number(seconds) * 1_000 + 2_000}`, "dead~1");
      await redis.command("HSET", "gg:{room}:p", "dead~1/a", "dead", "dead~1/b/c", "dead");
      await redis.command("HSET", "gg:{room}:c", "dead~1", "5");
      bus.members.set("room", "a", "living");
      bus.members.setCount("room", 1);
      await eventually(async () => expect(await infos(bus)).toEqual(["dead", "dead", "living"]));
      await eventually(async () => expect(await bus.members.count("room")).toBe(6));
      await eventually(() => expect(listener.changes).toContain(undefined));
      expect(await infos(bus)).toEqual(["living"]);
      expect(await bus.members.count("room")).toBe(1);
      await eventually(async () => {
        expect(await fields()).toHaveLength(1);
        expect(await redis.command("HLEN", "gg:{room}:c")).toBe(1);
      });
    },
    LONG,
  );

  it("believes no node to live for longer than each says, after the clock of Redis has gone back", async () => {
    const { bus, up } = startNode({ url: redis.url });
    await up();
    const [seconds] = (await redis.command("TIME")) as [string];
    await redis.command("ZADD", "gg:nodes", `${(Number(seconds) + 3_600) * 1_000}`, "dead~1");
    await bus.members.list("room");
    const score = Number(await redis.command("ZSCORE", "gg:nodes", "dead~1"));
    expect(score).toBeGreaterThan(Number(seconds) * 1_000 + 10_000);
    expect(score).toBeLessThan(Number(seconds) * 1_000 + 20_000);
  });
});
