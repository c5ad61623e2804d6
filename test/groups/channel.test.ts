import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GGBusMessage, GGBusRead, GGPosition } from "../../src/api/bus.js";
import { Channel, type ChannelListener } from "../../src/groups/channel.js";
import { MAX_HELD_CHARACTERS, MAX_HELD_MESSAGES } from "../../src/groups/heldMessages.js";
import { MemoryEngine } from "../../src/groups/memoryEngine.js";
import { HistoryEngine, type Published } from "../support/historyEngine.js";

const RUNS = Number(process.env.HOSTILE_RUNS ?? 500);
const SEED = process.env.HOSTILE_SEED ? Number(process.env.HOSTILE_SEED) : undefined;

/** It keeps for ever. */
const NEVER = Number.POSITIVE_INFINITY;

/** How many epochs a channel knows to have ended. */
const REMEMBERED_EPOCHS = 8;

/** A channel behind a bus that does with messages what it is told to, and what the channel has made of it. */
class Node {
  readonly channel: Channel;
  readonly delivered: GGBusMessage[] = [];
  readonly repeated: GGBusMessage[] = [];
  readonly lost: GGPosition[] = [];
  reads = 0;
  /** What the engine was like when it last answered. */
  provenAt = 0;
  readonly #engine: HistoryEngine;
  readonly #size: number;
  /** Whether the first read is to bring what is kept. */
  readonly #isHistoryWanted: boolean;
  readonly #delayed: GGBusMessage[] = [];
  #read: { after: GGPosition; answer?: GGBusRead; rollbacks: number; latest?: Published | undefined } | undefined;
  /** The latest message since the beginning, or the one before that; `undefined` after a loss. */
  #latest: Published | undefined;
  /** Whether that is the one before, which the channel does not know, so that it cannot notice when it has changed. */
  #isAtStart = true;
  #isUnknown = false;
  #from: GGPosition | undefined;
  /** How much was lost when each message was delivered. */
  readonly #seen = new Map<string, number>();
  readonly #places = new Set<string>();
  #hasBegun = false;
  /** What was delivered since the latest loss, and what may not be delivered again although there was one. */
  #sinceLoss: { body: string; offset: number | undefined; top: number }[] = [];
  #recent: readonly string[] = [];
  /** The offset that had been reached in this epoch at least, and where it began. */
  #top = 0;
  #start = 0;

  constructor(engine: HistoryEngine, size: number, isHistoryWanted = false) {
    this.#engine = engine;
    this.#size = size;
    this.#isHistoryWanted = isHistoryWanted;
    this.channel = new Channel(
      { size, ttlMs: NEVER },
      {
        onDelivered: (message) => this.#onDelivered(message),
        onDisplaced: (message) => this.#onDisplaced(message),
        onRepeated: (message, losses) => this.#onRepeated(message, losses),
        onBegun: () => {
          expect(this.#hasBegun).toBe(false);
          expect(this.channel.position).toBeDefined();
          this.#hasBegun = true;
        },
        onLost: (position) => {
          this.#recent = this.#lately;
          this.#sinceLoss = [];
          this.lost.push(position);
          this.#latest = undefined;
          this.#isUnknown = false;
          this.#from = position;
          this.#top = this.#start = position.offset;
        },
      },
    );
  }

  /** What `fate` says. */
  pass(message: GGBusMessage, fate: Fate): void {
    if (fate === "delayed" || fate === "now and later") this.#delayed.push(message);
    if (fate === "doubled") this.#receive(message);
    if (fate !== "dropped" && fate !== "delayed") this.#receive(message);
  }

  /** One of the delayed messages arrives. */
  arrive(which: number): void {
    const [message] = this.#delayed.splice(which % (this.#delayed.length || 1), 1);
    if (message) this.#receive(message);
  }

  #receive(message: GGBusMessage): void {
    this.channel.receive(message);
    this.#top = this.channel.position?.offset ?? 0;
  }

  /** A step of a read: it is asked, the engine answers, the answer arrives. */
  stepRead(): void {
    const read = this.#read;
    if (!read) {
      const { missing } = this.channel;
      if (missing) this.#read = { after: missing, rollbacks: 0 };
    } else if (!read.answer) {
      read.rollbacks = this.#engine.rollbacks;
      read.answer = this.#engine.read(read.after, this.channel.position || this.#isHistoryWanted ? this.#size + 1 : 0);
      read.latest = this.#engine.latest;
    } else {
      this.#read = undefined;
      this.reads++;
      if (!this.channel.position) {
        this.#latest = read.latest;
        this.#isUnknown = read.rollbacks < this.#engine.rollbacks;
        this.#top = this.#start = read.answer.top.offset;
      }
      this.channel.takeRead(read.after, read.answer);
      this.#top = this.channel.position!.offset;
      if (!this.channel.missing) this.provenAt = read.rollbacks;
    }
  }

  failRead(): void {
    this.#read = undefined;
  }

  interrupt(): void {
    this.#delayed.length = 0;
    this.channel.requireRead();
  }

