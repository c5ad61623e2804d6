import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { GGBusRead, GGPosition } from "../../src/api/bus.js";
import { runningDeadlines } from "../../src/connection/deadlines.js";
import { type GroupMember, GroupNode, type MemberEvent } from "../support/groupNode.js";
import { HistoryEngine } from "../support/historyEngine.js";

const SIZE = 10;

beforeEach(
  () =>
    void vi.useFakeTimers({
      toFake: ["setTimeout", "clearTimeout", "setImmediate", "clearImmediate", "performance"],
    }),
);
afterEach(() => void vi.useRealTimers());

const pass = (ms = 1) => vi.advanceTimersByTimeAsync(ms);

/** What a check finds may come by itself for so long. */
const MOMENT = 100;

/** A member that comes with a position, and keeps what it is given. */
class Returning implements GroupMember {
  readonly events: MemberEvent[] = [];
  readonly position: GGPosition | undefined;

  constructor(position?: GGPosition) {
    this.position = position;
  }

  take(event: MemberEvent): void {
    this.events.push(event);
  }

  /** Whether it has recovered; "waits" while it does not know. */
  get recovered(): boolean | undefined | "waits" {
    const [first] = this.events;
    return first?.kind === "joined" ? first.recovered : "waits";
  }

  get bodies(): readonly string[] {
    return this.events.flatMap((event) => (event.kind === "message" ? [event.message.body] : []));
  }
}

/** A node that is subscribed, and an engine that has so much. */
async function start({ published = 0, hasRead = true, ttlMs = Number.POSITIVE_INFINITY } = {}) {
  const engine = new HistoryEngine(SIZE);
  engine.read({ epoch: "", offset: 0 }, 0);
  const messages = Array.from({ length: published }, () => engine.publish());
  const node = new GroupNode(SIZE, ttlMs);
  const deadlines = runningDeadlines();
  onTestFinished(() => {
    node.order.end();
    expect(runningDeadlines(), "deadlines that are left").toBe(deadlines);
  });
  const answer = async () => {
    for (const read of [...node.reads]) read.answer(engine.read(read.after, read.limit));
    await pass();
  };
  const answerAll = async () => {
    while (node.reads.length > 0) await answer();
  };
  void node.order.interrupted();
  if (hasRead) await answerAll();
  await pass();
  node.readCount = hasRead ? 0 : node.readCount;
  const publish = () => {
    const message = engine.publish();
    messages.push(message);
    node.order.receive(message);
  };
  const come = (...positions: readonly (GGPosition | undefined)[]) => {
    const members = positions.map((position) => new Returning(position));
    for (const member of members) node.add(member);
    return members;
  };
  const at = (offset: number, epoch = "E1"): GGPosition => ({ epoch, offset });
  return { engine, node, messages, answer, answerAll, publish, come, at };
}

const thousand = <T>(make: (i: number) => T): T[] => Array.from({ length: 1_000 }, (_, i) => make(i));

