import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { GGBusMessage, GGBusRead, GGPosition } from "../../src/api/bus.js";
import { runningDeadlines } from "../../src/connection/deadlines.js";
import { type GroupMember, GroupNode, type MemberEvent, type PendingRead } from "../support/groupNode.js";
import { HistoryEngine } from "../support/historyEngine.js";

const RUNS = Number(process.env.HOSTILE_RUNS ?? 300);
const SEED = process.env.HOSTILE_SEED ? Number(process.env.HOSTILE_SEED) : undefined;

/** How many epochs a channel knows to have ended. */
const REMEMBERED_EPOCHS = 8;

// A step takes 1 ms: what is read before a member comes is known to be older.
beforeEach(
  () =>
    void vi.useFakeTimers({
      toFake: ["setTimeout", "clearTimeout", "setImmediate", "clearImmediate", "performance"],
    }),
);
afterEach(() => void vi.useRealTimers());

const pass = (ms = 1) => vi.advanceTimersByTimeAsync(ms);

/** A node behind a bus that does with messages what it is told to. */
class Node extends GroupNode {
  /** Whether it has a message that it can compare with what an engine has at its position. */
  hasEvidence = false;
  /** Where it was when it lost what followed. */
  readonly ended: string[] = [];
  /** What was displaced when it began: nothing says who was there. */
  readonly displacedAtBegin = new Set<string>();
  readonly #delayed: GGBusMessage[] = [];
  readonly #answers = new Map<PendingRead, GGBusRead>();
  readonly #engine: HistoryEngine;
  #epoch: string | undefined;

  constructor(engine: HistoryEngine, size: number) {
    super(size);
    this.#engine = engine;
    void this.order.interrupted();
  }

  pass(message: GGBusMessage, fate: Fate): void {
    if (this.isBusDown) return;
    if (fate === "delayed" || fate === "now and later") this.#delayed.push(message);
    if (fate === "doubled") this.order.receive(message);
    if (fate !== "dropped" && fate !== "delayed") this.order.receive(message);
  }

  /** One of the delayed messages arrives. */
  arrive(which: number): boolean {
    const [message] = this.#delayed.splice(which % (this.#delayed.length || 1), 1);
    if (message) this.order.receive(message);
    return message !== undefined;
  }

  /** A step of a read: the engine answers, or the answer arrives. */
  stepRead(which = 0): boolean {
    const read = this.reads[which % (this.reads.length || 1)];
    if (!read) return false;
    const answer = this.#answers.get(read);
    if (answer) read.answer(answer);
    else this.#answers.set(read, this.#engine.read(read.after, read.limit));
    return true;
  }

  interrupt(): void {
    this.#delayed.length = 0;
    void this.order.interrupted();
  }

  check(): void {
    void this.order.check();
  }

  cut(): void {
    this.isBusDown = true;
    for (const read of [...this.reads]) read.fail();
  }

  connect(): void {
    this.isBusDown = false;
    this.interrupt();
  }

  protected override onPlaced(message: GGBusMessage, hadAfter: number): void {
    this.hasEvidence = true;
    this.#epoch = message.position!.epoch;
    super.onPlaced(message, hadAfter);
  }

  protected override onDisplaced(message: GGBusMessage): void {
    if (!this.order.position) this.displacedAtBegin.add(message.body);
    super.onDisplaced(message);
  }

  protected override onLost(position: GGPosition): void {
    this.hasEvidence = false;
    if (this.#epoch && this.#epoch !== position.epoch && this.ended.push(this.#epoch) > REMEMBERED_EPOCHS)
      this.ended.shift();
    this.#epoch = position.epoch;
    super.onLost(position);
  }
}

/** A client that comes and goes, and what it must be given. */
class Member implements GroupMember {
  position: GGPosition | undefined;
  node: Node | undefined;
  isOverdue = false;
  /** What it was first given that it must not be. */
  wrong: unknown;
  readonly outcomes: (boolean | undefined)[] = [];
  readonly #engine: HistoryEngine;
  readonly #size: number;
  /** What it has got. */
  readonly #had = new Set<string>();
  /** The message at its position; `undefined` where it began. */
  #latest: string | undefined;
  /** Whether the engine went back, and no node can notice what it has seen. */
  #isUnknown = false;
  /** How much was published when it began, or was last told of a loss; and the time before that. */
  #toldAt = 0;
  #toldBefore = 0;
  #rollbacksAtJoin = 0;
  #lossesAtStart = 0;
  /** Since the latest loss, on this connection: what has come, and where that began. */
  #sinceLoss: { body: string; isPlaced: boolean; offset: number | undefined }[] = [];
  #start = 0;
  /** What came last before that. */
  #recent: readonly string[] = [];