  /** The engine has gone back in time, and has lost its connections. */
  engineWentBack(): void {
    if (this.#latest && this.#isAtStart) this.#isUnknown = true;
    this.interrupt();
  }

  /** Everything arrives, and all is read that is missing. Returns how many reads that took. */
  settle(): number {
    while (this.#delayed.length > 0) this.arrive(0);
    return this.catchUp();
  }

  /** Reads until nothing is missing. */
  catchUp(): number {
    while (this.#read) this.stepRead();
    const before = this.reads;
    while (this.channel.missing && this.reads - before < 20) this.stepRead();
    while (this.#read) this.stepRead();
    return this.reads - before;
  }

  /** Position and latest message are those of the engine. */
  expectUpToDate(): void {
    expect(this.channel.missing).toBeUndefined();
    expect(this.channel.position).toEqual(this.#engine.top);
    if (this.#latest && !this.#isUnknown) expect(this.#engine.latest?.body).toBe(this.#latest.body);
  }

  #onDelivered(message: GGBusMessage): void {
    const { body, position } = message;
    const lostBefore = this.#seen.get(body);
    if (lostBefore !== undefined) {
      // Published again, it may be delivered again, in another epoch or when that begins, if that was long ago.
      if (position) expect(lostBefore, `losses when ${body} was delivered before`).toBeLessThan(this.lost.length);
      const isLate = position && position.offset - this.#start > this.#size;
      if (!isLate) expect([...this.#recent, ...this.#withoutPlace], "what was delivered lately").not.toContain(body);
    }
    this.#seen.set(body, this.lost.length);
    this.#sinceLoss.push({ body, offset: position?.offset, top: this.#top });
    this.delivered.push(message);
    if (position) this.#onPlaced(message, position);
  }

  #onDisplaced(message: GGBusMessage): void {
    const { body, position } = message;
    expect(position).toBeUndefined();
    if (this.#seen.has(body)) expect(this.#lately, "what was delivered lately").not.toContain(body);
    // It may get a place.
    this.#seen.set(body, this.lost.length - 0.5);
    this.#sinceLoss.push({ body, offset: undefined, top: this.#top });
    this.delivered.push(message);
  }

  #onRepeated(message: GGBusMessage, losses: number): void {
    const { body, position } = message;
    const lostBefore = this.#seen.get(body);
    expect(lostBefore, `losses when ${body} was delivered before`).toBeDefined();
    expect(losses).toBe(this.lost.length - Math.ceil(lostBefore!));
    this.#seen.set(body, this.lost.length);
    this.#sinceLoss.push({ body, offset: position!.offset, top: this.#top });
    this.repeated.push(message);
    this.#onPlaced(message, position!);
  }

  /** The message is the next one in the order. */
  #onPlaced(message: GGBusMessage, position: GGPosition): void {
    const place = `${position.epoch}:${position.offset}`;
    if (this.lost.length < REMEMBERED_EPOCHS) expect(this.#places, "places of what was delivered").not.toContain(place);
    this.#places.add(place);
    const befores = this.#engine.before(message);
    expect(befores.length, `how often ${message.from} was published at ${place}`).not.toBe(0);
    if (this.#isUnknown) this.#isUnknown = false;
    else if (this.#latest || !this.#from) expect(befores.map((before) => before?.body)).toContain(this.#latest?.body);
    else expect(position).toEqual({ ...this.#from, offset: this.#from.offset + 1 });
    this.#latest = { ...message, before: befores[0] };
    this.#isAtStart = false;
    expect(this.channel.position).toEqual(position);
    this.#top = position.offset;
  }

  /** What was delivered without a place since the latest loss. */
  get #withoutPlace(): readonly string[] {
    return this.#sinceLoss.flatMap(({ body, offset }) => (offset === undefined ? [body] : []));
  }

  /** The latest that were delivered, and those before the latest loss while there are fewer. */
  get #lately(): readonly string[] {
    const placed = this.#top - this.#start;
    const latest = this.#sinceLoss.filter(({ offset, top }) =>
      offset === undefined ? top === this.#top : offset > this.#top - this.#size,
    );
    return [...(placed < this.#size ? this.#recent : []), ...latest.map(({ body }) => body)];
  }
}

type Fate = "now" | "dropped" | "doubled" | "delayed" | "now and later";

const nodeIndex = fc.nat({ max: 1 });
const fate = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>("now") },
  { weight: 4, arbitrary: fc.constantFrom<Fate>("dropped", "doubled", "delayed", "now and later") },
);
const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      fates: fc.tuple(fate, fate),
      by: fc.option(nodeIndex, { nil: undefined, freq: 3 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant("read" as const), node: nodeIndex, steps: fc.nat({ max: 4 }) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("arrive" as const), node: nodeIndex, which: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("interrupt" as const, "idle" as const, "fail" as const),
      node: nodeIndex,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("unkept" as const), fates: fc.tuple(fate, fate) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("retry" as const),
      fates: fc.tuple(fate, fate),
      which: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom("save" as const, "rollBack" as const, "loseAll" as const, "expire" as const),
    }),
  },
);

function run(
  engine: HistoryEngine,
  nodes: readonly [Node, Node],
  steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[],
) {
  const byNodes: { message: GGBusMessage; by: Node; known: GGPosition | undefined }[] = [];
  for (const taken of steps) {
    switch (taken.kind) {
      case "publish": {
        const by = taken.by === undefined ? undefined : nodes[taken.by]!;
        const known = by?.channel.position;
        const message = engine.publish(known);
        if (by) byNodes.push({ message, by, known });
        for (const [i, node] of nodes.entries()) node.pass(message, taken.fates[i]!);
        break;
      }
      case "unkept": {
        const message = engine.publishUnkept();
        for (const [i, node] of nodes.entries()) node.pass(message, taken.fates[i] === "dropped" ? "dropped" : "now");
        break;
      }
      case "retry": {
        const former = byNodes.at(-taken.which);
        if (!former) break;
        // Its answer was lost with the connection: what its node has missed comes first.
        former.by.interrupt();
        former.by.catchUp();
        const message = engine.retry(former.message, former.known);
        for (const [i, node] of nodes.entries()) if (message) node.pass(message, taken.fates[i]!);
        break;
      }
      case "read":
        for (let i = 0; i < taken.steps; i++) nodes[taken.node]!.stepRead();
        break;
      case "arrive":
        nodes[taken.node]!.arrive(taken.which);
        break;
      case "interrupt":
        nodes[taken.node]!.interrupt();
        break;
      case "idle":
        nodes[taken.node]!.channel.requireRead();
        break;
      case "fail":
        nodes[taken.node]!.failRead();
        break;
      case "rollBack":
        if (engine.rollBack()) for (const node of nodes) node.engineWentBack();
        break;
      case "expire":
        // What is published after the engine went back does not expire before a node has read.
        if (nodes.every(({ provenAt }) => provenAt === engine.rollbacks)) engine.expire();
        break;
      default:
        engine[taken.kind]();
    }
  }
}

describe("a channel", () => {
  it("delivers one order without hole and double, or says that it cannot, whatever bus and engine do", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 0, max: 2 }),
        fc.array(step, { maxLength: 80, size: "max" }),
        fc.tuple(fc.boolean(), fc.boolean()),
        (size, more, steps, [first, second]) => {
          const engine = new HistoryEngine(size + more);
          const nodes = [new Node(engine, size, first), new Node(engine, size, second)] as const;
          run(engine, nodes, steps);
          for (const node of nodes) {
            expect(node.settle()).toBeLessThanOrEqual(4);
            node.channel.requireRead();
            expect(node.settle()).toBeLessThanOrEqual(4);
          }
          // The second one may have begun an epoch.
          nodes[0].channel.requireRead();
          expect(nodes[0].settle()).toBeLessThanOrEqual(4);
          for (const node of nodes) node.expectUpToDate();
        },
      ),
      { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: SEED }) },
    );
  });

  it.each([
    ["of what it delivered", false],
    ["of what the bus had when it began", true],
  ])("gives what follows a position, all of it or nothing, for any position: %s", (_, isHistoryWanted) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.nat({ max: 20 }),
        fc.nat({ max: 20 }),
        anyPosition,
        (size, before, after, position) => {
          const { engine, channel, published } = started(size, before, isHistoryWanted);
          for (let i = 0; i < after; i++) published.push(receive(engine, channel));
          const oldest = isHistoryWanted ? 0 : before;
          expect(channel.since(position)).toEqual(
            whatFollows(published, position, Math.max(oldest, published.length - size)),
          );
        },
      ),
    );
  });

  it("gives what follows a position as well when it was filled, however old and new that read is", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.tuple(fc.nat({ max: 12 }), fc.nat({ max: 9 }), fc.nat({ max: 9 }), fc.nat({ max: 9 }), fc.nat({ max: 9 })),
        fc.boolean(),
        anyPosition,
        (size, [before, received, ahead, meanwhile, later], isLate, position) => {
          const { engine, node, channel, published } = started(size, before);
          const receiveMore = (count: number) => {
            for (let i = 0; i < count; i++) published.push(receive(engine, channel));
          };
          receiveMore(received);
          const readAt = channel.position!;
          const isWanted = before > 0 && received < size;
          expect(channel.canBeFilled).toBe(isWanted);
          // The bus has them before it answers, and passes them before its answer, or after that.
          const coming = Array.from({ length: ahead }, () => engine.publish());
          published.push(...coming);
          const read = engine.read({ epoch: "", offset: 0 }, size);
          if (isLate) for (const message of coming) channel.receive(message);
          if (isLate) receiveMore(meanwhile);
          if (isWanted) channel.fill(readAt, read);
          expect(channel.canBeFilled).toBe(false);
          if (!isLate) for (const message of coming) channel.receive(message);
          receiveMore(later);
          expect([channel.missing, node.lost]).toEqual([undefined, []]);
          const top = published.length;
          const readAfter = Math.max(before + received + ahead - size, 0);
          const known = isWanted ? Math.min(readAfter, before) : before;
          expect(channel.since(position)).toEqual(whatFollows(published, position, Math.max(known, top - size)));
        },
      ),
    );
  });

  it.each([
    [
      "has another publication at a place",
      (top: GGPosition) => ({ top, missed: [{ body: "?", from: "other.1", position: top }] }),
    ],
    ["is behind", ({ epoch, offset }: GGPosition) => ({ top: { epoch, offset: offset - 1 }, missed: [] })],
    ["has another epoch", ({ offset }: GGPosition) => ({ top: { epoch: "E9", offset }, missed: [] })],
  ])("reads what it is missing when it is filled by an engine that %s", (_, answer) => {
    const { engine, node, channel } = started(5, 3);
    channel.receive(engine.publish());
    expect([channel.missing, channel.canBeFilled]).toEqual([undefined, true]);
    channel.fill(channel.position!, answer(engine.top));
    expect([channel.missing === undefined, channel.canBeFilled]).toEqual([false, false]);
    expect(channel.since({ epoch: "E1", offset: 2 })).toBeUndefined();
    node.settle();
    node.expectUpToDate();
  });

  it("is not filled with what was before a loss, and can be filled after that", () => {
    const { engine, node, channel } = started(5, 3);
    const readAt = channel.position!;
    const read = engine.read({ epoch: "", offset: 0 }, 5);
    for (let i = 0; i < 20; i++) engine.publish();
    channel.requireRead();
    node.settle();
    expect(node.lost).toEqual([{ epoch: "E1", offset: 23 }]);
    channel.fill(readAt, read);
    expect([channel.canBeFilled, channel.missing]).toEqual([true, undefined]);
    channel.fill(channel.position!, engine.read({ epoch: "", offset: 0 }, 5));
    expect(channel.since({ epoch: "E1", offset: 18 })?.map(({ body }) => body)).toEqual(["19", "20", "21", "22", "23"]);
    expect(channel.since({ epoch: "E1", offset: 17 })).toBeUndefined();
  });

  it("takes histories of any length", () => {
    const size = 200_000;
    const engine = new HistoryEngine(size);
    const position = (offset: number) => ({ epoch: "E1", offset });
    const missed = Array.from({ length: size }, (_, i) => ({ body: "", from: `n.${i}`, position: position(i + 1) }));
    const node = new Node(engine, size);
    node.channel.takeRead(node.channel.missing!, { top: position(size), missed });
    expect(node.channel.since(position(0))).toHaveLength(size);
    expect(node.channel.since(position(1))![0]).toEqual(missed[1]);
  });

  it("repeats, of what it only learned of, what a member has had since", () => {
    const events: string[] = [];
    const channel = channelOf(5, {
      onDelivered: ({ body }) => events.push(body),
      onRepeated: ({ body }, losses) => events.push(`${body} again, ${losses}`),
      onLost: ({ epoch }) => events.push(`lost, ${epoch}`),
    });
    const engine = new HistoryEngine(5);
    const published = Array.from({ length: 4 }, () => engine.publish());
    channel.takeRead(channel.missing!, engine.read(channel.missing!, 6));
    expect(channel.since({ epoch: "E1", offset: 2 })).toEqual(published.slice(2));
    engine.loseAll();
    channel.requireRead();
    channel.takeRead(channel.missing!, engine.read(channel.missing!, 6));
    for (const message of published) channel.receive(engine.retry(message)!);
    expect(events).toEqual(["lost, E2", "1", "2", "3 again, 1", "4 again, 1"]);
  });

  it("reads again what an engine has answered without a top", () => {
    const { node, channel } = started(5, 1);
    channel.requireRead();
    const asked = channel.missing!;
    expect(() => channel.takeRead(asked, {} as GGBusRead)).toThrow();
    expect(channel.missing).toBe(asked);
    node.settle();
    node.expectUpToDate();
  });

  it("delivers at once what is not kept, in any state", () => {
    const { engine, node, channel } = started(5, 1);
    engine.publish();
    channel.receive(engine.publish());
    expect(channel.missing).toEqual({ epoch: "E1", offset: 0 });
    channel.receive(engine.publishUnkept());
    expect(node.delivered.map(({ body }) => body)).toEqual(["4"]);
  });

  it("delivers what it gets before the first answer, after that and in order", () => {
    const engine = new HistoryEngine(10);
    for (let i = 0; i < 3; i++) engine.publish();
    const node = new Node(engine, 10);
    expect([node.channel.position, node.channel.missing]).toEqual([undefined, { epoch: "", offset: 0 }]);
    const [four, five] = [engine.publish(), engine.publish()];
    node.channel.receive(five);
    node.stepRead();
    node.stepRead();
    node.channel.receive(engine.publish());
    expect(node.delivered).toEqual([]);
    node.stepRead();
    // The bus may say a message twice, and late.
    node.channel.receive(four);
    expect(node.delivered.map(({ body }) => body)).toEqual(["5", "6"]);
    expect([node.lost, node.channel.missing]).toEqual([[], undefined]);
    node.expectUpToDate();
  });

  it("has a position in an epoch before anything is published", () => {
    const { engine, node, channel } = started(5, 0);
    expect(channel.position).toEqual({ epoch: "E1", offset: 0 });
    channel.receive(engine.publish());
    expect([node.delivered.length, node.reads, node.lost]).toEqual([1, 1, []]);
    node.expectUpToDate();
  });

  it("says that the first messages of all are lost, when the engine has lost them", () => {
    const { engine, node, channel } = started(5, 0);
    engine.publish();
    engine.loseAll();
    channel.requireRead();
    node.settle();
    expect(node.lost).toEqual([{ epoch: "E2", offset: 0 }]);
    channel.receive(engine.publish());
    expect(node.delivered.map(({ body }) => body)).toEqual(["2"]);
  });

  it.each([1, 7, 98])("heals %i missing messages with one read", (missing) => {
    const { engine, node, channel } = started(100, 3);
    for (let i = 0; i < missing; i++) engine.publish();
    channel.receive(engine.publish());
    channel.receive(engine.publish());
    expect(node.settle()).toBe(1);
    expect([node.delivered.length, node.lost]).toEqual([missing + 2, []]);
    node.expectUpToDate();
  });

  it("needs no read when what is missing comes late", () => {
    const { engine, node, channel } = started(10, 3);
    const [late, early] = [engine.publish(), engine.publish()];
    channel.receive(early);
    expect(channel.missing).toBeDefined();
    channel.receive(late);
    expect(channel.missing).toBeUndefined();
    expect([node.delivered.length, node.reads]).toEqual([2, 1]);
  });

  it("says once that more is missing than is kept", () => {
    const { engine, node, channel } = started(10, 3);
    for (let i = 0; i < 1_000; i++) engine.publish();
    channel.receive(engine.publish());
    expect(node.settle()).toBe(1);
    expect(node.lost).toEqual([{ epoch: "E1", offset: 1_004 }]);
    // It will not come again.
    expect(node.delivered).toEqual([{ body: "1004", from: "node.1004" }]);
    channel.receive(engine.publish());
    expect(node.delivered.at(-1)?.position).toEqual({ epoch: "E1", offset: 1_005 });
  });

  it("heals what is missing of a channel whose earlier messages have expired", () => {
    const { engine, node, channel } = started(10, 3);
    channel.receive(engine.publish());
    engine.expire();
    engine.publish();
    channel.receive(engine.publish());
    expect(node.settle()).toBe(2);
    expect([node.delivered.length, node.lost]).toEqual([3, []]);
  });

  it.each([0, 1, 2, 3, 6])("notices an engine that went back by three and has published %i since", (since) => {
    const { engine, node, channel } = started(10, 1);
    for (let i = 0; i < 2; i++) channel.receive(engine.publish());
    engine.save();
    for (let i = 0; i < 3; i++) channel.receive(engine.publish());
    engine.rollBack();
    for (let i = 0; i < since; i++) engine.publish();
    channel.requireRead();
    node.settle();
    expect(node.lost).toEqual([{ epoch: "E2", offset: 0 }]);
    node.expectUpToDate();
  });

  it("notices an engine that went back by a message, and delivers that", () => {
    const { engine, node, channel } = started(10, 1);
    engine.save();
    for (let i = 0; i < 3; i++) channel.receive(engine.publish());
    engine.rollBack();
    const [first, second] = [engine.publish(), engine.publish()];
    channel.receive(first);
    channel.receive(second);
    expect(node.delivered.length).toBe(3);
    node.settle();
    expect(node.delivered.slice(3)).toEqual([first, second].map(({ body, from }) => ({ body, from })));
    expect(node.lost).toEqual([{ epoch: "E2", offset: 0 }]);
  });

  it.each([0, 1, 2])("ends an epoch that comes back after another, with %i messages more", (more) => {
    const { engine, node, channel } = started(10, 1);
    channel.receive(engine.publish());
    engine.save();
    channel.receive(engine.publish());
    for (let round = 1; round <= 3; round++) {
      engine.rollBack();
      for (let i = 0; i < more; i++) engine.publish();
      channel.requireRead();
      node.settle();
      expect(node.lost.length).toBe(round);
      channel.receive(engine.publish());
    }
    expect(new Set(node.lost.map(({ epoch }) => epoch)).size).toBe(3);
    expect(node.delivered.map(({ body }) => body)).toEqual([
      "2",
      "3",
      ...[1, 2, 3].map((i) => `${3 + i * (more + 1)}`),
    ]);
  });

  it("remembers a bounded number of epochs", () => {
    const { engine, node, channel } = started(10, 0);
    engine.save();
    for (let i = 0; i < 9; i++) {
      engine.loseAll();
      channel.requireRead();
      node.settle();
    }
    engine.rollBack();
    channel.requireRead();
    node.settle();
    expect(node.lost.slice(-2).map(({ epoch }) => epoch)).toEqual(["E10", "E1"]);
    node.expectUpToDate();
  });

  it("ends a reading of an engine that goes on in an epoch that has ended", () => {
    const { node, channel, engine } = started(10, 1);
    engine.loseAll();
    channel.requireRead();
    node.settle();
    const top = { epoch: "E1", offset: 5 };
    channel.requireRead();
    for (let i = 0; i < 3 && channel.missing; i++) channel.takeRead(channel.missing, { top });
    expect([channel.missing, node.lost]).toEqual([undefined, [{ epoch: "E2", offset: 0 }, top]]);
  });

  it("goes on where it was when an epoch that came back is gone again", () => {
    const { node, channel, engine } = started(10, 1);
    engine.loseAll();
    channel.requireRead();
    node.settle();
    const former = { body: "text", from: "other.1", position: { epoch: "E1", offset: 2 } };
    channel.receive(former);
    channel.takeRead(channel.missing!, { top: former.position });
    expect(channel.missing).toEqual({ epoch: "E1", offset: Number.MAX_SAFE_INTEGER });
    channel.receive(engine.publish());
    node.settle();
    expect([node.delivered.map(({ body }) => body), node.lost.length]).toEqual([["2"], 1]);
    node.expectUpToDate();
  });

  it("does not deliver again what is published again after a loss, while as many follow as it keeps", () => {
    const { engine, node, channel } = started(3, 1);
    engine.save();
    const twice = [1, 2, 3].map(() => engine.publish());
    for (const message of twice) channel.receive(message);
    engine.rollBack();
    channel.requireRead();
    node.settle();
    const again = twice.map((message) => engine.retry(message)!);
    for (const message of again) channel.receive(message);
    expect([channel.position, node.delivered.length]).toEqual([{ epoch: "E2", offset: 3 }, 3]);
    expect(node.repeated).toEqual(again);
    expect(channel.since({ epoch: "E2", offset: 0 })).toEqual(again);
    channel.receive(engine.publish());
    expect(node.delivered.at(-1)).toEqual({ body: "5", from: "node.5", position: { epoch: "E2", offset: 4 } });
  });

  it("forgets what it delivered before a loss when as many follow as it keeps", () => {
    const delivered: string[] = [];
    const repeated: unknown[] = [];
    const channel = channelOf(2, {
      onDelivered: ({ from }) => delivered.push(from),
      onRepeated: (...args) => repeated.push(args),
    });
    const publish = (epoch: string, offset: number, from: string) =>
      channel.receive({ body: "text", from, position: { epoch, offset } });
    channel.takeRead(channel.missing!, { top: { epoch: "E1", offset: 0 } });
    publish("E1", 1, "a");
    channel.requireRead();
    channel.takeRead(channel.missing!, { top: { epoch: "E2", offset: 0 } });
    for (const [i, from] of ["b", "c", "a"].entries()) publish("E2", i + 1, from);
    expect([delivered, repeated]).toEqual([["a", "b", "c", "a"], []]);
  });

  it("does not deliver again what it delivered without a place when it was lost", () => {
    const { engine, node, channel } = started(5, 1);
    engine.publish();
    const held = engine.publish();
    channel.receive(held);
    engine.loseAll();
    node.settle();
    expect(node.delivered).toEqual([{ body: held.body, from: held.from }]);
    const again = engine.retry(held)!;
    channel.receive(again);
    expect([channel.position, node.delivered.length]).toEqual([{ epoch: "E2", offset: 1 }, 1]);
    expect(node.repeated).toEqual([again]);
  });

  it("delivers what is published again and it has only learned of", () => {
    const { engine, node, channel } = started(5, 0);
    const learned = engine.publish();
    const late = new Node(engine, 5);
    late.settle();
    late.channel.requireRead();
    late.settle();
    engine.loseAll();
    for (const each of [node, late]) {
      each.channel.requireRead();
      each.settle();
    }
    const again = engine.retry(learned)!;
    for (const each of [channel, late.channel]) each.receive(again);
    expect([node.delivered, late.delivered]).toEqual([[again], [again]]);
    expect([node.repeated, late.repeated]).toEqual([[], []]);
  });

  it("does not go back to an epoch of which a message comes late", () => {
    const { engine, node, channel } = started(10, 1);
    const late = engine.publish();
    engine.loseAll();
    channel.receive(engine.publish());
    node.settle();
    expect(node.lost).toEqual([{ epoch: "E2", offset: 0 }]);
    expect(node.delivered.at(-1)?.position).toEqual({ epoch: "E2", offset: 1 });
    channel.receive(late);
    channel.receive(engine.publish());
    expect(node.settle()).toBe(1);
    expect(node.lost.length).toBe(1);
    node.expectUpToDate();
  });

  it.each([
    ["messages", MAX_HELD_MESSAGES + 1, 0],
    ["text", 5, MAX_HELD_CHARACTERS / 4],
  ])("holds a bounded number of %s, and heals all the same", (_, count, length) => {
    const { engine, node, channel } = started(1_000, 1);
    engine.publish(undefined, length);
    node.stepRead();
    for (let i = 0; i < count; i++) channel.receive(engine.publish(undefined, length));
    // What came is not there any more: it is read.
    expect(node.settle()).toBe(1);
    expect([node.delivered.length, node.lost]).toEqual([count + 1, []]);
    node.expectUpToDate();
  });

  it("holds no more than that", () => {
    const { engine, node, channel } = started(1_000, 1);
    engine.publish();
    for (let i = 0; i <= MAX_HELD_MESSAGES + 10; i++) channel.receive(engine.publish());
    engine.loseAll();
    node.settle();
    expect(node.delivered.length).toBe(10);
    expect(node.lost).toEqual([{ epoch: "E2", offset: 0 }]);
  });

  it("reads again after an interruption during a read", () => {
    const { engine, node, channel } = started(10, 1);
    engine.publish();
    channel.requireRead();
    node.stepRead();
    node.stepRead();
    engine.publish();
    channel.requireRead();
    node.stepRead();
    expect(channel.missing).toEqual({ epoch: "E1", offset: 1 });
    expect(node.settle()).toBe(1);
    node.expectUpToDate();
  });

  it("does not end an epoch for what has happened in the one before", () => {
    const lost: GGPosition[] = [];
    const channel = channelOf(10, { onLost: (position) => lost.push(position) });
    const message = { body: "1", from: "node.1", position: { epoch: "E1", offset: 1 } };
    channel.takeRead(channel.missing!, { top: { epoch: "E1", offset: 0 } });
    channel.receive(message);
    channel.requireRead();
    const asked = channel.missing!;
    channel.receive({ ...message, from: "node.2" });
    expect(channel.missing?.offset).toBe(Number.MAX_SAFE_INTEGER);
    const top = { epoch: "E2", offset: 0 };
    channel.takeRead(asked, { top });
    expect(channel.missing).toEqual(top);
    channel.takeRead(channel.missing!, { top, missed: [] });
    expect([lost, channel.missing]).toEqual([[top], undefined]);
  });

  it("delivers what was published again in another epoch once, and in its new place", () => {
    const events: unknown[] = [];
    const channel = channelOf(10, {
      onDelivered: (message) => events.push(message),
      onDisplaced: (message) => events.push(message),
      onRepeated: (message) => events.push(message),
      onLost: (position) => events.push(position),
    });
    channel.takeRead(channel.missing!, { top: { epoch: "E1", offset: 1 } });
    channel.receive({ body: "text", from: "node.3", position: { epoch: "E1", offset: 3 } });
    // Its publisher has had no answer, and repeats it.
    const again = { body: "text", from: "node.3", position: { epoch: "E2", offset: 1 } };
    while (channel.missing) channel.takeRead(channel.missing, { top: again.position, missed: [again] });
    expect(events).toEqual([{ epoch: "E2", offset: 0 }, again]);
  });

  it("gets on while more arrives during each read than it holds", () => {
    const { engine, node, channel } = started(10_000, 1);
    engine.publish();
    channel.receive(engine.publish());
    for (let round = 0; round < 5; round++) {
      const before = node.delivered.length;
      for (let i = 0; i < 3; i++) {
        node.stepRead();
        for (let j = 0; j < MAX_HELD_MESSAGES; j++) channel.receive(engine.publish());
      }
      expect(node.delivered.length).toBeGreaterThan(before);
    }
    expect(node.settle()).toBeLessThanOrEqual(2);
    expect(node.lost).toEqual([]);
    node.expectUpToDate();
  });

  it("ends a reading that an engine does not answer as it should", () => {
    const { node, channel, engine } = started(10, 1);
    channel.receive(engine.publish());
    const forged = { epoch: "E1", offset: 2 };
    channel.receive({ body: "another", from: "other.1", position: forged });
    for (let i = 0; i < 3 && channel.missing; i++) channel.takeRead(channel.missing, { top: forged });
    expect(channel.missing).toBeUndefined();
    expect(node.lost).toEqual([forged]);
  });

  it("takes messages in order that arrive while it delivers", () => {
    const engine = new HistoryEngine(10);
    const delivered: string[] = [];
    const channel: Channel = channelOf(10, {
      onDelivered({ body }) {
        if (body === "1") channel.receive(engine.publish());
        delivered.push(body);
      },
    });
    channel.takeRead(channel.missing!, engine.read(channel.missing!, 10));
    channel.receive(engine.publish());
    expect(delivered).toEqual(["1", "2"]);
  });
});