describe("the bus is asked once, however many come back at once:", () => {
  it("with the first read, to a node that has not read yet, and later not at all", async () => {
    const engine = new HistoryEngine(SIZE);
    for (let i = 0; i < 25; i++) engine.publish();
    const node = new GroupNode(SIZE);
    onTestFinished(() => node.order.end());
    const members = thousand((i) => new Returning({ epoch: "E1", offset: 15 + (i % 11) }));
    for (const member of members) node.add(member);
    // As a topic does: it reads once it is active.
    void node.order.interrupted();
    await pass();
    expect(node.reads.map(({ after, limit }) => [after, limit])).toEqual([[{ epoch: "", offset: 0 }, SIZE + 1]]);
    node.reads[0]!.answer(engine.read(node.reads[0]!.after, node.reads[0]!.limit));
    await pass();
    for (const [i, { recovered, bodies }] of members.entries()) {
      expect(recovered).toBe(true);
      expect(bodies).toEqual(Array.from({ length: 10 - (i % 11) }, (_, j) => `${16 + (i % 11) + j}`));
    }
    for (let i = 0; i < 3; i++) {
      for (const { offset } of [{ offset: 15 }, { offset: 25 }, { offset: 1 }]) {
        const member = new Returning({ epoch: "E1", offset });
        node.add(member);
        expect(member.recovered).toBe(offset !== 1);
      }
      await pass(5_000);
    }
    expect(node.readCount).toBe(1);
  });

  it.each([
    ["that has read where the bus is, and nothing else", 0],
    ["that has some of it", 4],
  ])("once more, to a node %s, and later not at all", async (_, received) => {
    const { node, publish, come, at, answer, messages } = await start({ published: 12 });
    for (let i = 0; i < received; i++) publish();
    const top = 12 + received;
    const members = come(...thousand((i) => at(top - (i % 11))));
    await pass(100);
    expect(node.reads.map(({ after, limit }) => [after, limit])).toEqual([[{ epoch: "", offset: 0 }, SIZE]]);
    // What comes meanwhile comes after what was missed.
    publish();
    await answer();
    for (const [i, { recovered, bodies }] of members.entries()) {
      // The one that came meanwhile took the place of the oldest.
      const isGone = i % 11 === 10;
      expect([i % 11, recovered]).toEqual([i % 11, !isGone]);
      expect(bodies).toEqual(isGone ? [] : messages.slice(top - (i % 11)).map(({ body }) => body));
    }
    const later = come(...thousand((i) => at(top - (i % 12))));
    expect(later.every(({ recovered }) => recovered !== "waits")).toBe(true);
    expect(node.readCount).toBe(1);
  });

  it("never, to a node that has all", async () => {
    const { node, publish, come, at } = await start();
    for (let i = 0; i < 25; i++) publish();
    const members = come(...thousand((i) => at(25 - (i % 11))), at(14));
    expect(members.map(({ recovered }) => recovered)).toEqual([...thousand(() => true), false]);
    expect(node.readCount).toBe(0);
  });
});

