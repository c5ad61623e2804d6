import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { GGBus, GGBusMessage, GGPosition } from "../../src/api/bus.js";
import { GGBusError } from "../../src/api/bus.js";
import { runningDeadlines } from "../../src/connection/deadlines.js";
import { localBusOn } from "../../src/groups/localBus.js";
import { MemoryEngine } from "../../src/groups/memoryEngine.js";
import { Topic } from "../../src/groups/topic.js";
import { type CuttableBus, cuttable } from "../support/cuttableBus.js";
import { recordingLogger } from "../support/server.js";

const HISTORY = { size: 10, ttlMs: 60_000 };
const CHANNEL = "A/room";

// Only timers: promises run as they do.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate", "clearImmediate"] }));
afterEach(() => void vi.useRealTimers());

/** Lets all promises run that can. */
const settled = () => vi.advanceTimersByTimeAsync(0);

function topicOn(bus: GGBus, { history }: { history: typeof HISTORY | undefined } = { history: HISTORY }) {
  const seen: string[] = [];
  const logger = recordingLogger();
  const topic = new Topic(bus, {
    apiName: "A",
    name: "room",
    channel: CHANNEL,
    history,
    logger: () => logger,
    listener: {
      onMessage: ({ body }: GGBusMessage) => seen.push(body) > 0,
      onDisplaced: ({ body }: GGBusMessage) => seen.push(`${body} without a place`) > 0,
      onRepeated: ({ body }: GGBusMessage) => seen.push(`${body} again`) > 0,
      onLost: ({ offset }: GGPosition) => void seen.push(`lost, on from ${offset}`),
    },
  });
  return { topic, seen, logger };
}

/** A topic on a bus that can be faulty, and another node of the same engine that publishes. */
async function start() {
  const engine = new MemoryEngine();
  const bus: CuttableBus = cuttable(localBusOn(engine, "local"));
  const other = localBusOn(engine, "local");
  onTestFinished(async () => void (await Promise.all([bus.close(), other.close()])));
  const publish = (body: string) => other.publish(CHANNEL, body, { history: HISTORY });
  const lose = async (body: string) => {
    bus.loses = () => true;
    await publish(body);
    bus.loses = () => false;
  };
  const node = topicOn(bus);
  node.topic.retain();
  await settled();
  return { ...node, bus, publish, lose };
}

describe("a read that is under way when the subscription ends", () => {
  it("delivers nothing to the next subscription, and does not hold it up", async () => {
    const { topic, seen, bus, publish, lose } = await start();
    await publish("1");
    await lose("2");
    let answer = () => {};
    const read = bus.read.bind(bus);
    vi.spyOn(bus, "read").mockImplementationOnce(
      (...args) =>
        new Promise((resolve) => {
          answer = () => resolve(read(...args));
        }),
    );
    await publish("3");
    topic.release();
    await vi.advanceTimersByTimeAsync(15_100);
    topic.retain();
    expect(await topic.isLive()).toBe(true);
    await publish("4");
    answer();
    await settled();
    await publish("5");
    await settled();
    expect(seen).toEqual(["1", "4", "5"]);
  });
});

