import { expect, it, onTestFinished, vi } from "vitest";
import { clusterBus } from "../../src/index.cluster.js";
import { Balancer } from "../support/balancer.js";
import { ResumingClient } from "../support/resumingClient.js";
import { texts } from "../support/roomOfClient.js";
import { eventually, ServerNode } from "../support/serverNode.js";

vi.setConfig({ testTimeout: 40_000 });

/** This process is the primary, and keeps what its workers publish. */
async function startWorkers() {
  const bus = clusterBus();
  onTestFinished(() => bus.close());
  const workers = await Promise.all([ServerNode.startWorker(), ServerNode.startWorker()]);
  await Promise.all(workers.map((worker) => worker.up()));
  return workers as [ServerNode, ServerNode];
}

it("a client goes on at another worker of the cluster when its own is killed, and misses nothing", async () => {
  const room = { name: "workers", history: 100 };
  const [dying, other] = await startWorkers();
  const balancer = await Balancer.start();
  balancer.ports = [dying.port];
  const client = await ResumingClient.connect("ann", [room], balancer.url);
  const watcher = await other.connect("bob", room);
  await dying.run("publish", room, texts(3, "before"));
  const before = ["[joined]", ...texts(3, "before")];
  await client.got(...before);
  balancer.ports = [];
  dying.kill();
  await eventually(() => expect(client.ends.state).toBe("reconnecting"));
  await other.run("publish", room, texts(20, "missed"));
  const next = await ServerNode.startWorker();
  await next.up();
  balancer.ports = [next.port];
  const missed = ["[recovered, missed 20]", ...texts(20, "missed")];
  await client.got(...before, ...missed);
  await next.run("publish", room, ["after"]);
  await client.got(...before, ...missed, "after");
  await watcher.got(...texts(3, "before"), ...texts(20, "missed"), "after");
  await eventually(async () => expect(await other.run("present", room)).toEqual(["ann", "bob"]));
});

it("more than the cluster keeps is said to be lost", async () => {
  const room = { name: "trimmed", history: 10 };
  const [first, second] = await startWorkers();
  const balancer = await Balancer.start();
  balancer.ports = [first.port];
  const client = await ResumingClient.connect("ann", [room], balancer.url);
  await second.run("publish", room, ["before"]);
  await client.got("[joined]", "before");
  balancer.ports = [];
  balancer.cut();
  await eventually(() => expect(client.ends.state).toBe("reconnecting"));
  await second.run("publish", room, texts(11, "lost"));
  balancer.ports = [second.port];
  await client.got("[joined]", "before", "[lost]");
  await first.run("publish", room, ["after"]);
  await client.got("[joined]", "before", "[lost]", "after");
});
