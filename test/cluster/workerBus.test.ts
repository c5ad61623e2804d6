import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { GGBusMessage } from "../../src/api/bus.js";
import { envelope, framesOf, type Notice } from "../../src/cluster/frames.js";
import { WorkerLink } from "../../src/cluster/host.js";
import { NO_BUS } from "../../src/cluster/obstacles.js";
import { MAX_FRAME, type Send } from "../../src/cluster/pipe.js";
import type { PrimaryListener } from "../../src/cluster/primary.js";
import { isNotice } from "../../src/cluster/shapes.js";
import { MAX_WAITING, MAX_WAITING_MS, UNDER_WAY } from "../../src/cluster/waiting.js";
import { PATIENCE_MS, WorkerBus } from "../../src/cluster/workerBus.js";
import { localBusOn } from "../../src/groups/localBus.js";
import { MemoryEngine } from "../../src/groups/memoryEngine.js";

const HISTORY = { history: { size: 100, ttlMs: 60_000 } };
const NOTHING = { epoch: "", offset: 0 };
const PATIENCE = { timeout: 10_000, interval: 1 };

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

/** One way between two processes. While it is held, what is sent is taken, and does not arrive. */
class Way {
  readonly passed: unknown[] = [];
  isHeld = false;
  readonly #held: (() => void)[] = [];
  #onArrival: (message: unknown) => void = () => {};

  onArrival(callback: (message: unknown) => void): void {
    this.#onArrival = callback;
  }

  readonly send: Send = (message, onSent) => {
    const text = JSON.stringify(message);
    const arrive = () => {
      const copy: unknown = JSON.parse(text);
      this.passed.push(...framesOf(copy));
      this.#onArrival(copy);
      onSent(null);
    };
    if (this.isHeld) this.#held.push(arrive);
    else setImmediate(arrive);
  };

