import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { describeWithRedis, TestRedis } from "../support/redis.js";
import { startRoom, texts } from "../support/roomOfClient.js";
import { eventually, LOST, ServerNode } from "../support/serverNode.js";

vi.setConfig({ testTimeout: 40_000, hookTimeout: 40_000 });

describeWithRedis("clients that resume where something is lost", () => {
  let redis: TestRedis;
  let nodes: [ServerNode, ServerNode];

  beforeAll(async () => {
    redis = await TestRedis.start();
    nodes = await Promise.all([ServerNode.start({ urls: [redis.url] }), ServerNode.start({ urls: [redis.url] })]);
  });

  beforeEach(() => Promise.all(nodes.map((node) => node.up())));

  it("are told that they may have missed something when a node without a bus has started anew", async () => {
    const alone = await ServerNode.start({});
    const { client, before, publish, balancer, cut, goesTo } = await startRoom(alone);
    await cut();
    await publish("missed");
    goesTo(alone);
    const recovered = [...before, "[recovered, missed 3]", ...texts(3, "missed")];
    await client.got(...recovered);
    balancer.ports = [];
    alone.kill();
    const again = await ServerNode.start({});
    goesTo(again);
    await client.got(...recovered, "[lost]");
    await publish("after", 3, again);
    await client.got(...recovered, "[lost]", ...texts(3, "after"));
    await Promise.all([alone.stop(), again.stop()]);
  });

  const failures: [string, () => Promise<unknown>][] = [
    ["is emptied", () => redis.command("FLUSHALL")],
    ["has started empty", () => redis.restart()],
    ["has gone back in time", () => redis.restart("former")],
  ];
  describe.each(failures)("when Redis %s", (name, fail) => {
    it.each([
      [0, "had seen more"],
      [1, "knows nothing yet"],
    ])("are told on node %i, which %s", async (to) => {
      const { client, before, publish, cut, goesTo, gets } = await startRoom(nodes[0]);
      await redis.save("former");
      await publish("forgotten", 1);
      await client.got(...before, "forgotten 0");
      await cut();
      await publish("missed", 2);
      const downs = nodes.map(({ health }) => health.length);
      await fail();
      if (name !== "is emptied")
        await eventually(() =>
          nodes.forEach(({ health }, index) => void expect(health.length).toBeGreaterThan(downs[index]!)),
        );
      await Promise.all(nodes.map((node) => node.up()));
      await publish("after", 4);
      goesTo(nodes[to]!);
      await gets("forgotten 0", "[lost]");
    });

    it("are told while they are connected, and go on from there elsewhere", async () => {
      const { room, client, before, publish, cut, goesTo, gets } = await startRoom(nodes[0]);
      const raw = await nodes[1].connect("bob", room);
      await redis.save("former");
      await publish("forgotten", 1);
      await raw.got("forgotten 0");
      await fail();
      await Promise.all(nodes.map((node) => node.up()));
      await publish("after");
      const since = ["forgotten 0", "[lost]", ...texts(3, "after")];
      await client.got(...before, ...since);
      await raw.got("forgotten 0", LOST, ...texts(3, "after"));
      await cut();
      await publish("missed");
      goesTo(nodes[1]);
      await gets(...since, "[recovered, missed 3]", ...texts(3, "missed"));
    });
  });

  describe.each([0, 1])("whose room keeps ten messages, on node %i", (to) => {
    it.each([
      [10, true],
      [11, false],
      [500, false],
    ])("miss %i: that is made good: %s", async (count, isRecovered) => {
      const { publish, cut, goesTo, gets } = await startRoom(nodes[0], 10);
      await cut();
      await publish("missed", count);
      goesTo(nodes[to]!);
      await gets(...(isRecovered ? [`[recovered, missed ${count}]`, ...texts(count, "missed")] : ["[lost]"]));
    });
  });

  it("are told the truth when what was kept has expired", async () => {
    const shortly = { urls: [redis.url], ttlMs: 200 };
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => ServerNode.start(shortly)));
    await Promise.all([first, second, third].map((node) => node!.up()));
    const { room, client, before, publish, cut, goesTo } = await startRoom(first!);
    const expire = () =>
      eventually(async () => expect(await redis.command("EXISTS", `gg:{Nodes/${room.name}}:s`)).toBe(0));
    // A quiet room: the history is gone, its position is not.
    await cut();
    await expire();
    goesTo(second!);
    const quiet = [...before, "[recovered, missed 0]"];
    await client.got(...quiet);
    await cut();
    await publish("missed");
    await expire();
    // A node that has seen it forgets it as well.
    goesTo(second!);
    const lost = [...quiet, "[lost]"];
    await client.got(...lost);
    await cut();
    await publish("expired");
    await expire();
    goesTo(third!);
    await client.got(...lost, "[lost]");
    await publish("after");
    await client.got(...lost, "[lost]", ...texts(3, "after"));
    await Promise.all([first, second, third].map((node) => node!.stop()));
  });
});
