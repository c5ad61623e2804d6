import { describe, expect, it, vi } from "vitest";
import type { GGBus, GGBusMessage } from "../../src/api/bus.js";
import { localBus, localBusOn } from "../../src/groups/localBus.js";
import { MemoryEngine } from "../../src/groups/memoryEngine.js";
import { busSuite } from "../support/busSuite.js";

const HOUR = 3_600_000;

busSuite("nodes of one engine", async () => {
  const engine = new MemoryEngine();
  const nodes = [1, 2, 3].map(() => localBusOn(engine, "local"));
  return { nodes, close: async () => void (await Promise.all(nodes.map((node) => node.close()))) };
});

/** An engine whose time a test sets. */
function engineAt() {
  const clock = { now: 1_000 };
  const engine = new MemoryEngine(() => clock.now);
  return { clock, engine, bus: localBusOn(engine, "local") };
}

const keep = (bus: GGBus, channel: string, size = 10, ttlMs = 1_000) =>
  bus.publish(channel, "text", { history: { size, ttlMs } });

const ignoring = (onMessage: (message: GGBusMessage) => void) => ({
  onMessage,
  onInterrupted: () => Promise.resolve(),
  onMembers() {},
});

describe("a local bus", () => {
  it("is up at once, and has delivered when `publish` returns", () => {
    const bus = localBus();
    expect([bus.health, bus.name]).toEqual(["up", "local"]);
    const onMessage = vi.fn();
    bus.subscribe("room", ignoring(onMessage));
    void bus.publish("room", "1");
    void keep(bus, "room");
    expect(onMessage.mock.calls.map(([{ body, position }]) => [body, position?.offset])).toEqual([
      ["1", undefined],
      ["text", 1],
    ]);
  });

  it("has nothing to do with another one", async () => {
    const onMessage = vi.fn();
    localBus().subscribe("room", ignoring(onMessage));
    const [first, second] = [await keep(localBus(), "room"), await keep(localBus(), "room")];
    expect(first?.epoch).not.toBe(second?.epoch);
    expect(onMessage).not.toHaveBeenCalled();
  });

  it("passes what is published in a callback after what it is in answer to, to all", () => {
    const { engine, bus } = engineAt();
    const other = localBusOn(engine, "local");
    const seen: string[] = [];
    bus.subscribe(
      "room",
      ignoring(({ body }) => void (body === "1" && bus.publish("room", "2"))),
    );
    for (const node of [bus, other])
      node.subscribe(
        "room",
        ignoring(({ body }) => seen.push(body)),
      );
    void bus.publish("room", "1");
    expect(seen).toEqual(["1", "1", "2", "2"]);
  });

  it("takes the same listener twice", () => {
    const bus = localBus();
    const onMessage = vi.fn();
    const listener = ignoring(onMessage);
    const [first, second] = [bus.subscribe("room", listener), bus.subscribe("room", listener)];
    void bus.publish("room", "1");
    expect(onMessage).toHaveBeenCalledTimes(2);
    first.end();
    void bus.publish("room", "2");
    expect(onMessage).toHaveBeenCalledTimes(3);
    second.end();
    void bus.publish("room", "3");
    expect(onMessage).toHaveBeenCalledTimes(3);
  });
});

describe("what an engine keeps", () => {
  it("is read until it expires, that long after the latest message, and its position longer", async () => {
    const { clock, bus } = engineAt();
    const first = (await keep(bus, "room"))!;
    clock.now += 999;
    const second = (await keep(bus, "room"))!;
    clock.now += 999;
    expect((await bus.read("room", { ...first, offset: 0 }, 10)).missed?.length).toBe(2);
    clock.now += 1;
    expect(await bus.read("room", first, 10)).toEqual({ top: second });
    expect(await bus.read("room", second, 10)).toEqual({ top: second, missed: [] });
    expect(await keep(bus, "room")).toEqual({ epoch: first.epoch, offset: 3 });
  });

  it("follows the size of the latest message", async () => {
    const { bus } = engineAt();
    const { epoch } = (await keep(bus, "room", 3))!;
    const howMany = async () => {
      const { top } = await bus.read("room", { epoch, offset: 0 }, 0);
      const reads = Array.from({ length: top.offset }, (_, offset) => bus.read("room", { epoch, offset }, 1_000));
      return Math.max(...(await Promise.all(reads)).map(({ missed }) => missed?.length ?? 0));
    };
    for (const [size, published, kept] of [
      [3, 20, 4],
      [8, 20, 9],
      [2, 1, 3],
      [2, 20, 3],
      [50, 2, 5],
    ] as const) {
      for (let i = 0; i < published; i++) await keep(bus, "room", size);
      expect([size, await howMany()]).toEqual([size, kept]);
    }
  });

  it("is forgotten a day after it has expired, unless the channel is in use", async () => {
    const { clock, engine, bus } = engineAt();
    for (let i = 0; i < 1_000; i++) await keep(bus, `room ${i}`);
    bus.subscribe(
      "room 1",
      ignoring(() => {}),
    );
    bus.members.set("room 2", "a", "info");
    bus.members.setCount("room 3", 1);
    clock.now += 23 * HOUR;
    for (let i = 0; i < 1_000; i++) await keep(bus, "in use", 1, 48 * HOUR);
    expect(engine.channels).toBe(1_001);
    clock.now += 2 * HOUR;
    for (let i = 0; i < 1_000; i++) await keep(bus, "in use", 1, 48 * HOUR);
    expect(engine.channels).toBe(4);
    await bus.close();
    const other = localBusOn(engine, "local");
    for (let i = 0; i < 10; i++) await keep(other, "in use");
    expect(engine.channels).toBe(1);
  });

  it("has an epoch from the first read on, that is forgotten a day after the latest one", async () => {
    const { clock, engine, bus } = engineAt();
    const read = (channel: string) => bus.read(channel, { epoch: "", offset: 0 }, 1);
    const { top } = await read("room");
    for (let i = 0; i < 100; i++) {
      clock.now += 23 * HOUR;
      expect((await read("room")).top).toEqual(top);
    }
    for (let i = 0; i < 1_000; i++) await read(`room ${i}`);
    expect(await keep(bus, "room 1")).toEqual({ ...(await read("room 1")).top, offset: 1 });
    clock.now += 25 * HOUR;
    for (let i = 0; i < 1_000; i++) await keep(bus, "in use", 1, 48 * HOUR);
    expect(engine.channels).toBe(1);
    expect((await read("room")).top.epoch).not.toBe(top.epoch);
  });

  it("needs no memory for what is not kept, and for channels that were used once", async () => {
    const { engine, bus } = engineAt();
    for (let i = 0; i < 1_000; i++) {
      await bus.publish(`a ${i}`, "text");
      bus
        .subscribe(
          `c ${i}`,
          ignoring(() => {}),
        )
        .end();
      bus.members.set(`d ${i}`, "a", "info");
      bus.members.remove(`d ${i}`, "a");
      bus.members.setCount(`e ${i}`, 1);
      bus.members.setCount(`e ${i}`, 0);
    }
    expect(engine.channels).toBeLessThan(20);
  });
});