describe("a position that this node cannot explain", () => {
  const FORGED: readonly (readonly [string, unknown])[] = [
    ["is ahead", { epoch: "E1", offset: 6 }],
    ["is far ahead", { epoch: "E1", offset: Number.MAX_SAFE_INTEGER }],
    ["is not a number that can be counted", { epoch: "E1", offset: 2 ** 60 }],
    ["is infinite", { epoch: "E1", offset: Number.POSITIVE_INFINITY }],
    ["is of another epoch", { epoch: "E7", offset: 3 }],
    ["is of no epoch", { epoch: "", offset: 0 }],
    ["is of a prototype", { epoch: "__proto__", offset: 3 }],
  ];

  it.each(FORGED)("costs one read a second, of this node's own position, when it %s", async (_, position) => {
    const { node, publish, come, answerAll, engine } = await start();
    for (let i = 0; i < 5; i++) publish();
    const top = engine.top;
    const seconds = 5;
    const asked: GGPosition[] = [];
    for (let i = 0; i < seconds * 20; i++) {
      const [member] = come(position as GGPosition);
      expect(member!.recovered).toBe("waits");
      await pass(50);
      asked.push(...node.reads.map(({ after }) => after));
      await answerAll();
    }
    expect(node.readCount).toBeGreaterThan(1);
    expect(node.readCount).toBeLessThanOrEqual(seconds + 1);
    expect(new Set(asked.map(({ epoch, offset }) => `${epoch}:${offset}`))).toEqual(new Set(["E1:4"]));
    await pass(1_100);
    await answerAll();
    expect([node.waiting, engine.top]).toEqual([0, top]);
    await pass(60_000);
    expect(node.readCount).toBeLessThanOrEqual(seconds + 2);
  });

  it.each([
    ["not a number", Number.NaN],
    ["negative", -1],
    ["no whole number", 2.5],
    ["too old", 0],
  ])("costs one read for all when it is %s", async (_, offset) => {
    const { node, come, answer, at, publish } = await start({ published: 12 });
    publish();
    const members = come(...thousand(() => at(offset)));
    await pass(5);
    await answer();
    expect(members.every(({ recovered }) => recovered === false)).toBe(true);
    const [later] = come(at(offset));
    expect([later!.recovered, node.readCount]).toEqual([false, 1]);
    expect(node.order.position).toEqual(at(13));
  });

  it("waits for the check of a node that is behind another one, instead of being lost", async () => {
    const { engine, node, come, at, answerAll, publish } = await start({ published: 3 });
    publish();
    // Another node has passed these on.
    const [five, six] = [engine.publish(), engine.publish()];
    const [ahead, asFar, overdue] = come(at(6), at(5), at(6));
    node.setOverdue(overdue!);
    expect([ahead, asFar, overdue].map((member) => member!.recovered)).toEqual(["waits", "waits", "waits"]);
    await pass(5);
    await answerAll();
    await pass(MOMENT);
    await answerAll();
    expect([ahead, asFar, overdue].map((member) => [member!.recovered, member!.bodies])).toEqual([
      [true, []],
      [true, ["6"]],
      [true, []],
    ]);
    // They come here as well, late.
    for (const late of [five, six]) node.order.receive(late);
    expect(ahead!.events).toHaveLength(1);
    expect(node.readCount).toBe(2);
  });

  it("is not explained by a read that began before it came", async () => {
    const { engine, node, come, at, answerAll, publish } = await start({ published: 3 });
    publish();
    void node.order.interrupted();
    const before = node.reads[0]!;
    const stale = engine.read(before.after, before.limit);
    const five = engine.publish();
    await pass();
    const [member] = come(five.position);
    before.answer(stale);
    await pass();
    expect([member!.recovered, node.order.position]).toEqual(["waits", at(4)]);
    await pass(5);
    await answerAll();
    await pass(MOMENT);
    await answerAll();
    expect([member!.recovered, node.order.position]).toEqual([true, at(5)]);
  });

  it("is lost, with the position in the epoch that follows, when the bus has begun another", async () => {
    const { engine, node, come, at, answerAll, publish } = await start();
    publish();
    engine.loseAll();
    const next = engine.publish();
    const [member, other] = come(next.position, at(1));
    expect(other!.recovered).toBe(true);
    await pass(5);
    await answerAll();
    expect([member!.recovered, member!.bodies]).toEqual([true, []]);
    expect(other!.events.slice(1)).toEqual([
      { kind: "lost", position: at(0, "E2") },
      { kind: "message", message: next },
    ]);
    const [late] = come(at(1));
    expect(late!.recovered).toBe("waits");
    await pass(1_100);
    await answerAll();
    expect(late!.events).toEqual([{ kind: "joined", position: at(1, "E2"), recovered: false }]);
    expect(node.waiting).toBe(0);
  });
});

