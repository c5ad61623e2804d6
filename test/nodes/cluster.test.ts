import { expect, it, vi } from "vitest";
import { describeWithRedis, startCluster } from "../support/redis.js";
import { eventually, LOST, ServerNode } from "../support/serverNode.js";

vi.setConfig({ testTimeout: 60_000 });

describeWithRedis("server processes over a cluster", () => {
  it("go on when the master of a room is killed and comes back empty, and other rooms miss nothing", async () => {
    const masters = await startCluster(3);
    const urls = masters.map(({ url }) => url);
    const nodes = await Promise.all([1, 2].map(() => ServerNode.start({ urls })));
    await Promise.all(nodes.map((node) => node.up()));
    // One room on each master: slots are given in equal parts.
    const rooms: { name: string; history: number }[] = [];
    for (let index = 0; rooms.filter(Boolean).length < masters.length; index++) {
      const name = `room ${index}`;
      const slot = Number(await masters[0]!.command("CLUSTER", "KEYSLOT", `gg:{Nodes/${name}}`));
      rooms[Math.floor((slot * masters.length) / 16_384)] ??= { name, history: 100 };
    }
    const members = await Promise.all(
      rooms.flatMap((room) => nodes.map(async (node) => ({ room, member: await node.connect("ann", room) }))),
    );
    const publishAll = async (text: string) => {
      for (const room of rooms) expect(await nodes[0]!.run("publish", room, [text])).toMatchObject([{ position: {} }]);
    };
    await publishAll("before");
    for (const { member } of members) await member.got("before");
    await masters[1]!.kill();
    await Promise.all(nodes.map((node) => node.down()));
    await masters[1]!.start();
    await Promise.all(nodes.map((node) => node.up()));
    await publishAll("after");
    for (const { room, member } of members) await member.got("before", ...(room === rooms[1] ? [LOST] : []), "after");
    for (const room of rooms) await eventually(async () => expect(await nodes[1]!.run("count", room)).toBe(2));
  });
});