  release(): void {
    this.isHeld = false;
    for (const arrive of this.#held.splice(0)) arrive();
  }
}

/** A worker and a primary process in one. */
function connect() {
  const [toPrimary, toWorker] = [new Way(), new Way()];
  const listeners = new Set<PrimaryListener>();
  let engine = new MemoryEngine();
  let link: WorkerLink | undefined;
  toPrimary.onArrival((message) => {
    for (const frame of framesOf(message)) link?.take(frame);
  });
  toWorker.onArrival((message) => {
    for (const notice of framesOf(message).filter(isNotice)) for (const one of listeners) one.onNotice(notice);
  });
  const bus = new WorkerBus({
    isConnected: true,
    send: toPrimary.send,
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  });
  return {
    bus,
    toPrimary,
    toWorker,
    /** The primary process makes its bus. */
    open() {
      engine = new MemoryEngine();
      const send = (message: never, onSent: never) => toWorker.send(message, onSent) as boolean;
      link = new WorkerLink(engine, { isConnected: () => true, send: send as never });
      link.send({ op: "here" });
      return localBusOn(engine, "cluster");
    },
    closeLink: () => link?.close(),
    /** Something comes from the worker. */
    take: (frame: unknown) => link?.take(frame),
    notify: (frame: unknown) => toWorker.send(envelope([frame]), () => {}),
    gone() {
      for (const listener of listeners) listener.onGone();
    },
  };
}

async function connectUp() {
  const connected = connect();
  const own = connected.open();
  await vi.waitFor(() => expect(connected.bus.health).toBe("up"), PATIENCE);
  return { ...connected, own };
}

const settled = (promise: Promise<unknown>) =>
  promise.then(
    () => "done",
    ({ reason, mayHaveBeenPublished, message }) => ({ reason, mayHaveBeenPublished, message }),
  );

function listen(bus: { subscribe: WorkerBus["subscribe"] }, channel: string) {
  const bodies: string[] = [];
  const onInterrupted = vi.fn(() => Promise.resolve());
  const onMessage = ({ body }: GGBusMessage) => void bodies.push(body);
  return { bodies, onInterrupted, ...bus.subscribe(channel, { onMessage, onInterrupted, onMembers() {} }) };
}

/** Takes one way held, with something under way, so that all that follows waits in the process. */
function holdUp({ bus, toPrimary }: { bus: WorkerBus; toPrimary: Way }) {
  toPrimary.isHeld = true;
  bus.members.setCount("first", 1);
  return new Promise<void>((resolve) => process.nextTick(resolve));
}

describe("a bus of a worker whose primary process is busy", () => {
  it("subscribes again until it is told that messages arrive", async () => {
    const { bus, own, toPrimary } = await connectUp();
    toPrimary.isHeld = true;
    const [stays, ends] = [listen(bus, "stays"), listen(bus, "ends")];
    const isActive = vi.fn();
    void stays.active.then(isActive);
    for (let i = 0; i < 3; i++) await vi.advanceTimersByTimeAsync(MAX_WAITING_MS);
    ends.end();
    expect(isActive).not.toHaveBeenCalled();
    toPrimary.release();
    await vi.waitFor(() => expect(isActive).toHaveBeenCalled(), PATIENCE);
    await own.publish("stays", "text");
    await vi.waitFor(() => expect(stays.bodies).toEqual(["text"]), PATIENCE);
    await vi.advanceTimersByTimeAsync(5 * MAX_WAITING_MS);
    const asked = toPrimary.passed.filter((frame) => (frame as { op: string }).op === "subscribe").length;
    await vi.advanceTimersByTimeAsync(5 * MAX_WAITING_MS);
    expect(toPrimary.passed.filter((frame) => (frame as { op: string }).op === "subscribe").length).toBe(asked);
  });

  it("is up only when all messages arrive", async () => {
    const { bus, toPrimary, toWorker, open } = connect();
    const { active } = listen(bus, "room");
    const waits = bus.publish("room", "text", HISTORY);
    toWorker.isHeld = true;
    open();
    await vi.waitFor(() => expect(toPrimary.passed).toContainEqual({ op: "hello", node: bus.node }), PATIENCE);
    toPrimary.isHeld = true;
    toWorker.release();
    await vi.waitFor(() => expect(toWorker.passed).toContainEqual({ op: "welcome", node: bus.node }), PATIENCE);
    expect([bus.health, bus.queued]).toEqual(["down", 1]);
    const outcome = settled(waits);
    await vi.advanceTimersByTimeAsync(MAX_WAITING_MS);
    expect(await outcome).toMatchObject({ reason: "timeout", mayHaveBeenPublished: false });
    toPrimary.release();
    await active;
    await vi.waitFor(() => expect(bus.health).toBe("up"), PATIENCE);
  });

  it("knows what it has not sent, and does not send that later", async () => {
    const { bus, own, toPrimary } = await connectUp();
    toPrimary.isHeld = true;
    const sent = settled(bus.publish("room", "sent", HISTORY));
    await new Promise<void>((resolve) => process.nextTick(resolve));
    const unsent = settled(bus.publish("room", "unsent", HISTORY));
    expect(bus.queued).toBe(1);
    await vi.advanceTimersByTimeAsync(MAX_WAITING_MS);
    expect(await sent).toMatchObject({ reason: "timeout", mayHaveBeenPublished: true });
    expect(await unsent).toMatchObject({ reason: "timeout", mayHaveBeenPublished: false });
    toPrimary.release();
    const position = await bus.publish("room", "later", HISTORY);
    const { missed } = await own.read("room", { ...position!, offset: 0 }, 10);
    expect(missed?.map(({ body }) => body)).toEqual(["sent", "later"]);
  });

  it("publishes once what was on its way when the primary process made another bus", async () => {
    const connected = await connectUp();
    const { bus, toPrimary, toWorker, closeLink, open } = connected;
    const listener = listen(bus, "room");
    await listener.active;
    await holdUp(connected);
    const publishing = ["1", "2"].map((body) => bus.publish("room", body, HISTORY));
    bus.members.set("room", "a", "info");
    closeLink();
    await vi.waitFor(() => expect(bus.health).toBe("down"), PATIENCE);
    expect(toWorker.passed).toContainEqual({ op: "bye", node: bus.node });
    open();
    toPrimary.release();
    expect((await Promise.all(publishing)).map((position) => position?.offset)).toEqual([1, 2]);
    expect((await bus.members.list("room")).members.size).toBe(1);
    expect(await bus.members.count("first")).toBe(1);
    expect([listener.bodies, listener.onInterrupted.mock.calls.length]).toEqual([["1", "2"], 1]);
  });

  it("does not count presence and reads among the messages that wait", async () => {
    const connected = await connectUp();
    const { bus, toPrimary } = connected;
    await holdUp(connected);
    const most = MAX_WAITING * UNDER_WAY;
    for (let i = 0; i <= most; i++) bus.members.set("room", `${i}`, "info ".repeat(100));
    const reads = Array.from({ length: most + 1 }, () => bus.read("room", NOTHING, 1));
    expect(bus.queued).toBe(0);
    const published = bus.publish("room", "text", HISTORY);
    expect(bus.queued).toBe(1);
    toPrimary.release();
    expect((await published)?.offset).toBe(1);
    await Promise.all(reads);
  });
});

describe("what a worker publishes in one tick", () => {
  it("is bounded", async () => {
    const { bus } = await connectUp();
    const most = MAX_WAITING * UNDER_WAY;
    const published = Array.from({ length: most + 10 }, () => settled(bus.publish("room", "text", HISTORY)));
    expect(bus.queued).toBe(most);
    const outcomes = await Promise.all(published);
    expect(outcomes.filter((outcome) => outcome === "done").length).toBe(most);
    expect(outcomes.at(-1)).toMatchObject({ reason: "limit", mayHaveBeenPublished: false });
    const long = Array.from({ length: 30 }, () => settled(bus.publish("room", "x".repeat(4_000_000))));
    expect((await Promise.all(long)).filter((outcome) => outcome === "done").length).toBe(16);
  });

  it("may be longer than what may wait, when nothing else does, also while the bus is down", async () => {
    const { bus, open } = connect();
    const long = "x".repeat(5_000_000);
    const first = bus.publish("room", long, HISTORY);
    expect(await settled(bus.publish("room", "x", HISTORY))).toMatchObject({ reason: "limit" });
    open();
    expect((await first)?.offset).toBe(1);
    await vi.waitFor(() => expect(bus.health).toBe("up"), PATIENCE);
    expect(await bus.publish("room", long)).toBeUndefined();
  });

  it("is refused alone when it cannot be sent", async () => {
    const { bus, own } = await connectUp();
    const known = { epoch: 1n as never, offset: 1 };
    const odd = settled(bus.publish("room", "text", { ...HISTORY, known }));
    bus.members.set("room", "a", "info");
    bus.members.setCount("room", 3);
    const listener = listen(bus, "room");
    expect(await odd).toMatchObject({ reason: "refused", mayHaveBeenPublished: false });
    const tooLong = settled(bus.publish("room", "x".repeat(MAX_FRAME + 1), HISTORY));
    expect(await tooLong).toMatchObject({ reason: "refused", mayHaveBeenPublished: false });
    await listener.active;
    expect((await own.members.list("room")).members.size).toBe(1);
    expect(await own.members.count("room")).toBe(3);
    expect((await bus.publish("room", "text", HISTORY))?.offset).toBe(1);
  });

  it("is refused with a history that has no end", async () => {
    const { bus, own } = await connectUp();
    for (const node of [bus, own])
      for (const bad of [Number.POSITIVE_INFINITY, Number.NaN, 0, -1, undefined, null])
        for (const history of [
          { size: bad, ttlMs: 1_000 },
          { size: 10, ttlMs: bad },
        ]) {
          const refused = settled(node.publish("room", "text", { history: history as never }));
          expect(await refused).toMatchObject({ reason: "refused", message: expect.stringMatching("above 0") });
        }
    expect((await bus.publish("room", "text", HISTORY))?.offset).toBe(1);
    expect((await bus.read("room", NOTHING, Number.POSITIVE_INFINITY)).top.offset).toBe(1);
  });
});

describe("what a primary process passes in one tick", () => {
  it("is bounded, and read again", async () => {
    const { bus, own } = await connectUp();
    const listener = listen(bus, "room");
    await listener.active;
    const body = "x".repeat(1_000_000);
    const positions = await Promise.all(Array.from({ length: 50 }, () => own.publish("room", body, HISTORY)));
    await vi.waitFor(() => expect(listener.onInterrupted).toHaveBeenCalledOnce(), PATIENCE);
    expect(listener.bodies.length).toBeLessThan(20);
    expect((await bus.read("room", { ...positions[0]!, offset: 20 }, 100)).missed?.length).toBe(30);
    await own.publish("room", "text", HISTORY);
    await vi.waitFor(() => expect(listener.bodies.at(-1)).toBe("text"), PATIENCE);
  });

  it("counts what is read", async () => {
    const { bus, own, toWorker } = await connectUp();
    const listener = listen(bus, "other");
    await listener.active;
    const body = "x".repeat(1_000_000);
    const last = await Promise.all(Array.from({ length: 20 }, () => own.publish("room", body, HISTORY)));
    toWorker.isHeld = true;
    const reads = [1, 2].map(() => bus.read("room", { ...last[0]!, offset: 0 }, 100));
    await vi.waitFor(() => expect(bus.queued).toBe(0));
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    for (let i = 0; i < 3; i++) await own.publish("other", "text");
    toWorker.release();
    for (const read of reads) expect((await read).missed?.length).toBe(20);
    await vi.waitFor(() => expect(listener.onInterrupted).toHaveBeenCalledOnce(), PATIENCE);
    expect(listener.bodies).toEqual([]);
  });

  it("says that messages are left out which cannot be sent, and that they cannot be read", async () => {
    const { bus, own } = await connectUp();
    const listener = listen(bus, "room");
    await listener.active;
    const position = await own.publish("room", "x".repeat(MAX_FRAME), HISTORY);
    await vi.waitFor(() => expect(listener.onInterrupted).toHaveBeenCalledOnce(), PATIENCE);
    expect(await bus.read("room", { ...position!, offset: 0 }, 10)).toEqual({ top: position });
    await own.publish("room", "text", HISTORY);
    await vi.waitFor(() => expect(listener.bodies).toEqual(["text"]), PATIENCE);
  });
});

describe("a bus of a worker whose primary process has none", () => {
  it("says so once, after a while, and why it has not published", async () => {
    const { bus } = connect();
    const told = vi.fn();
    bus.onHealth(told);
    const published = settled(bus.publish("room", "text", HISTORY));
    await vi.advanceTimersByTimeAsync(PATIENCE_MS - 1);
    expect(told).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(told.mock.calls).toEqual([["down", NO_BUS.message]]);
    await vi.advanceTimersByTimeAsync(MAX_WAITING_MS);
    expect(told).toHaveBeenCalledOnce();
    const message = `GGBus: ${NO_BUS.message}`;
    expect(await published).toEqual({ reason: "timeout", mayHaveBeenPublished: false, message });
    await bus.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("says nothing when it is up in time, or is closed", async () => {
    for (const end of ["open", "close"] as const) {
      const { bus, open } = connect();
      const told = vi.fn();
      bus.onHealth(told);
      if (end === "open") {
        open();
        await vi.waitFor(() => expect(bus.health).toBe("up"), PATIENCE);
      } else {
        await bus.close();
        expect(vi.getTimerCount()).toBe(0);
      }
      await vi.advanceTimersByTimeAsync(PATIENCE_MS * 2);
      expect(told.mock.calls.map(([health]) => health)).toEqual(end === "open" ? ["up"] : []);
    }
  });

  it("says that the primary process is gone, also when it was never up", async () => {
    const { bus, gone } = connect();
    const told = vi.fn();
    bus.onHealth(told);
    gone();
    await vi.advanceTimersByTimeAsync(PATIENCE_MS);
    expect(told.mock.calls).toEqual([["down", expect.stringMatching("not reached")]]);
  });
});

/** What may stand in place of a field; `undefined` leaves it out. */
const ODD = [undefined, null, 7.5, Number.NaN, "text", "", [], {}, [null], true];

/** Each frame with each of its fields replaced, also those within. */
function* malformed(frame: object): Generator<Record<string, unknown>> {
  for (const [name, value] of Object.entries(frame)) {
    for (const odd of ODD) yield { ...frame, [name]: odd };
    if (typeof value === "object") for (const inner of malformed(value)) yield { ...frame, [name]: inner };
  }
}

describe("frames of another version", () => {
  it("do not break a primary process, and get an answer where one is waited for", async () => {
    const { bus, own, take, toWorker } = await connectUp();
    const listener = listen(own, "room");
    const { node } = bus;
    const on = { node, channel: "room" };
    const position = { epoch: "e", offset: 1 };
    const requests = [
      { op: "hello", node },
      { op: "subscribe", ...on, id: 1e9 },
      { op: "unsubscribe", ...on },
      { op: "publish", ...on, id: 1e9, body: "b", from: "f", history: { size: 1, ttlMs: 1 }, known: position },
      { op: "read", ...on, id: 1e9, after: position, limit: 1 },
      { op: "member", ...on, member: "m", info: "i" },
      { op: "setCount", ...on, count: 0 },
      { op: "list", ...on, id: 1e9 },
      { op: "count", ...on, id: 1e9 },
    ];
    for (const odd of [...ODD, ...requests.flatMap((request) => [...malformed(request)])]) take(odd);
    take({ op: "read", node, id: 4_711, channel: "room" });
    take({ op: "of a later version", node, id: 4_712 });
    await bus.publish("room", "all the same", HISTORY);
    expect(listener.bodies.at(-1)).toBe("all the same");
    expect(listener.bodies.every((body) => typeof body === "string")).toBe(true);
    expect(await bus.members.count("room")).toBeTypeOf("number");
    for (const info of (await bus.members.list("room")).members.values()) expect(info).toBeTypeOf("string");
    for (const id of [4_711, 4_712])
      expect(toWorker.passed).toContainEqual({ op: "answer", node, id, refused: expect.stringMatching("version") });
  });

  it("do not break a worker", async () => {
    const { bus, own, notify } = await connectUp();
    const listener = listen(bus, "room");
    await listener.active;
    const on = { node: bus.node, channel: "room" };
    const message = { body: "b", from: "f", position: { epoch: "e", offset: 1 } };
    const notices: Notice[] = [
      { op: "answer", node: bus.node, id: 1e9, value: 1 },
      { op: "message", ...on, message },
      { op: "members", ...on, change: { version: 1, member: "m", info: "i" } },
    ];
    for (const odd of [...ODD, ...notices.flatMap((notice) => [...malformed(notice)])]) notify(odd);
    await own.publish("room", "text");
    await vi.waitFor(() => expect(listener.bodies.at(-1)).toBe("text"), PATIENCE);
    expect(listener.bodies.every((body) => typeof body === "string")).toBe(true);
  });

  it("are refused where they answer something else than what was asked", async () => {
    const { bus, toPrimary, notify } = await connectUp();
    toPrimary.isHeld = true;
    const asks = {
      publish: () => bus.publish("room", "text", HISTORY),
      read: () => bus.read("room", NOTHING, 1),
      list: () => bus.members.list("room"),
      count: () => bus.members.count("room"),
    };
    const positions = [null, 7, {}, { epoch: 1, offset: 1 }, { epoch: "e", offset: 1.5 }];
    const values = {
      publish: positions,
      read: [undefined, ...positions.map((top) => ({ top })), { top: { epoch: "e", offset: 1 }, missed: [7] }],
      list: [undefined, {}, { version: 1, members: 7 }, { version: 1, members: [["a"]] }],
      count: [undefined, "1", null],
    };
    let id = 0;
    for (const [op, ask] of Object.entries(asks))
      for (const value of values[op as keyof typeof values]) {
        const outcome = settled(ask());
        id++;
        notify({ op: "answer", node: bus.node, id, value });
        expect(await outcome).toMatchObject({ reason: "refused", mayHaveBeenPublished: op === "publish" });
      }
  });
});
