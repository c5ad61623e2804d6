import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { GGBusMessage, GGBusRead, GGPosition } from "../../src/api/bus.js";
import { Channel } from "../../src/groups/channel.js";
import { MAX_HELD_CHARACTERS, MAX_HELD_MESSAGES } from "../../src/groups/heldMessages.js";

const RUNS = Number(process.env.HOSTILE_RUNS ?? 1_000);
const SEED = process.env.HOSTILE_SEED ? Number(process.env.HOSTILE_SEED) : undefined;

/** A message with the one that the engine had before it. */
interface Published extends GGBusMessage {
  readonly before: Published | undefined;
}

/** An engine with a history that may be lost, expire, and go back in time. */
class Engine {
  /** More than the size says, as engines do. */
  readonly #kept: number;
  epoch = "";
  #messages: Published[] = [];
  /** The offset before the first one that is kept. */
  #trimmed = 0;
  #saved: { epoch: string; messages: Published[]; trimmed: number } | undefined;
  #epochs = 0;
  #publications = 0;
  /** How often it went back. */
  rollbacks = 0;
  readonly byBody = new Map<string, Published>();

  constructor(kept: number) {
    this.#kept = kept;
  }

  get top(): GGPosition {
    return { epoch: this.epoch, offset: this.#messages.length };
  }

  get latest(): Published | undefined {
    return this.#messages.at(-1);
  }

  publish(known?: GGPosition, length = 0): GGBusMessage {
    if (this.epoch === "" || this.#isAhead(known)) this.#begin();
    const before = this.latest;
    const id = ++this.#publications;
    const position = { epoch: this.epoch, offset: this.#messages.length + 1 };
    const message = { body: `${id}`.padEnd(length), from: `node.${id}`, position, before };
    this.byBody.set(message.body, message);
    this.#messages.push(message);
    this.#trimmed = Math.max(this.#trimmed, this.#messages.length - this.#kept);
    return { body: message.body, from: message.from, position };
  }

  publishUnkept(): GGBusMessage {
    const id = ++this.#publications;
    return { body: `${id}`, from: `node.${id}` };
  }

  read(after: GGPosition, limit: number): GGBusRead {
    if (this.#isAhead(after)) this.#begin();
    const { top } = this;
    const isWhole = after.epoch === top.epoch && after.offset >= this.#trimmed && top.offset - after.offset <= limit;
    if (!isWhole) return { top };
    return {
      top,
      missed: this.#messages.slice(after.offset).map(({ body, from, position }) => ({ body, from, position })),
    };
  }

  loseAll(): void {
    this.epoch = "";
    this.#messages = [];
    this.#trimmed = 0;
  }

  expire(): void {
    this.#trimmed = this.#messages.length;
  }

  save(): void {
    this.#saved = { epoch: this.epoch, messages: [...this.#messages], trimmed: this.#trimmed };
  }

  rollBack(): boolean {
    if (!this.#saved) return false;
    this.epoch = this.#saved.epoch;
    this.#messages = [...this.#saved.messages];
    this.#trimmed = this.#saved.trimmed;
    this.rollbacks++;
    return true;
  }

  #isAhead(position: GGPosition | undefined): boolean {
    return this.epoch !== "" && position?.epoch === this.epoch && position.offset > this.#messages.length;
  }

  #begin(): void {
    this.loseAll();
    this.epoch = `E${++this.#epochs}`;
  }
}

/** A channel behind a bus that does with messages what it is told to, and what the channel has made of it. */
class Node {
  readonly channel: Channel;
  readonly delivered: GGBusMessage[] = [];
  readonly lost: GGPosition[] = [];
  reads = 0;
  /** What the engine was like when it last answered. */
  provenAt = 0;
  readonly #engine: Engine;
  readonly #limit: number;
  readonly #delayed: GGBusMessage[] = [];
  #read: { after: GGPosition; answer?: GGBusRead; rollbacks: number } | undefined;
  /** The latest message since the beginning or the latest loss. */
  #latest: GGBusMessage | undefined;
  #from: GGPosition | undefined;
  readonly #seen = new Set<string>();

  constructor(engine: Engine, size: number) {
    this.#engine = engine;
    this.#limit = size + 1;
    this.channel = new Channel(size, {
      onDelivered: (message) => this.#onDelivered(message),
      onLost: (position) => {
        this.lost.push(position);
        this.#latest = undefined;
        this.#from = position;
      },
    });
  }

  /** What `fate` says. */
  pass(message: GGBusMessage, fate: Fate): void {
    if (fate === "delayed" || fate === "now and later") this.#delayed.push(message);
    if (fate === "doubled") this.channel.receive(message);
    if (fate !== "dropped" && fate !== "delayed") this.channel.receive(message);
  }

  /** One of the delayed messages arrives. */
  arrive(which: number): void {
    const [message] = this.#delayed.splice(which % (this.#delayed.length || 1), 1);
    if (message) this.channel.receive(message);
  }

  /** A step of a read: it is asked, the engine answers, the answer arrives. */
  stepRead(): void {
    const read = this.#read;
    if (!read) {
      const { missing } = this.channel;
      if (missing) this.#read = { after: missing, rollbacks: 0 };
    } else if (!read.answer) {
      read.rollbacks = this.#engine.rollbacks;
      read.answer = this.#engine.read(read.after, this.#limit);
    } else {
      this.#read = undefined;
      this.reads++;
      this.channel.takeRead(read.after, read.answer);
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

  /** Everything arrives, and all is read that is missing. Returns how many reads that took. */
  settle(): number {
    while (this.#delayed.length > 0) this.arrive(0);
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
    if (this.#latest) expect(this.#latest.body).toBe(this.#engine.latest?.body);
  }

  #onDelivered(message: GGBusMessage): void {
    expect(this.#seen.has(message.body), `${message.body} is delivered twice`).toBe(false);
    this.#seen.add(message.body);
    this.delivered.push(message);
    if (!message.position) return;
    const published = this.#engine.byBody.get(message.body)!;
    expect(message).toEqual({ body: published.body, from: published.from, position: published.position });
    if (this.#latest) expect(published.before?.body, "what was delivered before").toBe(this.#latest.body);
    else if (this.#from?.epoch === "") expect(message.position.offset).toBe(1);
    else if (this.#from) expect(message.position).toEqual({ ...this.#from, offset: this.#from.offset + 1 });
    this.#latest = message;
    expect(this.channel.position).toEqual(message.position);
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
      kind: fc.constantFrom("save" as const, "rollBack" as const, "loseAll" as const, "expire" as const),
    }),
  },
);

function run(
  engine: Engine,
  nodes: readonly [Node, Node],
  steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[],
) {
  for (const taken of steps) {
    switch (taken.kind) {
      case "publish": {
        const known = taken.by === undefined ? undefined : nodes[taken.by]!.channel.position;
        const message = engine.publish(known);
        for (const [i, node] of nodes.entries()) node.pass(message, taken.fates[i]!);
        break;
      }
      case "unkept": {
        const message = engine.publishUnkept();
        for (const [i, node] of nodes.entries()) node.pass(message, taken.fates[i] === "dropped" ? "dropped" : "now");
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
        // An engine that comes back has lost its connections.
        if (engine.rollBack()) for (const node of nodes) node.channel.requireRead();
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
        fc.array(step, { maxLength: 60 }),
        (size, more, steps) => {
          const engine = new Engine(size + more);
          const nodes = [new Node(engine, size), new Node(engine, size)] as const;
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
});