  constructor(engine: HistoryEngine, size: number) {
    this.#engine = engine;
    this.#size = size;
  }

  join(node: Node): void {
    this.leave();
    this.isOverdue = false;
    this.#rollbacksAtJoin = this.#engine.rollbacks;
    this.node = node;
    this.#recent = [];
    node.add(this);
  }

  leave(): void {
    this.node?.remove(this);
    this.node = undefined;
  }

  engineWentBack(nodes: readonly Node[]): void {
    const { epoch, offset } = this.position ?? {};
    if (epoch !== this.#engine.epoch) return;
    const notice = ({ order: { position }, hasEvidence, ended }: Node) =>
      ended.includes(epoch) || (position?.epoch === epoch && hasEvidence && position.offset >= offset!);
    if (!this.#latest || !nodes.some(notice)) this.#isUnknown = true;
    // Until a node that can notice has read, another one takes it for the same.
    else if (this.node && (!notice(this.node) || this.node.isWaiting(this))) this.leave();
  }

  take(event: MemberEvent, node: Node): void {
    try {
      this.#take(event, node);
    } catch (error) {
      // What is thrown here may be caught on its way.
      this.wrong ??= error;
    }
  }

  #take(event: MemberEvent, node: Node): void {
    expect(node).toBe(this.node);
    if (event.kind === "joined") this.#onJoined(event.position, event.recovered);
    else if (event.kind === "lost") this.#onLost(event.position);
    else if (event.kind === "displaced") this.#onDisplaced(event.message);
    else this.#onPlaced(event.message, event.kind === "skipped");
  }

  #onJoined(position: GGPosition, recovered: boolean | undefined): void {
    this.outcomes.push(recovered);
    expect(recovered === undefined).toBe(this.position === undefined);
    if (recovered) expect(position).toEqual(this.position);
    else if (recovered === false)
      expect(this.#canBeRecovered, `whether it goes on after ${this.position!.offset}`).toBe(false);
    if (!recovered) this.#begin(position);
    this.#start = position.offset;
    this.#sinceLoss = [];
    this.#toldAt = this.#toldBefore = this.#engine.publications;
    this.#lossesAtStart = this.node!.losses;
  }

  #onLost(position: GGPosition): void {
    this.#recent = this.#lately;
    this.#sinceLoss = [];
    this.#start = position.offset;
    this.#toldBefore = this.#toldAt;
    this.#toldAt = this.#engine.publications;
    this.#begin(position);
  }

  #begin(position: GGPosition): void {
    this.position = position;
    this.#latest = undefined;
    this.#isUnknown = false;
  }

  #onDisplaced({ body, position }: GGBusMessage): void {
    expect(position).toBeUndefined();
    expect(this.#lately, "what it had lately").not.toContain(body);
    this.#had.add(body);
    this.#sinceLoss.push({ body, isPlaced: false, offset: this.position?.offset });
  }

  #onPlaced(message: GGBusMessage, isSkipped: boolean): void {
    const { body, position } = message;
    expect(position).toEqual({ ...this.position, offset: this.position!.offset + 1 });
    const befores = this.#engine.before(message).map((before) => before?.body);
    expect(befores, `before ${body}`).not.toEqual([]);
    if (this.#latest && !this.#isUnknown) expect(befores).toContain(this.#latest);
    this.#isUnknown = false;
    this.#latest = body;
    this.position = position!;
    if (!isSkipped) return this.#onGot(body, position!.offset);
    // It has it; or others had it before the latest loss, and it knows that it does not.
    const isKnown = this.node!.losses > this.#lossesAtStart && Number(body) <= this.#toldBefore;
    const mayBeSkipped = this.#had.has(body) || isKnown || this.node!.displacedAtBegin.has(body);
    expect(mayBeSkipped, `whether ${body} may be left out`).toBe(true);
  }

