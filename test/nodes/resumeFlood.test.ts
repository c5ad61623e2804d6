import { fork } from "node:child_process";
import { once } from "node:events";
import { expect, it, onTestFinished, vi } from "vitest";
import { scriptsFor } from "../../src/redis/scripts.js";
import type { Flood, FloodResult } from "../fixtures/nodes/flood.js";
import { fixture } from "../support/paths.js";
import { describeWithRedis, TestRedis } from "../support/redis.js";
import { ServerNode } from "../support/serverNode.js";

vi.setConfig({ testTimeout: 90_000 });

const CLIENTS = 5_000;
const MISSED = 4;

/** What a node reads that asks for the latest messages; the checks that each has to make every 30 s name an epoch. */
const READS = new RegExp(`"${scriptsFor(false).read.sha}" "2" "gg:\\{Nodes/flooded \\d\\}:m" "[^"]*" ""`);

describeWithRedis("a flood of clients that come back at once", () => {
  it("costs each node one read of each group at most", async () => {
    const redis = await TestRedis.start();
    const nodes = await Promise.all(["warm", "partly warm", "cold"].map(() => ServerNode.start({ urls: [redis.url] })));
    await Promise.all(nodes.map((node) => node.up()));
    const [warm, partlyWarm] = nodes as [ServerNode, ServerNode, ServerNode];
    const rooms = [1, 2].map((index) => ({ name: `flooded ${index}`, history: 1_000 }));
    const publish = async (count: number) => {
      for (const room of rooms) expect(await warm.run("publishMany", room, "text", count)).toEqual([]);
    };
    const members = await Promise.all(rooms.map((room) => warm.connect("ann", room)));
    await publish(MISSED / 2);
    for (const room of rooms) await partlyWarm.connect("ann", room);
    await publish(MISSED / 2);
    const at = members.map(({ groups: [joined] }) => [joined!.group!, joined!.epoch, joined!.offset] as const);
    const count = await redis.countOf(READS);
    const urls = nodes.map((node) => node.urlOf("nodes"));
    const flood: Flood = { urls, clients: CLIENTS, rooms, at, missed: MISSED };
    const clients = fork(fixture("nodes/flood.ts"), [JSON.stringify(flood)], { execArgv: ["--import", "tsx"] });
    onTestFinished(() => void clients.kill("SIGKILL"));
    const [result] = (await Promise.race([once(clients, "message"), once(clients, "exit")])) as [FloodResult];
    expect(result).toEqual({ recovered: CLIENTS * rooms.length, wrong: [] });
    // The first has all that was missed, the others have to read it. Each may make its regular check meanwhile.
    const reads = await count();
    expect(reads).toBeGreaterThanOrEqual(2 * rooms.length);
    expect(reads).toBeLessThanOrEqual(2 * rooms.length + nodes.length * rooms.length);
    for (const [index, node] of nodes.entries()) {
      const { recovered, notRecovered } = await node.run("metrics");
      expect(recovered).toBe(Math.ceil((CLIENTS - index) / nodes.length) * rooms.length);
      expect(notRecovered ?? 0).toBe(0);
    }
    await Promise.all(nodes.map((node) => node.stop()));
  });
});
