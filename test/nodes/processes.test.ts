import { beforeAll, beforeEach, expect, it, vi } from "vitest";
import { Balancer } from "../support/balancer.js";
import { RawPeer } from "../support/rawPeer.js";
import { describeWithRedis, TestRedis } from "../support/redis.js";
import { RespProxy } from "../support/respProxy.js";
import { ResumingClient } from "../support/resumingClient.js";
import { eventually, ServerNode } from "../support/serverNode.js";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const HOUR = 3_600_000;

const texts = (count: number, name: string) => Array.from({ length: count }, (_, index) => `${name} ${index}`);

describeWithRedis("server processes", () => {
  let redis: TestRedis;
  let proxy: RespProxy;
  let nodes: [ServerNode, ServerNode];

  beforeAll(async () => {
    // Everything is on disk before it is answered.
    redis = await TestRedis.start("--appendonly", "yes", "--appendfsync", "always");
    proxy = await RespProxy.start(redis.port);
    nodes = await Promise.all([
      ServerNode.start({ urls: [redis.url] }),
      // Its clocks are wrong.
      ServerNode.start({ urls: [proxy.url] }, HOUR),
    ]);
  });

  beforeEach(() => Promise.all(nodes.map((node) => node.up())));

  it("one stops and one dies: others go on without them, and the one that comes back is there once", async () => {
    const room = { name: "gone", history: 1_000 };
    const [near] = nodes;
    const [dying, stopping] = await Promise.all([1, 2].map(() => ServerNode.start({ urls: [redis.url] })));
    await Promise.all([dying!.up(), stopping!.up()]);
    const member = await near.connect("ann", room);
    await near.run("watch", room);
    // A third person finds another node when hers has died.
    const balancer = await Balancer.start();
    balancer.ports = [dying!.port, near.port];
    const dan = await ResumingClient.connect("dan", [room], balancer.url);
    const [ofDying, ofStopping] = await Promise.all([dying!.connect("bob", room), stopping!.connect("cat", room)]);
    // The same person on two nodes.
    await dying!.connect("ann", room);
    await eventually(async () => expect(await near.run("count", room)).toBe(5));
    expect(await near.run("present", room)).toEqual(["ann", "bob", "cat", "dan"]);
    await eventually(() => expect([...near.presence.get("gone")!].sort()).toEqual(["+bob", "+cat", "+dan"]));

    dying!.kill();
    stopping!.pause();
    expect((await ofDying.peer.closed).code).toBe(1006);
    // Members who are not there any more are in no one's way.
    await near.run("publish", room, texts(5, "meanwhile"));
    await eventually(() => expect(near.presence.get("gone")).toHaveLength(5));
    expect(near.presence.get("gone")!.slice(3).sort()).toEqual(["-bob", "-cat"]);
    // She has missed nothing, and was there all the time.
    expect(dan.events.map(({ recovered }) => recovered)).toEqual([undefined, true]);
    expect(dan.log.filter((text) => !text.startsWith("["))).toEqual(texts(5, "meanwhile"));
    expect(await near.run("present", room)).toEqual(["ann", "dan"]);
    expect(await near.run("count", room)).toBe(2);

    stopping!.resume();
    await eventually(() => expect(near.presence.get("gone")!.slice(5)).toEqual(["+cat"]));
    await eventually(async () => expect(await near.run("count", room)).toBe(3));
    expect(await stopping!.run("present", room)).toEqual(["ann", "cat", "dan"]);
    await near.run("publish", room, ["after"]);
    for (const each of [member, ofStopping]) await each.got(...texts(5, "meanwhile"), "after");
    expect(dan.log.at(-1)).toBe("after");
    // Nothing of what is gone is left in Redis.
    await eventually(async () => {
      const fields = (await redis.command("HKEYS", "gg:{Nodes/gone}:p")) as string[];
      expect(fields.filter((field) => field !== "v")).toHaveLength(3);
      expect(await redis.command("HLEN", "gg:{Nodes/gone}:c")).toBe(2);
    });
    await Promise.all([dying!.stop(), stopping!.stop()]);
  });

  it.each([
    [0, 1],
    [1, 0],
  ])("have clocks an hour apart: a client goes on from node %i to node %i", async (from, to) => {
    const room = { name: `clocks ${from}`, history: 100 };
    const balancer = await Balancer.start();
    balancer.ports = [nodes[from]!.port];
    const client = await ResumingClient.connect("ann", [room], balancer.url);
    await nodes[to]!.run("publish", room, texts(3, "before"));
    await client.got("[joined]", ...texts(3, "before"));
    balancer.ports = [];
    balancer.cut();
    await eventually(() => expect(client.ends.state).toBe("reconnecting"));
    await nodes[from]!.run("publish", room, texts(3, "missed"));
    balancer.ports = [nodes[to]!.port];
    await client.got("[joined]", ...texts(3, "before"), "[recovered, missed 3]", ...texts(3, "missed"));
  });

  const faults: [string, (round: number) => unknown][] = [
    ["", () => {}],
    [
      ", while connections to Redis are cut",
      (round) => redis.command("CLIENT", "KILL", "TYPE", round % 2 ? "normal" : "pubsub"),
    ],
    [
      ", while Redis is killed",
      async (round) => {
        if (round > 0) return;
        await redis.kill();
        await redis.start();
      },
    ],
  ];
  it.each(faults)("publish 10,000 each into one room: all members get all in one order%s", async (name, fault) => {
    const room = { name: `order${name}`, history: 20_000 };
    const members = await Promise.all([...nodes, ...nodes].map((node) => node.connect("ann", room)));
    const publishing = nodes.map((node, index) => node.run("publishMany", room, `node ${index}`, 10_000));
    for (let round = 0; round < 3; round++) {
      await eventually(() => expect(members[0]!.log.length).toBeGreaterThan(4_000 * (round + 1)));
      await fault(round);
    }
    expect(await Promise.all(publishing)).toEqual([[], []]);
    for (const { log } of members) {
      await eventually(() => expect(log.length).toBeGreaterThanOrEqual(20_000));
      expect(log.length).toBe(20_000);
    }
    const [first, ...others] = members.map(({ log }) => log.join("\n"));
    for (const other of others) expect(other === first).toBe(true);
    for (const index of [0, 1]) {
      const own = members[0]!.log.filter((text) => text.startsWith(`node ${index} `));
      expect(own.join("\n") === texts(10_000, `node ${index}`).join("\n")).toBe(true);
    }
  });

  it("revoke a key while one of them is cut off: it closes the connection when it is back", async () => {
    const room = { name: "revoked", history: undefined };
    const ann = await nodes[1].connect("ann", room);
    const lenient = await nodes[1].connect("bob", room);
    const [strictAnn, strictBob] = await Promise.all(
      ["ann", "bob"].map((user) => RawPeer.connect(nodes[1].urlOf("strict"), { user })),
    );
    void lenient;
    proxy.cutOff();
    await nodes[1].down();
    for (const peer of [strictAnn!, strictBob!])
      expect(await peer.closed).toEqual({ code: 1013, reason: "Cut off from the other servers" });
    await expect(RawPeer.connect(nodes[1].urlOf("strict"), { user: "ann" })).rejects.toThrow("503");
    expect(await nodes[0].run("revoke", "user:ann")).toBe(0);
    await ann.peer.roundTrip();
    proxy.heal();
    await nodes[1].up();
    expect(await ann.peer.closed).toEqual({ code: 1008, reason: "Revoked" });
    await lenient.peer.roundTrip();
    const again = await RawPeer.connect(nodes[1].urlOf("strict"), { user: "ann" });
    await again.roundTrip();
    expect(again.ws.readyState).toBe(again.ws.OPEN);
  });
});