describe("a read that fails", () => {
  it.each([
    ["rejects", () => Promise.reject(new GGBusError("no", "refused"))],
    [
      "throws",
      () => {
        throw new Error("no");
      },
    ],
  ] as const)("is tried again by itself: a bus that %s", async (_, fail) => {
    const { seen, bus, publish, lose, logger } = await start();
    await publish("1");
    await lose("2");
    const read = vi.spyOn(bus, "read").mockImplementationOnce(fail).mockImplementationOnce(fail);
    await publish("3");
    await settled();
    expect([seen, logger.entries.length]).toEqual([["1"], 1]);
    await vi.advanceTimersByTimeAsync(3_100);
    expect(seen).toEqual(["1", "2", "3"]);
    // One more, when the regular check falls into this time.
    expect(read.mock.calls.length - 3).toBeOneOf([0, 1]);
  });

  it("is tried again less and less often, and logged once", async () => {
    const { bus, publish, lose, logger } = await start();
    await publish("1");
    await lose("2");
    const read = vi.spyOn(bus, "read").mockRejectedValue(new GGBusError("no", "timeout"));
    await publish("3");
    await vi.advanceTimersByTimeAsync(300_000);
    expect(read.mock.calls.length).toBeLessThan(30);
    expect(logger.entries).toHaveLength(1);
  });

  it("is not tried again while the bus is down, but when it is up", async () => {
    const { seen, bus, publish, lose } = await start();
    await publish("1");
    await lose("2");
    const read = vi.spyOn(bus, "read");
    bus.cut();
    await publish("3");
    await vi.advanceTimersByTimeAsync(20_000);
    expect(read.mock.calls.length).toBeLessThanOrEqual(1);
    await bus.heal();
    expect(seen).toEqual(["1", "2", "3"]);
  });

  it("does not run on for an engine whose answers do not agree", async () => {
    const { bus, publish, lose } = await start();
    await publish("1");
    await lose("2");
    let reads = 0;
    vi.spyOn(bus, "read").mockImplementation(async () => ({ top: { epoch: `E${++reads % 2}`, offset: 5 } }));
    await publish("3");
    await settled();
    expect(reads).toBeLessThan(50);
  });
});

it("begins an epoch when a message that was confirmed is gone, though it has never come back", async () => {
  const engine = new MemoryEngine();
  const member = topicOn(localBusOn(engine, "local"));
  const bus = localBusOn(engine, "local");
  const { topic: publisher } = topicOn(bus);
  member.topic.retain();
  await settled();
  await publisher.publish("1", true);
  // Confirmed, and lost with the engine's memory of it.
  vi.spyOn(bus, "publish").mockResolvedValueOnce({ ...(member.topic.position as GGPosition), offset: 2 });
  await publisher.publish("2", true);
  await publisher.publish("3", true);
  await settled();
  expect(member.seen).toEqual(["1", "lost, on from 0", "3"]);
});

it("looks after what it has missed from time to time, and leaves no timer when it is not used", async () => {
  const before = runningDeadlines();
  const { topic, seen, bus, publish, lose } = await start();
  await publish("1");
  await lose("2");
  await vi.advanceTimersByTimeAsync(31_000);
  expect(seen).toEqual(["1", "2"]);
  topic.release();
  await vi.advanceTimersByTimeAsync(16_000);
  const read = vi.spyOn(bus, "read");
  await vi.advanceTimersByTimeAsync(120_000);
  expect(read.mock.calls.length).toBe(0);
  // Those of earlier tests may have ended meanwhile.
  expect(runningDeadlines()).toBeLessThanOrEqual(before);
});

describe("a bus is not read", () => {
  it.each([
    ["by a node that only publishes", HISTORY, false],
    ["where nothing is kept", undefined, true],
  ])("%s", async (_, history, isUsed) => {
    const bus = cuttable(localBusOn(new MemoryEngine(), "local"));
    onTestFinished(() => bus.close());
    const read = vi.spyOn(bus, "read");
    const { topic } = topicOn(bus, { history });
    if (isUsed) topic.retain();
    await topic.publish("text", true);
    await topic.onInterrupted();
    await settled();
    expect(read).not.toHaveBeenCalled();
  });
});

it("tries a read again by itself that Redis cannot answer now, though the bus is up", async () => {
  const { seen, bus, publish, lose } = await start();
  await publish("1");
  await lose("2");
  vi.spyOn(bus, "read").mockRejectedValueOnce(new GGBusError("NOREPLICAS", "down"));
  await publish("3");
  await vi.advanceTimersByTimeAsync(1_100);
  expect(seen).toEqual(["1", "2", "3"]);
});

it("reads once more when it becomes active: an earlier read may have missed what came between", async () => {
  const engine = new MemoryEngine();
  const bus = localBusOn(engine, "local");
  const { subscribe } = bus;
  let activate = () => {};
  const active = new Promise<void>((resolve) => {
    activate = resolve;
  });
  vi.spyOn(bus, "subscribe").mockImplementation((channel, listener) => {
    let isActive = false;
    void active.then(() => {
      isActive = true;
    });
    const { end } = subscribe.call(bus, channel, {
      ...listener,
      onInterrupted: () => listener.onInterrupted(),
      onMembers: () => {},
      onMessage: (message) => isActive && listener.onMessage(message),
    });
    return { active, end };
  });
  const { topic } = topicOn(bus);
  topic.retain();
  await topic.onInterrupted();
  await localBusOn(engine, "local").publish(CHANNEL, "between", { history: HISTORY });
  activate();
  expect(await topic.isLive()).toBe(true);
  expect(topic.position?.offset).toBe(1);
});