describe("a check that a position causes", () => {
  /** A node that is checked: its read waits, and so does the member. */
  async function checked({ received = 5, ...options }: { received?: number; published?: number } = {}) {
    const started = await start(options);
    for (let i = 0; i < received; i++) started.publish();
    const present = new Returning();
    started.node.add(present);
    const [member] = started.come(started.at(1, "wrong"));
    await pass(5);
    expect([started.node.readCount, started.node.reads.length]).toEqual([1, 1]);
    return { ...started, present, member: member! };
  }
  const publishedTo = ({ messages }: { messages: readonly { body: string }[] }, count: number) =>
    messages.slice(-count).map(({ body }) => body);

  it.each([0, 3])("holds nothing up that comes meanwhile, however much: of %i published before", async (published) => {
    const started = await checked({ published });
    const { node, present, publish, answerAll, member } = started;
    for (let i = 0; i < 600; i++) publish();
    expect(present.bodies).toEqual(publishedTo(started, 600));
    await answerAll();
    publish();
    expect([present.bodies.length, node.losses, node.order.isMissingSome]).toEqual([601, 0, false]);
    expect(member.recovered).toBe(false);
  });

  it("leaves no doubt behind when it fails, and is repeated after a second while members wait", async () => {
    const started = await checked();
    const { node, present, publish, member, answerAll } = started;
    for (let i = 0; i < 5; i++) {
      node.reads[0]!.fail();
      await pass(500);
      publish();
      expect([present.bodies.length, node.order.isMissingSome, node.reads.length]).toEqual([i + 1, false, 0]);
      await pass(600);
    }
    expect([member.recovered, node.readCount]).toEqual(["waits", 6]);
    await answerAll();
    expect(member.recovered).toBe(false);
    await pass(60_000);
    expect(node.readCount).toBe(6);
  });

  it("is not repeated after it failed when all are gone that waited", async () => {
    const { node, member } = await checked();
    node.remove(member);
    node.reads[0]!.fail();
    await pass(60_000);
    expect(node.readCount).toBe(1);
  });

  it("lets what the bus has more come by itself", async () => {
    const { engine, node, present, member, answer } = await checked();
    const under = [engine.publish(), engine.publish()];
    await answer();
    for (const message of under) {
      await pass(MOMENT / 4);
      node.order.receive(message);
    }
    expect([present.bodies, node.order.isMissingSome]).toEqual([under.map(({ body }) => body), false]);
    await pass(MOMENT);
    expect([member.recovered, node.readCount]).toEqual([false, 1]);
  });

  it("reads what does not come by itself", async () => {
    const { engine, node, present, member, answer, answerAll } = await checked();
    const bodies = [engine.publish(), engine.publish()].map(({ body }) => body);
    await answer();
    expect(present.bodies).toEqual([]);
    await pass(MOMENT);
    await answerAll();
    expect([present.bodies, member.recovered, node.readCount]).toEqual([bodies, false, 2]);
  });

  it.each([
    [
      "has another publication there",
      ({ top }: HistoryEngine): GGBusRead => ({ top, missed: [{ body: "?", from: "other.1", position: top }] }),
    ],
    ["is behind", ({ top }: HistoryEngine): GGBusRead => ({ top: { ...top, offset: 4 } })],
    ["has another epoch", (): GGBusRead => ({ top: { epoch: "E9", offset: 5 } })],
  ])("makes the node read at once when the bus %s", async (_, answer) => {
    const { engine, node, member } = await checked();
    node.reads[0]!.answer(answer(engine));
    await pass();
    expect([node.order.isMissingSome, node.reads.length, member.recovered]).toEqual([true, 1, "waits"]);
  });

  it("is the same read that older positions need, when all come at once", async () => {
    const { node, come, at, answerAll, publish } = await start({ published: 12 });
    for (let i = 0; i < 3; i++) publish();
    const members = come(
      ...thousand((i) => (i % 10 === 0 ? at(16 + i) : i % 10 === 1 ? at(3, "wrong") : at(5 + (i % 10)))),
    );
    await pass(5);
    await answerAll();
    expect(members.map(({ recovered }) => recovered)).toEqual(thousand((i) => i % 10 > 1));
    await pass(60_000);
    expect(node.readCount).toBe(1);
  });

  it("is followed by another for one that came later, after a second", async () => {
    const { node, come, at, answerAll, member } = await checked();
    const [later] = come(at(2, "wrong"));
    await answerAll();
    expect([member.recovered, later!.recovered, node.readCount]).toEqual([false, "waits", 1]);
    await pass(1_000);
    await answerAll();
    expect([later!.recovered, node.readCount]).toEqual([false, 2]);
  });
});

