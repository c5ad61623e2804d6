import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import type { GGBus, GGBusMessage } from "../../src/api/bus.js";
import { clusterBus } from "../../src/index.cluster.js";
import { RemoteBuses } from "../fixtures/cluster/remoteBus.js";
import { busSuite } from "../support/busSuite.js";
import { fixture } from "../support/paths.js";
import { Queue } from "../support/queue.js";

const HISTORY = { history: { size: 20_000, ttlMs: 60_000 } };
const PATIENCE = { timeout: 10_000, interval: 10 };

/** This process is the primary. Its workers end with it. */
async function fork(): Promise<RemoteBuses> {
  cluster.setupPrimary({ exec: fixture("cluster/worker.ts"), execArgv: ["--import", "tsx"] });
  const remote = new RemoteBuses(cluster.fork());
  await vi.waitFor(() => expect(remote.strays).toContain("ready"), PATIENCE);
  return remote;
}

async function end(worker: Worker, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
  if (worker.isDead()) return;
  const exited = once(worker, "exit");
  worker.process.kill(signal);
  await exited;
}

const isUp = (...buses: readonly GGBus[]) =>
  vi.waitFor(() => expect(buses.map(({ health }) => health)).toEqual(buses.map(() => "up")), PATIENCE);

function listen(bus: GGBus, channel: string) {
  const messages = new Queue<GGBusMessage>();
  const onMembers = vi.fn();
  const onInterrupted = vi.fn(() => Promise.resolve());
  return {
    messages,
    onMembers,
    onInterrupted,
    ...bus.subscribe(channel, { onMessage: (m) => messages.push(m), onInterrupted, onMembers }),
  };
}

let workers: [RemoteBuses, RemoteBuses];

beforeAll(async () => {
  workers = await Promise.all([fork(), fork()]);
}, 30_000);

afterAll(async () => {
  await Promise.all(Object.values(cluster.workers ?? {}).map((worker) => worker && end(worker)));
});

busSuite("a primary process and two workers", async () => {
  const nodes = [clusterBus(), await workers[0].makeBus(), await workers[1].makeBus()];
  return { nodes, close: async () => void (await Promise.all(nodes.map((node) => node.close()))) };
});

/** Buses in the primary process and in both workers, up. */
async function threeBuses(): Promise<[GGBus, GGBus, GGBus]> {
  const buses: [GGBus, GGBus, GGBus] = [clusterBus(), await workers[0].makeBus(), await workers[1].makeBus()];
  onTestFinished(async () => void (await Promise.all(buses.map((bus) => bus.close()))));
  await isUp(...buses);
  return buses;
}