const anyPosition = fc.oneof(
  fc.record({ epoch: fc.constantFrom("", "E1", "E2", "__proto__"), offset: fc.integer({ min: -3, max: 65 }) }),
  fc.record({
    epoch: fc.constant("E1"),
    offset: fc.oneof(fc.nat({ max: 40 }), fc.double(), fc.constantFrom(Number.NaN, 2 ** 60, -0.5, 1e308)),
  }),
  fc.constant({ epoch: "E1", offset: "1" } as unknown as GGPosition),
  fc.constant({ epoch: null, offset: null } as unknown as GGPosition),
);

/** What follows a position in `E1`, for one who knows what follows `oldest`. */
function whatFollows(published: readonly GGBusMessage[], { epoch, offset }: GGPosition, oldest: number): unknown {
  const isThere = epoch === "E1" && Number.isInteger(offset) && offset >= oldest && offset <= published.length;
  return isThere ? published.slice(offset) : undefined;
}

function receive(engine: HistoryEngine, channel: Channel): GGBusMessage {
  const message = engine.publish();
  channel.receive(message);
  return message;
}

/** A channel of which nothing but this is listened to. */
function channelOf(size: number, listener: Partial<ChannelListener>): Channel {
  return new Channel(
    { size, ttlMs: NEVER },
    {
      onDelivered() {},
      onDisplaced() {},
      onRepeated() {},
      onBegun() {},
      onLost() {},
      ...listener,
    },
  );
}