describe("the regular check", () => {
  it("holds nothing up, and leaves no doubt behind when it fails", async () => {
    const { node, publish, engine, answerAll } = await start();
    const present = new Returning();
    node.add(present);
    publish();
    void node.order.check();
    for (let i = 0; i < 600; i++) publish();
    node.reads[0]!.fail();
    await pass();
    publish();
    expect([present.bodies.length, node.losses, node.order.isMissingSome]).toEqual([602, 0, false]);
    // It asks for what was delivered last, and does not bring what is kept.
    void node.order.check();
    expect(node.reads.map(({ after }) => after)).toEqual([{ epoch: "E1", offset: 601 }]);
    const missed = engine.publish();
    await answerAll();
    await pass(MOMENT);
    await answerAll();
    expect(present.bodies.at(-1)).toBe(missed.body);
  });

  it("notices that the bus has gone back in time, though it is as far again", async () => {
    const { node, publish, engine, answerAll } = await start();
    engine.save();
    publish();
    engine.rollBack();
    for (let i = 0; i < 4; i++) engine.publish();
    void node.order.check();
    await answerAll();
    expect([node.order.position?.epoch, node.losses]).toEqual(["E2", 1]);
  });
});

describe("a bus that answers what is none", () => {
  const top = { epoch: "E1", offset: 5 };
  const message = { body: "5", from: "node.5", position: top };
  const ANSWERS: readonly (readonly [string, unknown])[] = [
    ["nothing", undefined],
    ["no top", { missed: [] }],
    ["a top that is none", { top: { epoch: "", offset: 5 } }],
    ["a top that cannot be counted", { top: { epoch: "E1", offset: Number.NaN } }],
    ["a top below 0", { top: { epoch: "E1", offset: -1 } }],
    ["no list", { top, missed: "5" }],
    ["nothing in the list", { top, missed: [null] }],
    ["a message without a position", { top, missed: [{ ...message, position: undefined }] }],
    ["a message of another position", { top, missed: [{ ...message, position: { ...top, offset: 4 } }] }],
    ["a message of another epoch", { top, missed: [{ ...message, position: { ...top, epoch: "E2" } }] }],
  ];

  it.each(ANSWERS)("is asked again, and all that comes is delivered: %s", async (_, answer) => {
    const { node, publish, answerAll } = await start();
    const present = new Returning();
    node.add(present);
    for (let i = 0; i < 5; i++) publish();
    void node.order.interrupted();
    node.reads[0]!.answer(answer as GGBusRead);
    publish();
    await pass();
    expect([present.bodies.length, node.order.isMissingSome]).toEqual([5, true]);
    await pass(1_000);
    await answerAll();
    publish();
    expect([present.bodies.length, node.order.isMissingSome, node.losses]).toEqual([7, false, 0]);
  });

  it.each([
    ["a list that is null", { top, missed: null }],
    ["a body that is no text", { top, missed: [{ ...message, body: 5 }] }],
  ])("is understood where that can be: %s", async (_, answer) => {
    const { node, publish, answerAll } = await start();
    for (let i = 0; i < 5; i++) publish();
    void node.order.interrupted();
    node.reads[0]!.answer(answer as unknown as GGBusRead);
    await pass();
    await answerAll();
    expect([node.order.isMissingSome, node.losses]).toEqual([false, 0]);
  });
});

describe("messages that are older than the bus keeps them", () => {
  const TTL = 1_000;

  it("are not given, though this node has them, and one that has missed nothing goes on", async () => {
    const { node, publish, come, at } = await start({ ttlMs: TTL });
    for (let i = 0; i < 3; i++) publish();
    await pass(TTL - 1);
    expect(come(at(1), at(3)).map(({ recovered }) => recovered)).toEqual([true, true]);
    await pass(1);
    expect(come(at(1), at(3)).map(({ recovered }) => recovered)).toEqual([false, true]);
    expect(node.readCount).toBe(0);
  });

  it("are given when they came late and the bus still has them: it is asked once", async () => {
    const { engine, node, publish, come, at, answerAll, messages } = await start({ ttlMs: TTL });
    publish();
    publish();
    const late = engine.publish();
    await pass(TTL + 1);
    node.order.receive(late);
    const members = come(...thousand(() => at(1)));
    await pass(5);
    await answerAll();
    for (const { bodies } of members) expect(bodies).toEqual([messages[1]!.body, late.body]);
    expect(come(at(0))[0]!.bodies).toHaveLength(3);
    expect(node.readCount).toBe(1);
  });

  it("are not given after another one has come, when the bus has forgotten them", async () => {
    const { engine, node, publish, come, at, answerAll } = await start({ ttlMs: TTL });
    publish();
    publish();
    await pass(TTL);
    engine.expire();
    publish();
    const members = come(at(1), at(2));
    await pass(5);
    await answerAll();
    expect(members.map(({ recovered }) => recovered)).toEqual([false, true]);
    expect(come(at(0), at(1)).map(({ recovered }) => recovered)).toEqual([false, false]);
    expect(node.readCount).toBe(1);
  });
});

