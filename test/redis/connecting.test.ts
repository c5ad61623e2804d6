import { createCluster } from "redis";
import { beforeEach, expect, it } from "vitest";
import { redisBus } from "../../src/redis/redisBus.js";
import { describeWithRedis, startCluster, TestRedis } from "../support/redis.js";
import { eventually, HISTORY, listen, publishAll, startNode } from "../support/redisNode.js";
import { RespProxy } from "../support/respProxy.js";

const LONG = 25_000;

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function connectionsOf(redis: TestRedis): Promise<string[]> {
  const list = String(await redis.command("CLIENT", "LIST"))
    .trim()
    .split("\n");
  return list.filter((client) => !/ cmd=client\|list | flags=[MS] /.test(client));
}

/** Closes buses at different moments of their beginning. */
async function closeEarly(make: () => ReturnType<typeof redisBus>): Promise<void> {
  for (let turns = 0; turns < 24; turns++) {
    const bus = make();
    for (let done = 0; done < turns; done++) await turn();
    await bus.close();
  }
}

describeWithRedis("redisBus, while it connects", () => {
  let redis: TestRedis;
  beforeEach(async () => {
    redis = await TestRedis.start();
    return () => redis.stop();
  });

  it("leaves no connection when it is closed", async () => {
    await closeEarly(() => redisBus({ url: redis.url }));
    await eventually(async () => expect(await connectionsOf(redis)).toEqual([]));
  });

  it(
    "says that it is a cluster that it was given the URL of",
    async () => {
      const [first] = await startCluster(3);
      const node = startNode({ url: first!.url });
      const waiting = Promise.allSettled(
        Array.from({ length: 12 }, (_, index) => node.bus.publish(`room ${index}`, "text", { history: HISTORY })),
      );
      await eventually(() => expect(node.health.join()).toContain("give redisBus a client made by createCluster"));
      await node.bus.close();
      await waiting;
    },
    LONG,
  );

  it(
    "keeps a link to a Redis that answers slowly, as long as it may",
    async () => {
      const proxy = await RespProxy.start(redis.port);
      const node = startNode({ url: proxy.url, timeoutMs: 30_000 });
      await node.up();
      proxy.delayMs = 2_200;
      const published = async () =>
        Number(/cmdstat_publish:calls=(\d+)/.exec(String(await redis.command("INFO", "commandstats")))?.[1] ?? 0);
      const before = await published();
      await eventually(async () => expect(await published()).toBeGreaterThan(before + 1));
      expect(node.health).toEqual(["up"]);
      proxy.delayMs = 0;
    },
    LONG,
  );

  it("separates the databases of one Redis", async () => {
    const [zero, one] = [startNode({ url: `${redis.url}/0` }), startNode({ url: `${redis.url}/1` })];
    const listeners = [listen(zero.bus, "room"), listen(one.bus, "room")];
    await Promise.all([...listeners.map(({ active }) => active), zero.up(), one.up()]);
    const bodies = ["text", "kept"];
    for (const [index, { bus }] of [zero, one].entries()) {
      bus.members.set("room", `member ${index}`, "{}");
      await bus.publish("room", `text ${index}`);
      await publishAll(bus, "room", [`kept ${index}`]);
    }
    for (const [index, { bodies: got, changes }] of listeners.entries()) {
      await eventually(() => expect(got).toEqual(bodies.map((body) => `${body} ${index}`)));
      await eventually(() => expect(changes).toHaveLength(1));
    }
  });
});

describeWithRedis("redisBus, while it connects to a cluster", () => {
  it(
    "leaves no connection when it is closed",
    async () => {
      const masters = await startCluster(2);
      const client = createCluster({ rootNodes: masters.map(({ url }) => ({ url })) });
      await closeEarly(() => redisBus({ client }));
      for (const master of masters) await eventually(async () => expect(await connectionsOf(master)).toEqual([]));
    },
    LONG,
  );

  it(
    "publishes in other channels while a slot that moves takes nothing",
    async () => {
      const [first, second] = (await startCluster(2)) as [TestRedis, TestRedis];
      const slotOf = async (channel: string) => String(await first.command("CLUSTER", "KEYSLOT", `gg:{${channel}}`));
      const slot = await slotOf("room");
      expect(await slotOf("other room")).not.toBe(slot);
      const [from, to] = Number(slot) < 8_192 ? [first, second] : [second, first];
      const client = createCluster({ rootNodes: [{ url: first.url }] });
      const node = startNode({ client, queue: { messages: 0, ms: 60_000 } });
      await node.up();
      await to.command("CLUSTER", "SETSLOT", slot, "IMPORTING", String(await from.command("CLUSTER", "MYID")));
      await from.command("CLUSTER", "SETSLOT", slot, "MIGRATING", String(await to.command("CLUSTER", "MYID")));
      const held = publishAll(node.bus, "room", ["held"]);
      await eventually(() => expect(node.bus.queued).toBe(1));
      expect(await publishAll(node.bus, "other room", ["text"])).toMatchObject([{ offset: 1 }]);
      expect(node.bus.queued).toBe(1);
      for (const master of [to, from]) await master.command("CLUSTER", "SETSLOT", slot, "STABLE");
      expect(await held).toMatchObject([{ offset: 1 }]);
      expect(node.health).toEqual(["up"]);
    },
    LONG,
  );
});