/** A channel that has read, while so much was published. */
function started(size: number, count: number, isHistoryWanted = false) {
  const engine = new HistoryEngine(size + 1);
  const published = Array.from({ length: count }, () => engine.publish());
  const node = new Node(engine, size, isHistoryWanted);
  expect(node.settle()).toBe(1);
  return { engine, node, channel: node.channel, published };
}

describe("a channel and the time that messages are kept:", () => {
  const KNOWS_NOTHING = { epoch: "", offset: 0 };
  const move = fc.oneof(
    { weight: 3, arbitrary: fc.constant("publish" as const) },
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 12 }) },
    { weight: 2, arbitrary: fc.constantFrom("lose" as const, "read" as const, "fill" as const) },
  );

  /** A channel of an engine, both on a clock that a test sets. */
  function withClock(size: number, ttlMs: number) {
    const clock = { time: 1_000 };
    const now = () => clock.time;
    const engine = new MemoryEngine(now);
    const history = { size, ttlMs };
    let isPassing = true;
    let channel: Channel | undefined;
    const onMessage = (_: string, message: GGBusMessage) => isPassing && channel?.receive(message);
    engine.subscribe({ id: "a", onMessage, onMembers() {} }, "c");
    let count = 0;
    const publish = (isPassed = true) => {
      isPassing = isPassed;
      engine.publish("c", `${++count}`, `n.${count}`, { history });
      isPassing = true;
    };
    const begin = (limit: number) => {
      channel = new Channel(
        history,
        { onDelivered() {}, onDisplaced() {}, onRepeated() {}, onBegun() {}, onLost() {} },
        now,
      );
      channel.takeRead(channel.missing!, engine.read("c", channel.missing!, limit));
      return channel;
    };
    const read = () => {
      for (let after = channel!.missing; after; after = channel!.missing)
        channel!.takeRead(after, engine.read("c", after, size + 1));
    };
    const fill = () => {
      if (channel!.canBeFilled) channel!.fill(channel!.position!, engine.read("c", KNOWS_NOTHING, size));
    };
    const answers = () => {
      const { epoch, offset: top } = channel!.position!;
      // One that is ahead would end the epoch.
      return Array.from({ length: top + 1 }, (_, offset) => {
        const position = { epoch, offset };
        return { offset, own: channel!.since(position), bus: engine.read("c", position, size).missed };
      });
    };
    return { clock, publish, begin, read, fill, answers };
  }

  it("it gives what the bus gives, when it was there from the beginning", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(move, { maxLength: 40 }),
        (size, ttlMs, moves) => {
          const { clock, publish, begin, fill, answers } = withClock(size, ttlMs);
          begin(0);
          for (const taken of moves) {
            if (taken === "publish") publish();
            else if (typeof taken === "number") clock.time += taken;
            fill();
            for (const { offset, own, bus } of answers()) expect([offset, own]).toEqual([offset, bus]);
          }
        },
      ),
    );
  });

  it("it gives nothing of which nothing has come, and nothing was read, for as long", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 20 }),
        fc.nat({ max: 8 }),
        fc.boolean(),
        fc.array(move, { maxLength: 40 }),
        (size, ttlMs, before, isHistoryWanted, moves) => {
          const { clock, publish, begin, read, fill, answers } = withClock(size, ttlMs);
          for (let i = 0; i < before; i++) publish();
          const channel = begin(isHistoryWanted ? size + 1 : 0);
          let latestAt = clock.time;
          for (const taken of moves) {
            const top = channel.position!.offset;
            if (taken === "publish") publish();
            else if (taken === "lose") publish(false);
            else if (taken === "read") {
              channel.requireRead();
              read();
            } else if (taken === "fill") fill();
            else clock.time += taken;
            if (channel.position!.offset > top) latestAt = clock.time;
            if (channel.missing) read();
            if (channel.position!.offset > top) latestAt = clock.time;
            for (const { offset, own, bus } of answers()) {
              if (own && own.length > 0) expect(clock.time - latestAt).toBeLessThan(ttlMs);
              // What the bus gives is the same.
              if (own && bus) expect([offset, own]).toEqual([offset, bus.slice(0, own.length)]);
            }
          }
        },
      ),
    );
  });

  it("it asks the bus no more where nothing can be there", () => {
    const { clock, publish, begin } = withClock(5, 10);
    for (let i = 0; i < 3; i++) publish();
    const channel = begin(0);
    expect(channel.canBeFilled).toBe(true);
    clock.time += 10;
    expect(channel.canBeFilled).toBe(false);
  });
});