describe("a bus that is down", () => {
  it("lets those go on that the node can answer, and the others when it is back", async () => {
    const { engine, node, come, at, answer, answerAll, publish } = await start({ published: 5 });
    for (let i = 0; i < 3; i++) publish();
    node.isBusDown = true;
    const [known, earlier, ahead] = come(at(5), at(3), at(9));
    await pass(1_500);
    expect([known, earlier, ahead].map((member) => member!.recovered)).toEqual([true, "waits", "waits"]);
    expect(node.readCount).toBe(0);
    engine.publish();
    node.isBusDown = false;
    void node.order.interrupted();
    await pass();
    await answer();
    await answerAll();
    expect([earlier!.bodies, ahead!.bodies]).toEqual([["4", "5", "6", "7", "8", "9"], []]);
    expect([earlier!.recovered, ahead!.recovered]).toEqual([true, true]);
  });

  it("makes one lost that waits for too long and that the node cannot answer, and no other", async () => {
    const { node, come, at, answerAll, publish } = await start({ published: 5 });
    for (let i = 0; i < 3; i++) publish();
    node.isBusDown = true;
    const [patient, overdue, ahead] = come(at(3), at(3), at(9));
    await pass(1_500);
    for (const member of [overdue, ahead]) node.setOverdue(member!);
    expect(overdue!.events).toEqual([{ kind: "joined", position: at(8), recovered: false }]);
    // It may know what this node does not: nothing is said before that is known, or it would have that twice.
    expect([patient!.recovered, ahead!.recovered]).toEqual(["waits", "waits"]);
    node.isBusDown = false;
    void node.order.interrupted();
    await pass();
    await answerAll();
    expect([patient!.recovered, ahead!.recovered]).toEqual([true, false]);
  });

  it("keeps those waiting that come before it was ever up, and answers all with the first read", async () => {
    const { node, come, at, answer } = await start({ published: 5, hasRead: false });
    node.reads[0]!.fail();
    node.isBusDown = true;
    const [first, returning] = come(undefined, at(3));
    node.setOverdue(returning!);
    await pass(60_000);
    expect([first!.recovered, returning!.recovered]).toEqual(["waits", "waits"]);
    node.isBusDown = false;
    node.readCount = 0;
    void node.order.interrupted();
    await pass();
    await answer();
    expect([first!.recovered, returning!.recovered, returning!.bodies]).toEqual([undefined, true, ["4", "5"]]);
    expect(node.readCount).toBe(1);
  });
});