describe("a bus over a cluster", () => {
  it("gives all processes the same order of what two workers publish at once", async () => {
    const buses = await threeBuses();
    const listeners = buses.map((bus) => listen(bus, "order"));
    await Promise.all(listeners.map(({ active }) => active));
    const count = 5_000;
    const [, ...publishers] = buses;
    const published = publishers.map(async (bus, i) => {
      for (let from = 0; from < count; from += 500) {
        const batch = Array.from({ length: 500 }, (_, j) => bus.publish("order", `${i}:${from + j}`, HISTORY));
        await Promise.all(batch);
      }
    });
    await Promise.all(published);
    const received = await Promise.all(listeners.map(({ messages }) => messages.take(2 * count)));
    expect(received[0]!.map(({ position }) => position?.offset)).toEqual(received[0]!.map((_, i) => i + 1));
    for (const messages of received) expect(messages).toEqual(received[0]);
    for (const i of [0, 1]) {
      const own = received[0]!.map(({ body }) => body).filter((body) => body.startsWith(`${i}:`));
      expect(own).toEqual(Array.from({ length: count }, (_, n) => `${i}:${n}`));
    }
    // They did not wait for each other.
    const firstOfOther = received[0]!.findIndex(({ body }) => body[0] !== received[0]![0]!.body[0]);
    expect(firstOfOther).toBeLessThan(count);
  }, 20_000);

  it("forgets a worker that is killed, at once", async () => {
    const dying = await fork();
    const [own, , other] = await threeBuses();
    const gone = await dying.makeBus();
    await isUp(gone);
    const watching = listen(other, "room");
    await Promise.all([watching.active, listen(gone, "room").active]);
    gone.members.set("room", "a", "of the dying");
    gone.members.setCount("room", 5);
    own.members.set("room", "b", "of the living");
    await vi.waitFor(async () => {
      expect((await own.members.list("room")).members.size).toBe(2);
      expect(await other.members.count("room")).toBe(5);
    }, PATIENCE);
    watching.onMembers.mockClear();
    await end(dying.worker);
    await vi.waitFor(() => expect(watching.onMembers).toHaveBeenCalledWith(undefined), PATIENCE);
    expect([...(await other.members.list("room")).members.values()]).toEqual(["of the living"]);
    expect(await other.members.count("room")).toBe(0);
    await own.publish("room", "goes on");
    expect((await watching.messages.next()).body).toBe("goes on");
  }, 20_000);

  it("leaves the messages of the program alone, and is left alone by them", async () => {
    const [, worker] = await threeBuses();
    const listener = listen(worker, "room");
    await listener.active;
    const seen: unknown[] = [];
    const onMessage = (_: Worker, message: unknown) => void seen.push(message);
    cluster.on("message", onMessage);
    onTestFinished(() => void cluster.off("message", onMessage));
    const odd = [null, 0, "text", [], {}, [null], { op: "publish" }, { "@grest-ts/websocket/cluster": 7 }];
    for (const message of odd) workers[0].worker.send(message as object);
    await worker.publish("room", "all the same");
    expect((await listener.messages.next()).body).toBe("all the same");
    await vi.waitFor(() => expect(workers[0].strays).toEqual(expect.arrayContaining(odd.slice(0, -1))), PATIENCE);
    expect(seen).toContainEqual({ stray: null });
    workers[0].strays.length = 0;
  });

  it("goes on when frames come that it does not know, or that are meant for others", async () => {
    const [own, worker] = await threeBuses();
    const listener = listen(worker, "room");
    await listener.active;
    const frames = [
      null,
      7,
      {},
      { op: "unknown" },
      { op: "answer", node: worker.node, id: 1e9 },
      { op: "message", node: "other" },
    ];
    workers[0].worker.send({ "@grest-ts/websocket/cluster": frames });
    await own.publish("room", "text");
    expect((await listener.messages.next()).body).toBe("text");
    expect(workers[0].worker.isDead()).toBe(false);
  });

  it("goes on when a worker sends frames that it does not know", async () => {
    const [own, worker] = await threeBuses();
    const listener = listen(own, "room");
    const { node } = worker;
    const frames = [
      null,
      7,
      {},
      { op: "unknown", node },
      { op: "read", node, id: 1e9, channel: "room" },
      { op: "publish", node, id: 1e9, channel: "room" },
      { op: "member", node: "other" },
    ];
    cluster.emit("message", workers[0].worker, { "@grest-ts/websocket/cluster": frames });
    await worker.publish("room", "text");
    expect((await listener.messages.next()).body).toBe("text");
  });

  it("listens once for all buses of a worker", async () => {
    const buses = await Promise.all(Array.from({ length: 12 }, () => workers[0].makeBus()));
    const own = clusterBus();
    onTestFinished(async () => void (await Promise.all([own, ...buses].map((bus) => bus.close()))));
    await isUp(...buses);
    expect(workers[0].strays).not.toContainEqual({ warning: "MaxListenersExceededWarning" });
    await buses[0]!.close();
    const listener = listen(buses[11]!, "room");
    await listener.active;
    await buses[1]!.publish("room", "text");
    expect((await listener.messages.next()).body).toBe("text");
  });

  it("is down until the primary process has a bus, and gets everything then that was asked before", async () => {
    const [first, second] = [await workers[0].makeBus(), await workers[1].makeBus()];
    onTestFinished(async () => void (await Promise.all([first.close(), second.close()])));
    expect([first.health, second.health]).toEqual(["down", "down"]);
    const [early, waits] = [listen(first, "late"), vi.fn()];
    void early.active.then(waits);
    first.members.set("late", "a", "info");
    first.members.setCount("late", 3);
    await expect(second.publish("late", "not kept")).rejects.toMatchObject({
      reason: "down",
      mayHaveBeenPublished: false,
    });
    await expect(second.read("late", { epoch: "", offset: 0 }, 1)).rejects.toMatchObject({ reason: "down" });
    await expect(second.members.list("late")).rejects.toMatchObject({ reason: "down" });
    const published = [1, 2, 3].map((i) => second.publish("late", `${i}`, HISTORY));
    expect(waits).not.toHaveBeenCalled();

    const own = clusterBus();
    onTestFinished(() => own.close());
    await isUp(first, second);
    await early.active;
    expect((await Promise.all(published)).map((position) => position?.offset)).toEqual([1, 2, 3]);
    expect([...(await second.members.list("late")).members.values()]).toEqual(["info"]);
    expect(await second.members.count("late")).toBe(3);
  });

  it("is down while the primary process has closed its bus, and makes up for it with the next", async () => {
    const [own, first, second] = await threeBuses();
    const listener = listen(first, "again");
    await listener.active;
    first.members.set("again", "a", "info");
    await second.publish("again", "1", HISTORY);
    await listener.messages.next();
    const told = vi.fn();
    first.onHealth(told);
    await own.close();
    await vi.waitFor(() => expect([first.health, second.health]).toEqual(["down", "down"]), PATIENCE);
    const waits = second.publish("again", "2", HISTORY);
    const next = clusterBus();
    onTestFinished(() => next.close());
    await isUp(first, second);
    expect(listener.onInterrupted).toHaveBeenCalledOnce();
    const position = (await waits)!;
    expect((await next.read("again", { ...position, offset: 0 }, 10)).missed).toMatchObject([{ body: "2" }]);
    await second.publish("again", "3");
    await vi.waitFor(() => expect(listener.messages.unseen.at(-1)?.body).toBe("3"), PATIENCE);
    expect([...(await next.members.list("again")).members.values()]).toEqual(["info"]);
    expect(told.mock.calls).toEqual([
      ["down", expect.stringMatching(/./)],
      ["up", expect.stringMatching(/./)],
    ]);
  });

  it("lets a bounded number of messages wait", async () => {
    const bus = await workers[0].makeBus();
    onTestFinished(() => bus.close());
    const published = Array.from({ length: 1_001 }, () => bus.publish("full", "text", HISTORY));
    await expect(published.at(-1)).rejects.toMatchObject({ reason: "limit", mayHaveBeenPublished: false });
    await expect(bus.publish("full", "x".repeat(5_000_000), HISTORY)).rejects.toMatchObject({ reason: "limit" });
    const own = clusterBus();
    onTestFinished(() => own.close());
    expect((await Promise.all(published.slice(0, -1))).length).toBe(1_000);
  });

  it("has several buses in one process, each a node of its own", async () => {
    const [own, worker] = await threeBuses();
    const [ownToo, workerToo] = [clusterBus(), await workers[0].makeBus()];
    onTestFinished(async () => void (await Promise.all([ownToo.close(), workerToo.close()])));
    await isUp(ownToo, workerToo);
    const listeners = [own, ownToo, worker, workerToo].map((bus) => listen(bus, "several"));
    await Promise.all(listeners.map(({ active }) => active));
    await ownToo.publish("several", "1");
    for (const { messages } of listeners) expect((await messages.next()).body).toBe("1");
    await own.close();
    await workerToo.close();
    await worker.publish("several", "2");
    for (const listener of [listeners[1]!, listeners[2]!]) expect((await listener.messages.next()).body).toBe("2");
    expect([worker.health, ownToo.health]).toEqual(["up", "up"]);
    expect(listeners.flatMap(({ messages }) => messages.unseen)).toEqual([]);
  });

  it("reads again what a worker has not read for long", async () => {
    const [own, worker] = await threeBuses();
    const listener = listen(worker, "slow");
    await listener.active;
    const { process: child } = workers[0].worker;
    child.kill("SIGSTOP");
    onTestFinished(() => void child.kill("SIGCONT"));
    const body = "x".repeat(100_000);
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 3_000; i++) {
      await own.publish("slow", `${body}${i}`, { history: { size: 5, ttlMs: 60_000 } });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
    child.kill("SIGCONT");
    await vi.waitFor(() => expect(listener.onInterrupted).toHaveBeenCalledOnce(), PATIENCE);
    const { top } = await worker.read("slow", { epoch: "", offset: 0 }, 0);
    expect(top.offset).toBe(3_000);
    expect((await worker.read("slow", { ...top, offset: 2_995 }, 10)).missed?.length).toBe(5);
    expect(listener.messages.unseen.length).toBeLessThan(3_000);
  }, 20_000);

  it("leaves no listeners behind", async () => {
    const events = ["message", "disconnect", "exit"] as const;
    const count = () => events.map((event) => cluster.listenerCount(event));
    const before = count();
    const buses = [clusterBus(), clusterBus()];
    expect(count()).toEqual(before.map((listeners) => listeners + 1));
    for (const bus of buses) await bus.close();
    expect(count()).toEqual(before);
  });
});