describe("a channel whose listener throws", () => {
  it("goes on with what follows, and has read what it was missing", () => {
    const seen: string[] = [];
    let faults = 0;
    const fault = (body: string) => {
      if (faults > 0 && faults-- > 0) throw new Error("a fault");
      seen.push(body);
    };
    const channel = channelOf(5, { onDelivered: ({ body }) => fault(body) });
    const engine = new HistoryEngine(5);
    const read = () => channel.takeRead(channel.missing!, engine.read(channel.missing!, 6));
    read();
    faults = 1;
    expect(() => channel.receive(engine.publish())).toThrow("a fault");
    channel.receive(engine.publish());
    expect([seen, channel.position?.offset]).toEqual([["2"], 2]);
    engine.publish();
    engine.publish();
    channel.requireRead();
    faults = 1;
    const asked = channel.missing!;
    expect(() => read()).toThrow("a fault");
    expect(channel.missing).toBe(asked);
    channel.receive(engine.publish());
    read();
    expect([seen, channel.missing, channel.position?.offset]).toEqual([["2", "4", "5"], undefined, 5]);
  });

  it("takes each message off the queue, so that one is not handled again", () => {
    const seen: string[] = [];
    const engine = new HistoryEngine(5);
    const channel: Channel = channelOf(5, {
      onDelivered({ body }) {
        seen.push(body);
        if (body !== "1") return;
        for (const more of [engine.publish(), engine.publish()]) channel.receive(more);
        throw new Error("a fault");
      },
    });
    channel.takeRead(channel.missing!, engine.read(channel.missing!, 6));
    expect(() => channel.receive(engine.publish())).toThrow("a fault");
    channel.receive(engine.publish());
    expect(seen).toEqual(["1", "2", "3", "4"]);
  });
});
