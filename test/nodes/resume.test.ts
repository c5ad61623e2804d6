import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { scriptsFor } from "../../src/redis/scripts.js";
import { Balancer } from "../support/balancer.js";
import { describeWithRedis, TestRedis } from "../support/redis.js";
import { RespProxy } from "../support/respProxy.js";
import { ResumingClient } from "../support/resumingClient.js";
import { startRoom, texts } from "../support/roomOfClient.js";
import { eventually, ServerNode } from "../support/serverNode.js";

vi.setConfig({ testTimeout: 40_000, hookTimeout: 40_000 });

/** What a node reads that asks for the latest messages; the checks that each has to make every 30 s name an epoch. */
const READS = new RegExp(`"${scriptsFor(false).read.sha}" "2" "[^"]*" "[^"]*" ""`);

describeWithRedis("clients that resume on server processes", () => {
  let redis: TestRedis;
  let proxy: RespProxy;
  let nodes: [ServerNode, ServerNode];

  beforeAll(async () => {
    redis = await TestRedis.start();
    proxy = await RespProxy.start(redis.port);
    nodes = await Promise.all([ServerNode.start({ urls: [redis.url] }), ServerNode.start({ urls: [proxy.url] })]);
  });

  beforeEach(async () => {
    proxy.heal();
    await Promise.all(nodes.map((node) => node.up()));
  });

  describe.each([0, 1])("while node %i publishes", (by) => {
    it.each([
      [0, "the same node, which reads nothing of Redis", 0],
      [1, "another node, which reads once", 1],
    ])("miss nothing on node %i: %s", async (to, _, reads) => {
      const { publish, cut, goesTo, gets } = await startRoom(nodes[0]);
      await cut();
      await publish("missed", 20, nodes[by]);
      const count = await redis.countOf(READS);
      goesTo(nodes[to]!);
      await gets("[recovered, missed 20]", ...texts(20, "missed"));
      expect(await count()).toBe(reads);
    });
  });

  it("miss nothing while they go to and fro", async () => {
    const { client, publish, cut, goesTo, gets, before } = await startRoom(nodes[0]);
    const expected: string[] = [];
    for (let round = 0; round < 10; round++) {
      await publish(`${round} here`);
      expected.push(...texts(3, `${round} here`));
      await client.got(...before, ...expected);
      await cut();
      await publish(`${round} there`, round, nodes[round % 2]);
      expected.push(`[recovered, missed ${round}]`, ...texts(round, `${round} there`));
      goesTo(nodes[Math.floor(round / 2) % 2]!);
      await client.got(...before, ...expected);
    }
    await gets(...expected);
  });

  it("miss nothing of a room in which nothing has happened", async () => {
    const { cut, goesTo, gets } = await startRoom(nodes[0]);
    await cut();
    goesTo(nodes[1]);
    await gets("[recovered, missed 0]");
  });

  it("miss nothing when their node is killed, nor when its successor is", async () => {
    const third = await ServerNode.start({ urls: [redis.url] });
    await third.up();
    const { client, balancer, publish, goesTo, gets, before } = await startRoom(third);
    const fourth = await ServerNode.start({ urls: [redis.url] });
    await fourth.up();
    balancer.ports = [];
    third.kill();
    await publish("missed", 3, nodes[0]);
    goesTo(fourth);
    await client.got(...before, "[recovered, missed 3]", ...texts(3, "missed"));
    goesTo(nodes[1]);
    fourth.kill();
    await gets("[recovered, missed 3]", ...texts(3, "missed"), "[recovered, missed 0]");
    await Promise.all([third.stop(), fourth.stop()]);
  });

  it("miss nothing while all nodes are replaced one by one", async () => {
    let [one, two] = await Promise.all([1, 2].map(() => ServerNode.start({ urls: [redis.url] })));
    await Promise.all([one!.up(), two!.up()]);
    const room = { name: "rolling", history: 5_000 };
    const balancer = await Balancer.start();
    balancer.ports = [one!.port, two!.port];
    const clients = await Promise.all(
      texts(10, "user").map((user) => ResumingClient.connect(user, [room], balancer.url)),
    );
    const watcher = await nodes[1].connect("bob", room);
    const published: string[] = [];
    let isRolling = true;
    const publishing = (async () => {
      for (let batch = 0; isRolling; batch++) {
        await nodes[0].run("publish", room, texts(5, `${batch}`));
        published.push(...texts(5, `${batch}`));
        await watcher.got(...published);
      }
    })();
    for (let round = 0; round < 3; round++) {
      const next = await ServerNode.start({ urls: [redis.url] });
      await next.up();
      balancer.ports = [two!.port, next.port];
      await one!.run("drain");
      await eventually(async () => expect(await one!.run("size", room)).toBe(0));
      await one!.stop();
      [one, two] = [two, next];
    }
    isRolling = false;
    await publishing;
    await nodes[0].run("publish", room, ["end"]);
    for (const { log, events } of clients) {
      await eventually(() => expect(log).toContain("end"));
      const got = log.filter((text) => !text.startsWith("["));
      // What was published before they joined is not for them.
      expect(got).toEqual([...published, "end"].slice(-got.length));
      expect(got.length).toBeGreaterThan(published.length - 50);
      expect(events[0]?.recovered).toBe(undefined);
      expect(events.length).toBeGreaterThan(1);
      expect(events.slice(1).filter(({ recovered }) => !recovered)).toEqual([]);
    }
    await Promise.all([one!.stop(), two!.stop()]);
  });

  it.each([
    ["and asks again", (node: ServerNode) => void node],
    ["and dies", (node: ServerNode) => node.kill()],
  ])("get once what a node has published without an answer %s", async (_, act) => {
    const own = await RespProxy.start(redis.port);
    const third = await ServerNode.start({ urls: [own.url] });
    await third.up();
    const { room, balancer, client, goesTo, gets } = await startRoom(third);
    own.lose("answers");
    const publishing = third.run("publish", room, texts(20, "unanswered")).catch(() => {});
    await eventually(async () => expect(await redis.command("XLEN", `gg:{Nodes/${room.name}}:s`)).toBe(25));
    balancer.ports = [];
    act(third);
    balancer.cut();
    await eventually(() => expect(client.ends.state).toBe("reconnecting"));
    const had = client.log.length - 6;
    own.cut("commands");
    await publishing;
    goesTo(nodes[1]);
    const unanswered = texts(20, "unanswered");
    await gets(...unanswered.slice(0, had), `[recovered, missed ${20 - had}]`, ...unanswered.slice(had));
    await third.stop();
  });

  it("are not told of a loss by a node that is behind, nor by one that is cut off", async () => {
    const { room, client, before, publish, cut, goesTo, gets } = await startRoom(nodes[0]);
    const behind = await nodes[1].connect("bob", room);
    proxy.tamper = () => [];
    await publish("unheard");
    const unheard = texts(3, "unheard");
    await client.got(...before, ...unheard);
    await cut();
    goesTo(nodes[1]);
    await client.got(...before, ...unheard, "[recovered, missed 0]");
    // It has found out for all.
    await behind.got(...unheard);
    await cut();
    goesTo(nodes[0]);
    proxy.cutOff();
    await nodes[1].down();
    const since = [...unheard, "[recovered, missed 0]", "[recovered, missed 0]"];
    await client.got(...before, ...since);
    await publish("meanwhile");
    since.push(...texts(3, "meanwhile"));
    await client.got(...before, ...since);
    await cut();
    goesTo(nodes[1]);
    await eventually(async () => expect(await nodes[1].run("size", room)).toBe(2));
    proxy.heal();
    await nodes[1].up();
    await gets(...since, "[recovered, missed 0]");
    await behind.got(...unheard, ...texts(3, "meanwhile"), "end 0");
  });

  it("get no message twice while a draining node and the next one both deliver", async () => {
    const third = await ServerNode.start({ urls: [redis.url] });
    await third.up();
    const { room, client, before, publish, goesTo, gets } = await startRoom(third);
    const answer = client.ends.outgoing.hold().asResult();
    await eventually(async () => expect(await third.run("held")).toBe(1));
    goesTo(nodes[1]);
    await third.run("drain");
    await client.got(...before, "[recovered, missed 0]");
    const sizes = () => Promise.all([third, nodes[1]].map((node) => node.run("size", room)));
    await publish("both", 200, third);
    await publish("both again", 200, nodes[0]);
    const both = ["[recovered, missed 0]", ...texts(200, "both"), ...texts(200, "both again")];
    await client.got(...before, ...both);
    expect(await sizes()).toEqual([1, 1]);
    await third.run("release");
    expect(await answer).toMatchObject({ success: true });
    await eventually(async () => expect(await sizes()).toEqual([0, 1]));
    await gets(...both);
    await third.stop();
  });

  it("do not get what they have said themselves, on any connection", async () => {
    const { room, publish } = await startRoom(nodes[0]);
    const { name, history } = room;
    const say = (serial: number, offset: number) =>
      ({ session: "0123456789", serial, at: [[name, epoch, offset]] }) as const;
    const watcher = await nodes[1].connect("bob", room);
    const { epoch, offset } = watcher.groups[0]!;
    const first = await nodes[0].connect("ann", room, true, say(1, offset));
    first.peer.send(`r:Nodes.say:2:${JSON.stringify({ room: { name, history }, text: "mine" })}`);
    await watcher.got("mine");
    await publish("other");
    await watcher.got("mine", ...texts(3, "other"));
    await first.got(...texts(3, "other"));
    for (const [index, node] of nodes.entries()) {
      const next = await node.connect("ann", room, true, say(2 + index, offset));
      await next.got(...texts(3, "other"));
      expect(next.groups).toEqual([{ group: name, epoch, offset, recovered: true, missed: 4 }]);
    }
  });

  it("are not seen by a client of 0.0.39 in the same room", async () => {
    const { room, publish, client, before } = await startRoom(nodes[0]);
    const old = await nodes[1].connect("bob", room, true, "nothing");
    await publish("here");
    await old.got(...texts(3, "here"));
    expect(old.frames.slice(2)).toEqual(texts(3, "here").map((text) => `m:Nodes.news::${JSON.stringify(text)}`));
    old.peer.ws.terminate();
    await publish("missed");
    await client.got(...before, ...texts(3, "here"), ...texts(3, "missed"));
    const again = await nodes[1].connect("bob", room, true, "nothing");
    await redis.command("FLUSHALL");
    await publish("after");
    await again.got(...texts(3, "after"));
    expect(again.frames.filter((frame) => frame.startsWith("g"))).toEqual([]);
  });
});
