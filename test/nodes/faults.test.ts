import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Room } from "../fixtures/nodes/api.js";
import { describeWithRedis, TestRedis } from "../support/redis.js";
import { RespProxy } from "../support/respProxy.js";
import { eventually, LOST, type Member, ServerNode } from "../support/serverNode.js";

vi.setConfig({ testTimeout: 40_000, hookTimeout: 40_000 });

const texts = (count: number, name: string) => Array.from({ length: count }, (_, index) => `${name} ${index}`);

describeWithRedis("server processes whose Redis fails", () => {
  let redis: TestRedis;
  let proxies: RespProxy[];
  let nodes: [ServerNode, ServerNode];
  let lastRoom = 0;

  beforeAll(async () => {
    redis = await TestRedis.start();
    proxies = await Promise.all([1, 2].map(() => RespProxy.start(redis.port)));
    nodes = (await Promise.all(proxies.map(({ url }) => ServerNode.start({ urls: [url] })))) as typeof nodes;
  });

  beforeEach(async () => {
    for (const proxy of proxies) proxy.heal();
    await Promise.all(nodes.map((node) => node.up()));
  });

  /** A room with a member on each node; five messages are kept in it already, which members have got. */
  async function startRoom(history = 1_000) {
    const room = { name: `room ${++lastRoom}`, history };
    const members = (await Promise.all(nodes.map((node, index) => node.connect(`user ${index}`, room)))) as [
      Member,
      Member,
    ];
    await publish(room, "before", 5);
    const before = texts(5, "before");
    for (const member of members) await member.got(...before);
    return { room, members, before };
  }
  /** Publishes on one node, all at once, and expects that nothing fails. */
  async function publish(room: Room, name: string, count = 3, node = nodes[0]) {
    const results = await node.run("publish", room, texts(count, name));
    expect(results.filter(({ failure }) => failure)).toEqual([]);
    return results;
  }

  const healed = (key: "healed" | "lost" | "down" | "limit") =>
    Promise.all(nodes.map(async (node) => (await node.run("metrics"))[key]));
  const downs = () => nodes.map(({ health }) => health.filter((each) => each !== "up").length);
  /** Runs what makes both buses go down, and waits until they are up again. */
  async function interrupt(act: () => unknown): Promise<void> {
    const before = downs();
    await act();
    await eventually(() => downs().forEach((count, index) => void expect(count).toBeGreaterThan(before[index]!)));
    await Promise.all(nodes.map((node) => node.up()));
  }

  it("starts without Redis, serves its own members, says so, and heals", async () => {
    const absent = await TestRedis.prepare();
    const node = await ServerNode.start({ urls: [absent.url] });
    const room = { name: "absent", history: undefined };
    const kept = { name: "absent kept", history: 10 };
    await node.down();
    expect(node.health[0]).toContain("ECONNREFUSED");
    expect(await node.run("metrics")).toMatchObject({ up: 0 });
    const members = await Promise.all([node.connect("ann", room, false), node.connect("ann", kept, false)]);
    await node.run("publish", room, ["local"]);
    await members[0].got("local");
    expect(await node.run("metrics")).toMatchObject({ down: 1 });
    const published = node.run("publish", kept, ["kept"]);
    await expect(node.run("count", room)).rejects.toThrow("GGBusError");
    await absent.start();
    expect(await published).toMatchObject([{ position: { offset: 1 } }]);
    await node.up();
    expect(await node.run("metrics")).toMatchObject({ up: 1 });
    await members[1].got("kept");
    expect(node.health).toHaveLength(2);
    expect(await node.run("present", room)).toEqual(["ann"]);
    expect(await node.run("count", room)).toBe(1);
    await Promise.all([node.stop(), absent.stop()]);
  });

  it("is killed and starts empty: members go on after one loss, and are present again", async () => {
    const { room, members, before } = await startRoom();
    await interrupt(() => redis.restart());
    await publish(room, "after");
    for (const member of members) await member.got(...before, LOST, ...texts(3, "after"));
    await eventually(async () => {
      expect(await nodes[1].run("count", room)).toBe(2);
      expect(await nodes[0].run("present", room)).toEqual(["user 0", "user 1"]);
    });
  });

  it("is killed while messages are published: those that wait come after the loss, in one order", async () => {
    const { room, members, before } = await startRoom();
    const waiting: Promise<unknown>[] = [];
    await interrupt(async () => {
      await redis.kill();
      await Promise.all(nodes.map((node) => node.down()));
      waiting.push(publish(room, "a", 20, nodes[0]), publish(room, "b", 20, nodes[1]));
      await redis.start();
    });
    await Promise.all(waiting);
    await eventually(() => members.forEach(({ log }) => void expect(log).toHaveLength(46)));
    expect(members[0].log).toEqual(members[1].log);
    expect(members[0].log.slice(0, 6)).toEqual([...before, LOST]);
    expect(new Set(members[0].log).size).toBe(46);
  });

  it.each([[0], [1]])("has gone back in time: members miss nothing new, when node %i publishes", async (by) => {
    const { room, members, before } = await startRoom();
    await redis.save("former");
    await publish(room, "forgotten");
    const seen = [...before, ...texts(3, "forgotten")];
    for (const member of members) await member.got(...seen);
    await interrupt(() => redis.restart("former"));
    await publish(room, "after", 5, nodes[by]);
    for (const member of members) await member.got(...seen, LOST, ...texts(5, "after"));
  });

  it("has gone back in time while one node was away, and has as many messages again", async () => {
    const { room, members, before } = await startRoom();
    await redis.save("former");
    await publish(room, "forgotten");
    for (const member of members) await member.got(...before, ...texts(3, "forgotten"));
    await redis.restart("former");
    await Promise.all(nodes.map((node) => node.up()));
    // A node that starts now knows nothing of what is forgotten.
    const late = await ServerNode.start({ urls: [redis.url] });
    await late.up();
    await publish(room, "after", 5, late);
    for (const member of members) await member.got(...before, ...texts(3, "forgotten"), LOST, ...texts(5, "after"));
    await late.stop();
  });

  it("has gone back in time again and again, to the same: members get nothing of it a second time", async () => {
    const { room, members, before } = await startRoom();
    await redis.save("former");
    await publish(room, "forgotten", 1);
    const seen = [...before, "forgotten 0"];
    for (const member of members) await member.got(...seen);
    for (const name of ["first", "second", "third"]) {
      await interrupt(() => redis.restart("former"));
      await publish(room, name, 1);
      seen.push(LOST, `${name} 0`);
      for (const member of members) await member.got(...seen);
    }
  });

  it("is emptied after the first messages of all, which a node has missed: it says so", async () => {
    const room = { name: "fresh", history: 100 };
    const members = await Promise.all(nodes.map((node) => node.connect("ann", room)));
    proxies[1]!.cutOff();
    await nodes[1].down();
    await publish(room, "missed", 2);
    await redis.command("FLUSHALL");
    proxies[1]!.heal();
    await nodes[1].up();
    await publish(room, "after", 1);
    await members[1]!.got(LOST, "after 0");
    await members[0]!.got("missed 0", "missed 1", LOST, "after 0");
  });

  it.each([["former"], [undefined]])(
    "loses an answer and then what it had, back at %s: nothing comes twice",
    async (to) => {
      const { room, members, before } = await startRoom();
      await redis.save("former");
      proxies[0]!.lose("answers");
      const publishing = publish(room, "unanswered", 20);
      const seen = [...before, ...texts(20, "unanswered")];
      for (const member of members) await member.got(...seen);
      await interrupt(async () => {
        proxies[0]!.cutOff();
        await redis.restart(to);
        proxies[0]!.heal();
      });
      const [again] = await publishing;
      // It was published a second time.
      expect(again?.position?.offset).toBe(1);
      await publish(room, "after");
      for (const member of members) await member.got(...seen, LOST, ...texts(3, "after"));
    },
  );

  it("hangs: what is published meanwhile comes once, in order", async () => {
    const { room, members, before } = await startRoom();
    const waiting: Promise<unknown>[] = [];
    await interrupt(async () => {
      redis.pause();
      waiting.push(publish(room, "hung", 100), publish(room, "other", 100, nodes[1]));
      await Promise.all(nodes.map((node) => node.down()));
      redis.resume();
    });
    await Promise.all(waiting);
    await publish(room, "after", 1);
    await eventually(() => members.forEach(({ log }) => void expect(log.at(-1)).toBe("after 0")));
    expect(members[0].log).toEqual(members[1].log);
    expect(members[0].log).toHaveLength(before.length + 201);
    expect(new Set(members[0].log).size).toBe(before.length + 201);
    for (const name of ["hung", "other"])
      expect(members[0].log.filter((text) => text.startsWith(name))).toEqual(texts(100, name));
  });

  it("ends the connections for subscriptions alone: what came meanwhile is read again", async () => {
    const { room, members, before } = await startRoom(2_000);
    const publishing = nodes[0].run("publishMany", room, "while", 2_000);
    await interrupt(() => redis.command("CLIENT", "KILL", "TYPE", "pubsub"));
    expect(await publishing).toEqual([]);
    for (const member of members) await member.got(...before, ...texts(2_000, "while"));
  });

  it("has done what it does not answer any more: nothing comes twice", async () => {
    const { room, members, before } = await startRoom();
    proxies[0]!.lose("answers");
    const publishing = publish(room, "unanswered", 50);
    const key = `gg:{Nodes/${room.name}}:s`;
    await eventually(async () => expect(await redis.command("XLEN", key)).toBe(55));
    proxies[0]!.cut("commands");
    const positions = (await publishing).map(({ position }) => position?.offset);
    expect(positions).toEqual(texts(50, "").map((_, index) => index + 6));
    await publish(room, "after");
    for (const member of members) await member.got(...before, ...texts(50, "unanswered"), ...texts(3, "after"));
  });

  it("forgets the scripts: nothing is seen of it", async () => {
    const { room, members, before } = await startRoom();
    const [was] = [downs()];
    await redis.command("SCRIPT", "FLUSH");
    await publish(room, "after", 10);
    expect(await nodes[1].run("present", room)).toEqual(["user 0", "user 1"]);
    for (const member of members) await member.got(...before, ...texts(10, "after"));
    expect(downs()).toEqual(was);
  });

  it("is emptied: members go on after one loss, and are present again", async () => {
    const { room, members, before } = await startRoom();
    await nodes[0].run("watch", room);
    await redis.command("FLUSHALL");
    await publish(room, "after");
    for (const member of members) await member.got(...before, LOST, ...texts(3, "after"));
    await eventually(async () => expect(await nodes[0].run("count", room)).toBe(2));
    await eventually(async () => expect(await nodes[1].run("present", room)).toEqual(["user 0", "user 1"]));
  });

  it.each([
    ["shortly", 300],
    ["for longer than it may take to answer", 2_500],
  ])("takes no writes %s: they wait, and come once", async (_, ms) => {
    const { room, members, before } = await startRoom();
    await redis.command("CLIENT", "PAUSE", `${ms}`, "WRITE");
    await Promise.all([publish(room, "paused", 20)]);
    await publish(room, "after", 1, nodes[1]);
    for (const member of members) await member.got(...before, ...texts(20, "paused"), "after 0");
  });

  it.each([
    ["the position", "m", [LOST]],
    ["the messages", "s", []],
  ] as const)("evicts %s of a room alone: who is connected misses nothing", async (_, suffix, announced) => {
    const { room, members, before } = await startRoom();
    expect(await redis.command("DEL", `gg:{Nodes/${room.name}}:${suffix}`)).toBe(1);
    await publish(room, "after", 3, nodes[1]);
    for (const member of members) await member.got(...before, ...announced, ...texts(3, "after"));
  });

  it("evicts messages that a node has missed: it says so once", async () => {
    const { room, members, before } = await startRoom();
    proxies[1]!.cutOff();
    await nodes[1].down();
    await publish(room, "missed");
    await redis.command("DEL", `gg:{Nodes/${room.name}}:s`);
    proxies[1]!.heal();
    await nodes[1].up();
    await publish(room, "after");
    await members[0].got(...before, ...texts(3, "missed"), ...texts(3, "after"));
    await members[1].got(...before, LOST, ...texts(3, "after"));
  });

  describe("a bus that is not in order", () => {
    it.each<[string, (messages: readonly Buffer[]) => readonly Buffer[]]>([
      ["loses messages", () => []],
      ["brings messages twice", (messages) => messages.flatMap((message) => [message, message])],
      ["swaps messages", (messages) => [...messages].reverse()],
    ])("%s: members do not see it", async (name, tamper) => {
      const { room, members, before } = await startRoom();
      const [wasHealed, wasLost] = await Promise.all([healed("healed"), healed("lost")]);
      let count = 0;
      proxies[1]!.tamper = (messages) => {
        count += messages.length;
        return tamper(messages);
      };
      await publish(room, "tampered", 20);
      await eventually(() => expect(count).toBe(20));
      proxies[1]!.tamper = undefined;
      await publish(room, "after", 1);
      for (const member of members) await member.got(...before, ...texts(20, "tampered"), "after 0");
      expect(await healed("lost")).toEqual(wasLost);
      // One read for all that is lost.
      if (name === "loses messages") expect(await healed("healed")).toEqual([wasHealed[0], wasHealed[1]! + 1]);
    });
  });

  it.each([
    ["as many as are kept", 1_000, false],
    ["one more than are kept", 1_001, true],
  ])("cuts a node off from %s: it reads them again, or says once that they are lost", async (_, count, isLost) => {
    const { room, members, before } = await startRoom(1_000);
    proxies[1]!.cutOff();
    await nodes[1].down();
    expect(await nodes[0].run("publishMany", room, "missed", count)).toEqual([]);
    proxies[1]!.heal();
    await nodes[1].up();
    await publish(room, "after");
    await members[0].got(...before, ...texts(count, "missed"), ...texts(3, "after"));
    await members[1].got(...before, ...(isLost ? [LOST] : texts(count, "missed")), ...texts(3, "after"));
  });

  it("is away for a node with too much to say: the queue takes what it may, and the rest is refused at once", async () => {
    const { room, members, before } = await startRoom(2_000);
    const [was] = await healed("limit");
    proxies[0]!.cutOff();
    await nodes[0].down();
    const publishing = nodes[0].run("publish", room, texts(1_500, "queued"));
    await eventually(async () => expect(await healed("limit")).toEqual([was! + 500, expect.anything()]));
    expect(await nodes[0].run("metrics")).toMatchObject({ up: 0, queue: 1_000 });
    proxies[0]!.heal();
    const results = await publishing;
    const queued = texts(1_500, "queued").slice(0, 1_000);
    expect(results.filter(({ failure }) => !failure).map(({ text }) => text)).toEqual(queued);
    expect(new Set(results.map(({ failure }) => failure && `${failure.reason} ${failure.wasSent}`))).toEqual(
      new Set([undefined, "limit false"]),
    );
    for (const member of members) await member.got(...before, ...queued);
  });

  it("is away for one node: its own members get what is not kept, the others go on", async () => {
    const plain = { name: "plain", history: undefined };
    const [near, far] = await Promise.all(nodes.map((node, index) => node.connect(`user ${index}`, plain)));
    proxies[0]!.cutOff();
    await nodes[0].down();
    await publish(plain, "near", 2, nodes[0]);
    await publish(plain, "far", 2, nodes[1]);
    await near!.got("near 0", "near 1");
    await far!.got("far 0", "far 1");
    proxies[0]!.heal();
    await nodes[0].up();
    await publish(plain, "both", 1, nodes[1]);
    await near!.got("near 0", "near 1", "both 0");
  });
});