  #onGot(body: string, offset: number): void {
    expect(this.#sinceLoss.filter(({ isPlaced }) => isPlaced).map((had) => had.body)).not.toContain(body);
    const isLate = offset - this.#start > this.#size;
    if (!isLate) expect(this.#recent, "what it had lately").not.toContain(body);
    this.#had.add(body);
    this.#sinceLoss.push({ body, isPlaced: true, offset });
  }

  /** What came last on this connection, and what came before the latest loss while that is little. */
  get #lately(): readonly string[] {
    const { offset } = this.position ?? { offset: 0 };
    const latest = this.#sinceLoss.filter((had) =>
      had.isPlaced ? had.offset! > offset - this.#size : had.offset === this.position?.offset,
    );
    return [...(offset - this.#start < this.#size ? this.#recent : []), ...latest.map(({ body }) => body)];
  }

  /** Whether the engine has all that it has missed, and its node can find that out. */
  get #canBeRecovered(): boolean {
    const { epoch, offset } = this.position!;
    const { top, trimmed } = this.#engine;
    const { ended, order } = this.node!;
    if (this.isOverdue || this.#rollbacksAtJoin < this.#engine.rollbacks) return false;
    if (ended.includes(epoch) || order.position?.epoch !== epoch) return false;
    return epoch === top.epoch && offset >= trimmed && offset <= top.offset && top.offset - offset <= this.#size;
  }
}

type Fate = "now" | "dropped" | "doubled" | "delayed" | "now and later";

const MEMBERS = 4;
const nodeIndex = fc.nat({ max: 1 });
const memberIndex = fc.nat({ max: MEMBERS - 1 });
const fate = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>("now") },
  { weight: 4, arbitrary: fc.constantFrom<Fate>("dropped", "doubled", "delayed", "now and later") },
);
const fates = fc.tuple(fate, fate);
const kind = <K extends string>(...kinds: K[]) => fc.constantFrom(...kinds);
const step = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({ kind: kind("publish"), fates, by: fc.option(nodeIndex, { nil: undefined, freq: 3 }) }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ kind: kind("read"), node: nodeIndex, steps: fc.nat({ max: 6 }), which: fc.nat({ max: 3 }) }),
  },
  { weight: 12, arbitrary: fc.record({ kind: kind("join"), member: memberIndex, node: nodeIndex }) },
  { weight: 4, arbitrary: fc.record({ kind: kind("leave"), member: memberIndex }) },
  { weight: 1, arbitrary: fc.record({ kind: kind("overdue"), member: memberIndex }) },
  { weight: 4, arbitrary: fc.record({ kind: kind("arrive"), node: nodeIndex, which: fc.nat() }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: kind("interrupt", "fail", "restart", "cut", "connect", "check"), node: nodeIndex }),
  },
  { weight: 2, arbitrary: fc.record({ kind: kind("wait"), ms: fc.constantFrom(10, 1_100) }) },
  { weight: 2, arbitrary: fc.record({ kind: kind("retry"), fates, which: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: kind("save", "loseAll", "expire") }) },
  { weight: 1, arbitrary: fc.record({ kind: kind("rollBack"), since: fc.array(fates, { maxLength: 4 }) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class World {
  readonly engine: HistoryEngine;
  readonly nodes: [Node, Node];
  readonly members: readonly Member[];
  readonly #size: number;
  readonly #byNodes: { message: GGBusMessage; by: number; known: GGPosition | undefined }[] = [];

  constructor(size: number, more: number) {
    this.#size = size;
    this.engine = new HistoryEngine(size + more);
    this.nodes = [this.#newNode(), this.#newNode()];
    this.members = Array.from({ length: MEMBERS }, () => new Member(this.engine, size));
  }

  async take(taken: Step): Promise<void> {
    const { engine, nodes, members } = this;
    switch (taken.kind) {
      case "publish": {
        const known = taken.by === undefined ? undefined : nodes[taken.by]!.order.position;
        const message = engine.publish(known);
        if (taken.by !== undefined) this.#byNodes.push({ message, by: taken.by, known });
        return this.#passTo(message, taken.fates);
      }
      case "retry": {
        const former = this.#byNodes.at(-taken.which);
        if (!former) return;
        // Its answer was lost with the connection: what its node has missed comes first.
        nodes[former.by]!.connect();
        await this.settle();
        const message = engine.retry(former.message, former.known);
        if (message) this.#passTo(message, taken.fates);
        return;
      }
      case "read":
        for (let i = 0; i < taken.steps; i++) {
          nodes[taken.node]!.stepRead(taken.which);
          await pass();
        }
        return;
      case "join":
        return members[taken.member]!.join(nodes[taken.node]!);
      case "leave":
        return members[taken.member]!.leave();
      case "overdue": {
        const member = members[taken.member]!;
        member.isOverdue = true;
        member.node?.setOverdue(member);
        return;
      }
      case "arrive":
        return void nodes[taken.node]!.arrive(taken.which);
      case "fail":
        return nodes[taken.node]!.reads[0]?.fail();
      case "restart":
        for (const member of members) if (member.node === nodes[taken.node]) member.leave();
        nodes[taken.node]!.order.end();
        nodes[taken.node] = this.#newNode();
        return;
      case "interrupt":
      case "cut":
      case "connect":
      case "check":
        return nodes[taken.node]![taken.kind]();
      case "wait":
        return void (await pass(taken.ms));
      case "rollBack":
        if (!engine.rollBack()) return;
        for (const member of members) member.engineWentBack(nodes);
        // It has lost its connections.
        for (const node of nodes) node.connect();
        for (const each of taken.since) this.#passTo(engine.publish(), each);
        await this.settle();
        // One may have noticed after the other has read.
        for (const node of nodes) node.interrupt();
        return this.settle();
      default:
        return engine[taken.kind]();
    }
  }

  /** Everything arrives, and all is read that is missing. */
  async settle(): Promise<void> {
    for (let rounds = 0; this.nodes.some((node) => node.stepRead() || node.arrive(0)); rounds++) {
      expect(rounds).toBeLessThan(1_000);
      await pass();
    }
  }

  /** Every member is there, and nothing is wrong any more. */
  async end(): Promise<void> {
    for (const node of this.nodes) node.connect();
    for (const [i, member] of this.members.entries()) if (!member.node) member.join(this.nodes[i % 2]!);
    for (let round = 0; round < 4; round++) {
      for (const node of this.nodes) node.interrupt();
      await this.settle();
      // Checks and retries are due.
      await pass(31_000);
      await this.settle();
    }
    const { top } = this.engine;
    expect(this.nodes.map(({ order, waiting }) => [order.position, order.isMissingSome, waiting])).toEqual(
      this.nodes.map(() => [top, false, 0]),
    );
    expect(this.members.map(({ position }) => position)).toEqual(this.members.map(() => top));
    for (const { order } of this.nodes) order.end();
  }

  expectRight(): void {
    for (const { wrong } of this.members) if (wrong) throw wrong;
  }

  #passTo(message: GGBusMessage, [first, second]: readonly [Fate, Fate]): void {
    this.nodes[0].pass(message, first);
    this.nodes[1].pass(message, second);
  }

  #newNode(): Node {
    return new Node(this.engine, this.#size);
  }
}

describe("members that come and go", () => {
  it(
    "get all that follows their position, in order and once, or are told, whatever bus, engine and nodes do",
    async () => {
      const outcomes = { true: 0, false: 0, undefined: 0 };
      const deadlines = runningDeadlines();
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 6 }),
          fc.integer({ min: 0, max: 2 }),
          fc.array(step, { maxLength: 80, size: "max" }),
          async (size, more, steps) => {
            const world = new World(size, more);
            for (const taken of steps) {
              await world.take(taken);
              await pass();
              world.expectRight();
            }
            await world.end();
            world.expectRight();
            expect(runningDeadlines()).toBe(deadlines);
            for (const outcome of world.members.flatMap((member) => member.outcomes)) outcomes[`${outcome}`]++;
          },
        ),
        { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: SEED }) },
      );
      // It is not true because all are lost.
      expect(outcomes.true).toBeGreaterThan(RUNS);
      expect(outcomes.false).toBeGreaterThan(RUNS / 2);
    },
    20_000 + 20 * RUNS,
  );
});
