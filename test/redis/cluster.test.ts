import { createCluster } from "redis";
import { beforeAll, expect, it } from "vitest";
import { describeWithRedis, startCluster, type TestRedis } from "../support/redis.js";
import { eventually, keptIn, listen, publishAll, startNode, texts } from "../support/redisNode.js";

const LONG = 20_000;

describeWithRedis("redisBus over a cluster", () => {
  let masters: TestRedis[];
  let tests = 0;
  beforeAll(async () => {
    masters = await startCluster(3);
  }, LONG);

  /** Two nodes that listen to channels on every master. */
  async function start() {
    const client = createCluster({ rootNodes: masters.map(({ url }) => ({ url })) });
    const nodes = [startNode({ client }), startNode({ client })] as const;
    const channels = texts(12, `room ${++tests}`);
    const listeners = channels.map((channel) => listen(nodes[0].bus, channel));
    await Promise.all([...nodes.map(({ up }) => up()), ...listeners.map(({ active }) => active)]);
    const publishToEach = async (text: string) => {
      for (const channel of channels) await publishAll(nodes[1].bus, channel, [text]);
    };
    const expectEach = async (...bodies: string[]) => {
      for (const listener of listeners) await eventually(() => expect(listener.bodies).toEqual(bodies));
    };
    return { nodes, channels, listeners, publishToEach, expectEach };
  }

  const slotOf = async (channel: string) => Number(await masters[0]!.command("CLUSTER", "KEYSLOT", `gg:{${channel}}`));
  const idOf = async (master: TestRedis) => String(await master.command("CLUSTER", "MYID"));

  async function ownerOf(slot: number): Promise<TestRedis> {
    const slots = (await masters[0]!.command("CLUSTER", "SLOTS")) as [number, number, [string, number]][];
    const [, , [, port]] = slots.find(([from, to]) => from <= slot && slot <= to)!;
    return masters.find((master) => master.port === port)!;
  }

  it("has channels on every master", async () => {
    const { publishToEach, expectEach, channels } = await start();
    await publishToEach("text");
    await expectEach("text");
    const owners = await Promise.all(channels.map(async (channel) => (await ownerOf(await slotOf(channel))).port));
    expect(new Set(owners).size).toBe(3);
  });

  it(
    "follows a slot that moves, with what it keeps, and says that messages may be missing",
    async () => {
      const { publishToEach, expectEach, channels, listeners, nodes } = await start();
      await publishToEach("before");
      await expectEach("before");
      const slot = await slotOf(channels[0]!);
      const from = await ownerOf(slot);
      const to = masters.find((master) => master !== from)!;
      const [fromId, toId] = [await idOf(from), await idOf(to)];
      await to.command("CLUSTER", "SETSLOT", `${slot}`, "IMPORTING", fromId);
      await from.command("CLUSTER", "SETSLOT", `${slot}`, "MIGRATING", toId);
      const keys = (await from.command("CLUSTER", "GETKEYSINSLOT", `${slot}`, "100")) as string[];
      await from.command("MIGRATE", "127.0.0.1", `${to.port}`, "", "0", "5000", "KEYS", ...keys);
      for (const master of [to, from, ...masters]) await master.command("CLUSTER", "SETSLOT", `${slot}`, "NODE", toId);
      await eventually(() => expect(listeners[0]!.interruptions).toBeGreaterThan(0));
      await Promise.all(nodes.map(({ up }) => up()));
      expect(listeners[0]!.reads[0]?.missed).toEqual([]);
      await publishToEach("after");
      await expectEach("before", "after");
      const [{ position }] = listeners[0]!.messages as [(typeof listeners)[0]["messages"][0]];
      expect(await keptIn(nodes[0].bus, channels[0]!, position!.epoch)).toEqual(["before", "after"]);
    },
    LONG,
  );

  it(
    "is down while a master is away, and heals when it is back",
    async () => {
      const { publishToEach, expectEach, nodes, listeners } = await start();
      await publishToEach("before");
      await expectEach("before");
      const master = masters[1]!;
      await master.kill();
      await Promise.all(nodes.map(({ down }) => down()));
      await master.start();
      await Promise.all(nodes.map(({ up }) => up()));
      // When a link is lost, and when there is another.
      expect(listeners.map(({ interruptions }) => interruptions)).toEqual(listeners.map(() => 2));
      await publishToEach("after");
      await expectEach("before", "after");
    },
    LONG,
  );

  it(
    "finds a master that hangs",
    async () => {
      const { nodes } = await start();
      masters[2]!.pause();
      await Promise.all(nodes.map(({ down }) => down()));
      masters[2]!.resume();
      await Promise.all(nodes.map(({ up }) => up()));
    },
    LONG,
  );

  it(
    "follows a master to its replica",
    async () => {
      const { nodes, publishToEach, expectEach } = await start();
      await publishToEach("before");
      await expectEach("before");
      const [replica] = await startCluster(1, masters[0]);
      masters.push(replica!);
      const failed = masters[0]!;
      const failedId = await idOf(failed);
      await eventually(async () => {
        expect(String(await replica!.command("CLUSTER", "NODES"))).toContain(failedId);
        await replica!.command("CLUSTER", "REPLICATE", failedId);
      });
      await eventually(async () => {
        expect(String(await replica!.command("INFO", "replication"))).toContain("master_link_status:up");
      });
      await failed.kill();
      await Promise.all(nodes.map(({ down }) => down()));
      await eventually(() => replica!.command("CLUSTER", "FAILOVER", "TAKEOVER"));
      await Promise.all(nodes.map(({ up }) => up()));
      await publishToEach("after");
      await expectEach("before", "after");
    },
    LONG,
  );
});