describe("a read of what was missed that fails", () => {
  it("is tried once a second, however many come, and answers those who have waited", async () => {
    const { node, come, at, answer } = await start({ published: 5 });
    const members: Returning[] = [];
    for (let i = 0; i < 60; i++) {
      members.push(...come(at(3)));
      node.reads[0]?.fail();
      await pass(50);
    }
    expect(node.readCount).toBeGreaterThanOrEqual(2);
    expect(node.readCount).toBeLessThanOrEqual(4);
    expect(new Set(members.map(({ recovered }) => recovered))).toEqual(new Set(["waits"]));
    await pass(1_100);
    await answer();
    expect(new Set(members.map(({ recovered, bodies }) => `${recovered} ${bodies}`))).toEqual(new Set(["true 4,5"]));
  });

  it.each([
    ["fails", (): Promise<GGBusRead> => Promise.reject(new Error("no"))],
    [
      "throws",
      (): Promise<GGBusRead> => {
        throw new Error("no");
      },
    ],
    ["has no answer", (): Promise<GGBusRead> => Promise.resolve(undefined as unknown as GGBusRead)],
    ["never answers", (): Promise<GGBusRead> => new Promise(() => {})],
  ])("makes them lost when they are overdue: one that %s", async (_, read) => {
    const { node, come, at, publish } = await start({ published: 5 });
    vi.spyOn(node, "read").mockImplementation(read);
    const [member, other] = come(at(3), at(3));
    await pass(500);
    node.setOverdue(member!);
    expect([member!.recovered, other!.recovered]).toEqual([false, "waits"]);
    publish();
    expect(member!.bodies).toEqual(["6"]);
    await pass(60_000);
    node.setOverdue(other!);
    expect(other!.events).toEqual([{ kind: "joined", position: at(6), recovered: false }]);
  });

  it.each([
    ["nothing", { top: { epoch: "E1", offset: 5 } }],
    ["another epoch each time", { top: { epoch: "E5", offset: 5 }, missed: [] }],
    ["an earlier position", { top: { epoch: "E1", offset: 2 }, missed: [] }],
  ] satisfies [string, GGBusRead][])("is not repeated for an engine that answers %s", async (_, latest) => {
    const { engine, node, come, at } = await start({ published: 5 });
    vi.spyOn(node, "read").mockImplementation(async (after, limit) => {
      node.readCount++;
      return after.epoch === "" ? latest : engine.read(after, limit);
    });
    const members = come(at(3), at(4));
    await pass(5);
    expect(members.map(({ events }) => events)).toEqual(
      members.map(() => [{ kind: "joined", position: at(5), recovered: false }]),
    );
    expect(node.readCount).toBeLessThanOrEqual(2);
  });

  it("ends the epoch when the engine has gone back in time", async () => {
    const { engine, node, come, at, answerAll, publish } = await start({ published: 5 });
    engine.save();
    for (let i = 0; i < 3; i++) publish();
    engine.rollBack();
    const [member] = come(at(4));
    await pass();
    await answerAll();
    expect(member!.recovered).toBe(false);
    expect(node.order.position).toEqual(at(0, "E2"));
  });
});

it("does nothing more once it has ended, whatever comes", async () => {
  const deadlines = runningDeadlines();
  const states: ((started: Awaited<ReturnType<typeof start>>) => unknown)[] = [
    ({ come, at }) => come(at(3)),
    ({ come, at }) => come(at(9)),
    async ({ node, come, at }) => {
      come(at(3));
      await pass(5);
      node.reads[0]!.fail();
    },
    async ({ come, at, answer }) => {
      come(at(3));
      await pass(5);
      await answer();
    },
    async ({ engine, come, at, answer }) => {
      come(at(9));
      await pass(5);
      engine.publish();
      await answer();
      expect(runningDeadlines(), "while it waits for what is under way").toBeGreaterThan(deadlines);
    },
    ({ node }) => void node.order.interrupted(),
    ({ node }) => {
      void node.order.interrupted();
      node.reads[0]!.fail();
    },
  ];
  const outcomes = [true, false].flatMap((isAtOnce) => [true, false].map((isAnswered) => ({ isAtOnce, isAnswered })));
  for (const bring of states) {
    for (const { isAtOnce, isAnswered } of outcomes) {
      const started = await start({ published: 5 });
      const { node, engine, come, at } = started;
      await bring(started);
      if (!isAtOnce) await pass();
      node.order.end();
      expect(runningDeadlines()).toBe(deadlines);
      const count = node.readCount;
      const settled = vi.spyOn(node, "onKnown");
      for (const read of [...node.reads]) isAnswered ? read.answer(engine.read(read.after, read.limit)) : read.fail();
      await pass(0);
      expect(runningDeadlines()).toBe(deadlines);
      // Nothing is begun any more either.
      come(at(3), at(9));
      expect(runningDeadlines()).toBe(deadlines);
      await node.order.interrupted();
      await pass(120_000);
      expect([settled.mock.calls.length, node.readCount, runningDeadlines()]).toEqual([0, count, deadlines]);
    }
  }
});