it("counts a user only once it is subscribed", async () => {
  const bus = localBusOn(new MemoryEngine(), "local");
  const end = vi.fn();
  vi.spyOn(bus, "subscribe")
    .mockImplementationOnce(() => {
      throw new Error("a faulty bus");
    })
    .mockImplementation(() => ({ active: Promise.resolve(), end }));
  const { topic } = topicOn(bus);
  expect(() => topic.retain()).toThrow("a faulty bus");
  topic.retain();
  topic.release();
  await vi.advanceTimersByTimeAsync(16_000);
  expect(end).toHaveBeenCalledTimes(1);
});

describe("what a program's bus hands over that is no message", () => {
  const position = (epoch: string, offset: number) => ({ epoch, offset });
  const at = (epoch: string): readonly (readonly [string, object, readonly string[]])[] => [
    ["a body that is no text", { body: Buffer.from("x"), from: "other.1" }, ["1", "", "2"]],
    ["a body that is not there", { from: "other.1" }, ["1", "", "2"]],
    ["a `from` that is no text", { body: "x", from: 7 }, ["1", "x", "2"]],
    ["a position without an epoch", { body: "x", from: "other.1", position: { offset: 2 } }, ["1", "2"]],
    ["a position without an offset", { body: "x", from: "other.1", position: { epoch } }, ["1", "2"]],
    ["a position before the first", { body: "x", from: "other.1", position: position(epoch, 0) }, ["1", "2"]],
    ["a position that cannot be counted", { body: "x", from: "other.1", position: position(epoch, 1.5) }, ["1", "2"]],
    ["a position that is a text", { body: "x", from: "other.1", position: `${epoch}:2` }, ["1", "2"]],
  ];

  it.each(at("").map(([name], i) => [name, i] as const))("stops nothing that follows: %s", async (_, i) => {
    const engine = new MemoryEngine();
    const bus = cuttable(localBusOn(engine, "local"));
    onTestFinished(() => bus.close());
    const subscribe = vi.spyOn(bus, "subscribe");
    const { topic, seen, logger } = topicOn(bus);
    topic.retain();
    await settled();
    const publisher = localBusOn(engine, "local");
    const [, listener] = subscribe.mock.calls[0]!;
    await publisher.publish(CHANNEL, "1", { history: HISTORY });
    const [, message, expected] = at(topic.position!.epoch)[i]!;
    const read = vi.spyOn(bus, "read");
    listener.onMessage(message as GGBusMessage);
    await publisher.publish(CHANNEL, "2", { history: HISTORY });
    await settled();
    expect([seen, read.mock.calls.length]).toEqual([expected, 0]);
    expect(logger.entries.length).toBe(expected.length === 2 ? 1 : 0);
  });

  it("keeps its place when it has one", async () => {
    const { topic, seen, publish, bus } = await start();
    const { onMessage } = topic;
    await publish("1");
    const { epoch, offset } = topic.position!;
    onMessage.call(topic, {
      body: null,
      from: null,
      position: { epoch, offset: offset + 1 },
    } as unknown as GGBusMessage);
    expect([seen, topic.position]).toEqual([["1", ""], { epoch, offset: 2 }]);
    expect(bus.health).toBe("up");
  });
});

it("delivers what comes while the regular check waits for its answer, and after it failed", async () => {
  const { seen, bus, publish, logger } = await start();
  await publish("1");
  const fails: (() => void)[] = [];
  const read = vi
    .spyOn(bus, "read")
    .mockImplementation(() => new Promise((_, reject) => fails.push(() => reject(new GGBusError("no", "refused")))));
  await vi.advanceTimersByTimeAsync(31_000);
  expect(read.mock.calls.length).toBe(1);
  await publish("2");
  for (const fail of fails) fail();
  await settled();
  await publish("3");
  expect([seen, logger.entries]).toEqual([["1", "2", "3"], []]);
});
