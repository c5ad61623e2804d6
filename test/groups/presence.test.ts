import { type GGValidator, IsObject, IsString } from "@grest-ts/schema";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { GGBusMembers, GGMembersChange } from "../../src/api/bus.js";
import type { GGPresenceChange, GGPresenceInfo } from "../../src/api/presence.js";
import type { Unsubscribe } from "../../src/api/unsubscribe.js";
import { runningDeadlines } from "../../src/connection/deadlines.js";
import { Presence } from "../../src/groups/presence.js";

const RUNS = Number(process.env.HOSTILE_RUNS ?? 1_000);
const CHANNEL = "ChatApi/room";

type Info = GGPresenceInfo & { readonly name?: string };

/** What all nodes of a test share. */
class Engine {
  version = 0;
  members = new Map<string, string>();
  readonly nodes: Node[] = [];
  /** The members after each step, the latest last; for the model only. */
  readonly moments: ReadonlyMap<string, string>[] = [new Map()];

  constructor(private readonly isRecorded = false) {}

  get now(): number {
    return this.moments.length - 1;
  }

  change(member: string, info: string | undefined): void {
    if (info === undefined) this.members.delete(member);
    else this.members.set(member, info);
    this.tick();
    this.version++;
    for (const node of this.nodes) node.receive({ version: this.version, member, info });
  }

  /** A node has died: nothing has a version, and the others hear only that something has changed. */
  forget(dead: Node): void {
    this.nodes.splice(this.nodes.indexOf(dead), 1);
    for (const member of [...this.members.keys()]) if (member.startsWith(`${dead.name}/`)) this.members.delete(member);
    this.tick();
    for (const node of this.nodes) node.receive(undefined);
  }

  /** It was lost and has all again, from its nodes: versions begin anew, and each node's members may have other names. */
  reset(version: number, isRenamed: boolean): void {
    const names = new Map(this.nodes.map((node) => [`${node.name}/`, node]));
    if (isRenamed) for (const node of this.nodes) node.incarnation++;
    const restored = [...this.members].map(([member, info]) => {
      const node = names.get(member.replace(/[^/]*$/, ""));
      return [node ? `${node.name}/${member.replace(/^.*\//, "")}` : member, info] as const;
    });
    this.members = new Map(restored);
    this.version = version;
    this.tick();
    for (const node of this.nodes) node.pending.length = 0;
  }

  private tick(): void {
    if (this.isRecorded) this.moments.push(new Map(this.members));
  }
}

/** A node's side of a bus. What it gets waits in `pending`, and its lists in `lists`, unless it is `isDirect`. */
class Node implements GGBusMembers {
  incarnation = 0;
  isDirect = true;
  readonly pending: (GGMembersChange | undefined)[] = [];
  readonly lists: { answer(isLate: boolean): void; fail(): void }[] = [];
  readonly warnings: string[] = [];
  readonly watched: boolean[] = [];
  listsAsked = 0;
  /** What has reached the presence, and may cost a list each. */
  arrivals = 0;
  failure: Error | undefined;
  readonly presence: Presence;

  constructor(
    readonly engine: Engine,
    readonly id: string,
    graceMs?: number,
  ) {
    engine.nodes.push(this);
    this.presence = new Presence(
      this,
      CHANNEL,
      {
        onWatched: (isWatched) => this.watched.push(isWatched),
        warn: (message) => this.warnings.push(message),
        run: (callback) => {
          try {
            callback();
          } catch {
            // A defect of the program.
          }
        },
      },
      graceMs,
    );
  }

  get name(): string {
    return `${this.id}.${this.incarnation}`;
  }

  receive(change: GGMembersChange | undefined): void {
    if (this.isDirect) this.deliver(change);
    else this.pending.push(change);
  }

  deliver(change: GGMembersChange | undefined): void {
    this.arrivals++;
    this.presence.onMembers(change);
  }

  set(_channel: string, member: string, info: string): void {
    this.engine.change(`${this.name}/${member}`, info);
  }

  remove(_channel: string, member: string): void {
    this.engine.change(`${this.name}/${member}`, undefined);
  }

  setCount(): void {}

  count(): Promise<number> {
    return Promise.resolve(0);
  }

  list(): ReturnType<GGBusMembers["list"]> {
    this.listsAsked++;
    const read = () => ({ version: this.engine.version, members: new Map(this.engine.members) });
    if (this.failure) return Promise.reject(this.failure);
    const asked = read();
    if (this.isDirect) return Promise.resolve(asked);
    return new Promise((resolve, reject) => {
      this.lists.push({
        answer: (isLate) => resolve(isLate ? read() : asked),
        fail: () => reject(new Error("the bus is down")),
      });
    });
  }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** Advances the clock by this many ms. */
const pass = (ms: number) => void vi.advanceTimersByTime(ms);

/** Lets everything run that does not wait for the clock or the test. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Two nodes of one engine. */
function twoNodes(): [Node, Node] {
  const engine = new Engine();
  return [new Node(engine, "A"), new Node(engine, "B")];
}

/** Writes down what a listener hears: `+ann`, `-bob`. */
async function heardBy(node: Node, validator?: typeof notBob): Promise<string[]> {
  const heard: string[] = [];
  node.presence.onPresence(({ joined, left }) => void heard.push(said(joined, left)), validator);
  await settle();
  return heard;
}

function said(joined: readonly GGPresenceInfo[], left: readonly GGPresenceInfo[]): string {
  return [...joined.map(({ id }) => `+${id}`), ...left.map(({ id }) => `-${id}`)].join(" ");
}

const idsOf = (infos: readonly GGPresenceInfo[]) => infos.map(({ id }) => id).sort();

/** A validator with nothing but what is used of one. */
const notBob = {
  safeParse: (value: unknown) =>
    (value as Partial<Info> | null)?.id === "bob"
      ? { success: false, issues: { length: 0, toJSON: () => [{ path: "id", code: "bob" }] } }
      : { success: true, value },
} as never as GGValidator<Info>;

describe("persons", () => {
  it("are one however many connections they have, on whatever node", async () => {
    const [a, b] = twoNodes();
    const heard = await heardBy(a);
    a.presence.join("1", { id: "ann" });
    b.presence.join("1", { id: "ann" });
    b.presence.join("2", { id: "bob" });
    expect(idsOf(await b.presence.present())).toEqual(["ann", "bob"]);
    a.presence.leave("1", false);
    b.presence.leave("2", false);
    b.presence.leave("1", false);
    expect(heard).toEqual(["+ann", "+bob", "-bob", "-ann"]);
    expect(await a.presence.present()).toEqual([]);
  });

  it("carry all that JSON can, and the latest information of a connection", async () => {
    const [a, b] = twoNodes();
    const changes: GGPresenceChange<Info>[] = [];
    b.presence.onPresence<Info>((change) => changes.push(change));
    await settle();
    a.presence.join("1", { id: "ann", name: "Ann" } as Info);
    a.presence.join("1", { id: "ann", name: "Änn \u0000\ud800" } as Info);
    expect(await b.presence.present()).toEqual([{ id: "ann", name: "Änn \u0000\ud800" }]);
    a.presence.leave("1", false);
    expect(changes).toEqual([
      { joined: [{ id: "ann", name: "Ann" }], left: [] },
      { joined: [], left: [{ id: "ann", name: "Änn \u0000\ud800" }] },
    ]);
  });

  it("leave and join in one call when a connection is another person's now", async () => {
    const [a] = twoNodes();
    a.presence.join("1", { id: "ann" });
    const heard = await heardBy(a);
    a.presence.join("1", { id: "bob" });
    expect(heard).toEqual(["+bob -ann"]);
  });

  it.each(["__proto__", "constructor", "toString", "", "a/b", "\u0000"])("may be called %j", async (id) => {
    const [a, b] = twoNodes();
    const heard = await heardBy(b);
    a.presence.join(id, { id });
    expect(await b.presence.present()).toEqual([{ id }]);
    a.presence.leave(id, false);
    expect(heard).toEqual([`+${id}`, `-${id}`]);
  });
});

describe("a connection that closes", () => {
  it("is there for 10 s more, so that a reload is neither a leave nor a join", async () => {
    const [a, b] = twoNodes();
    const heard = await heardBy(b);
    a.presence.join("1", { id: "ann" });
    a.presence.leave("1", true);
    pass(9_999);
    a.presence.join("2", { id: "ann" });
    pass(60_000);
    expect(heard).toEqual(["+ann"]);
    expect([...a.engine.members.keys()]).toEqual(["A.0/2"]);
    a.presence.leave("2", true);
    pass(9_999);
    expect(heard).toEqual(["+ann"]);
    pass(1);
    expect(heard).toEqual(["+ann", "-ann"]);
  });

  it("may come back on another node", async () => {
    const [a, b] = twoNodes();
    const heard = await heardBy(a);
    a.presence.join("1", { id: "ann" });
    a.presence.leave("1", true);
    b.presence.join("1", { id: "ann" });
    pass(10_000);
    expect(heard).toEqual(["+ann"]);
  });

  it("may come back under its own name, which costs the bus nothing", async () => {
    const [a] = twoNodes();
    a.presence.join("1", { id: "ann" });
    a.presence.leave("1", true);
    a.presence.leave("1", true);
    const { version } = a.engine;
    a.presence.join("1", { id: "ann" });
    pass(60_000);
    expect(a.engine.version).toBe(version);
    a.presence.leave("1", true);
    a.presence.join("1", { id: "ann", name: "Ann" } as Info);
    pass(60_000);
    expect(await a.presence.present()).toEqual([{ id: "ann", name: "Ann" }]);
  });

  it("is gone at once when it leaves, also when it has closed before", async () => {
    const [a] = twoNodes();
    a.presence.join("1", { id: "ann" });
    a.presence.leave("1", true);
    a.presence.leave("1", false);
    expect(a.engine.members.size).toBe(0);
    const { version } = a.engine;
    pass(60_000);
    a.presence.leave("1", false);
    a.presence.leave("none", true);
    pass(60_000);
    expect(a.engine.version).toBe(version);
  });

  it("does not wait when its node gives the channel up", async () => {
    const [a, b] = twoNodes();
    const heard = await heardBy(a);
    a.presence.join("1", { id: "ann" });
    a.presence.join("2", { id: "bob" });
    a.presence.leave("1", true);
    const before = [...heard];
    a.presence.dispose();
    expect(runningDeadlines()).toBe(0);
    expect(await b.presence.present()).toEqual([]);
    expect(heard).toEqual(before);
    expect(a.watched).toEqual([true, false]);
  });
});

describe("information that cannot be used", () => {
  const cycle: Record<string, unknown> = { id: "ann" };
  cycle.self = cycle;
  const deep = JSON.parse(`${'{"id":"a","in":'.repeat(1_000)}1${"}".repeat(1_000)}`);

  it.each<[string, unknown]>([
    ["a BigInt", { id: "ann", count: 1n }],
    ["a cycle", cycle],
    ["nothing", undefined],
    ["null", null],
    ["a text", "ann"],
    ["no id", { name: "Ann" }],
    ["a number as id", { id: 5 }],
    ["a toJSON that throws", { id: "ann", toJSON: () => raise() }],
    ["a toJSON without id", { id: "ann", toJSON: () => ({}) }],
    ["an id that throws", Object.defineProperty({}, "id", { get: raise, enumerable: true })],
    ["more than 16 KiB", { id: "ann", name: "x".repeat(16_384) }],
    ["more than 16 KiB of bytes", { id: "ann", name: "€".repeat(5_500) }],
  ])("makes its connection not present: %s", async (_, info) => {
    const [a] = twoNodes();
    a.presence.join("1", { id: "bob" });
    a.presence.leave("1", true);
    a.presence.join("1", info as Info);
    a.presence.join("2", info as Info);
    expect(a.engine.members.size).toBe(0);
    expect(a.warnings).toHaveLength(1);
    a.presence.leave("2", true);
    pass(60_000);
  });

  it.each<[string, unknown]>([
    ["just 16 KiB", { id: "ann", name: "x".repeat(16_384 - '{"id":"ann","name":""}'.length) }],
    ["just 16 KiB of bytes", { id: "ann", name: "€".repeat(5_454) }],
    ["a date", { id: "ann", since: new Date(0) }],
    ["depth", deep],
  ])("is not %s", async (_, info) => {
    const [a] = twoNodes();
    a.presence.join("1", info as Info);
    expect(await a.presence.present()).toEqual([JSON.parse(JSON.stringify(info))]);
    expect(a.warnings).toEqual([]);
  });

  it.each(["", "{", "null", "5", '"ann"', "[]", '{"id":5}', '{"ID":"ann"}', '{"id":"ann"} ,'])(
    "leaves out a member of another node, with one warning: %j",
    async (text) => {
      const [a] = twoNodes();
      a.engine.members.set("other/1", text);
      a.engine.members.set("other/2", '{"id":"bob"}');
      const heard = await heardBy(a);
      a.engine.change("other/3", text);
      a.engine.change("other/2", text);
      expect(await a.presence.present()).toEqual([]);
      expect(heard).toEqual(["-bob"]);
      expect(a.warnings).toHaveLength(1);
    },
  );

  it("is what the validator does not accept, for those who gave it", async () => {
    const [a, b] = twoNodes();
    const [all, some] = [await heardBy(a), await heardBy(a, notBob)];
    b.presence.join("1", { id: "bob" });
    b.presence.join("2", { id: "ann" });
    expect(await a.presence.present(notBob)).toEqual([{ id: "ann" }]);
    expect(idsOf(await a.presence.present())).toEqual(["ann", "bob"]);
    b.presence.join("2", { id: "bob" });
    expect(all).toEqual(["+bob", "+ann", "-ann"]);
    expect(some).toEqual(["+ann", "-ann"]);
    expect(a.warnings).toHaveLength(1);
  });

  it("is what a schema makes of it", async () => {
    const [a] = twoNodes();
    a.presence.join("1", { id: "ann", extra: 1 } as Info);
    expect(await a.presence.present(IsObject({ id: IsString }))).toEqual([{ id: "ann" }]);
  });

  it.each([
    ["throws", () => raise()],
    ["returns a promise that rejects", () => Promise.reject(new Error("late"))],
    ["returns nothing", () => undefined],
    ["drops the id", () => ({ success: true, value: {} })],
  ])("is all, where the validator %s", async (_, safeParse) => {
    const [a] = twoNodes();
    a.presence.join("1", { id: "ann" });
    const heard = await heardBy(a, { safeParse } as never);
    a.presence.join("2", { id: "bob" });
    expect(await a.presence.present({ safeParse } as never)).toEqual([]);
    expect(heard).toEqual([]);
    expect(a.warnings).toHaveLength(1);
  });
});

describe("listeners", () => {
  it("hear nothing of those who are there already", async () => {
    const [a, b] = twoNodes();
    b.presence.join("1", { id: "ann" });
    const first = await heardBy(a);
    b.presence.join("2", { id: "bob" });
    const second = await heardBy(a);
    b.presence.leave("1", false);
    expect(first).toEqual(["+bob", "-ann"]);
    expect(second).toEqual(["-ann"]);
  });

  it("hear of what is joined in the same tick", async () => {
    const [a] = twoNodes();
    const heard: string[] = [];
    a.presence.onPresence(({ joined, left }) => void heard.push(said(joined, left)));
    a.presence.join("1", { id: "ann" });
    await settle();
    expect(heard).toEqual(["+ann"]);
  });

  it("need changes only while there are any, and are called no more once taken back", async () => {
    const [a] = twoNodes();
    const heard: string[] = [];
    const listen = () => a.presence.onPresence(({ joined }) => void heard.push(idsOf(joined).join()));
    const [stop, stopOther] = [listen(), listen()];
    await settle();
    stop();
    stop();
    a.presence.join("1", { id: "ann" });
    expect(heard).toEqual(["ann"]);
    expect(a.watched).toEqual([true]);
    stopOther();
    stop();
    expect(a.watched).toEqual([true, false]);
    const { listsAsked } = a;
    a.presence.join("2", { id: "bob" });
    await a.presence.sync();
    expect(a.listsAsked).toBe(listsAsked);
    listen();
    await settle();
    a.presence.join("3", { id: "eve" });
    expect(heard).toEqual(["ann", "eve"]);
    expect(a.watched).toEqual([true, false, true]);
  });

  it("see changes in their order, also those that one of them causes", async () => {
    const [a] = twoNodes();
    const heard: string[] = [];
    let stopThird = () => {};
    a.presence.onPresence(({ joined, left }) => {
      heard.push(`1 ${said(joined, left)}`);
      if (joined[0]?.id !== "ann") return;
      a.presence.join("2", { id: "bob" });
      a.presence.onPresence(({ joined }) => heard.push(`late ${idsOf(joined).join()}`));
      stopThird();
      raise();
    });
    a.presence.onPresence(({ joined, left }) => void heard.push(`2 ${said(joined, left)}`));
    stopThird = a.presence.onPresence(() => heard.push("3"));
    await settle();
    a.presence.join("1", { id: "ann" });
    expect(heard).toEqual(["1 +ann", "2 +ann", "1 +bob", "2 +bob"]);
    a.presence.join("3", { id: "eve" });
    expect(heard.slice(4)).toEqual(["1 +eve", "2 +eve", "late eve"]);
  });

  it("do not hear of what a watch that ended has asked for", async () => {
    const [a] = twoNodes();
    a.engine.change("other/1", '{"id":"ann"}');
    a.isDirect = false;
    const stop = a.presence.onPresence(() => {});
    stop();
    a.engine.change("other/1", undefined);
    const heard = await heardBy(a);
    a.lists[0]?.answer(false);
    await settle();
    a.lists[1]?.answer(false);
    await settle();
    expect(a.listsAsked).toBe(2);
    a.engine.change("other/1", '{"id":"ann"}');
    a.deliver(a.pending.at(-1));
    expect(heard).toEqual(["+ann"]);
  });

  it("may ask for a list while they hear of what was held", async () => {
    const [a, b] = twoNodes();
    const heard: string[] = [];
    a.presence.onPresence(({ joined, left }) => {
      heard.push(said(joined, left));
      // A change is lost just before.
      if (joined[0]?.id === "ann") b.presence.join("2", { id: "bob" });
      void a.presence.sync();
    });
    await settle();
    a.isDirect = false;
    void a.presence.sync();
    b.presence.join("1", { id: "ann" });
    a.deliver(a.pending[0]);
    for (let i = 0; i < 3; i++) {
      a.lists.shift()?.answer(false);
      await settle();
    }
    expect(heard).toEqual(["+ann", "+bob"]);
  });
});

describe("changes that are missing, double or late", () => {
  it("are read once, and reported in one call", async () => {
    const [a, b] = twoNodes();
    b.presence.join("0", { id: "ann" });
    const heard = await heardBy(a);
    a.isDirect = false;
    b.presence.join("1", { id: "bob" });
    b.presence.leave("0", false);
    b.presence.join("2", { id: "eve" });
    const [, , last] = a.pending;
    a.deliver(last);
    a.deliver(last);
    a.deliver(undefined);
    a.lists[0]?.answer(false);
    await settle();
    a.lists[1]?.answer(false);
    await settle();
    expect(heard).toEqual(["+bob +eve -ann"]);
    expect(a.listsAsked).toBe(3);
  });

  it("cost no list when they say what is known", async () => {
    const [a, b] = twoNodes();
    const heard = await heardBy(a);
    a.isDirect = false;
    b.presence.join("1", { id: "ann" });
    b.presence.join("2", { id: "bob" });
    const [ann, bob] = a.pending;
    for (const change of [ann, ann, bob, ann, bob]) a.deliver(change);
    expect(heard).toEqual(["+ann", "+bob"]);
    expect(a.listsAsked).toBe(1);
  });

  it("are held while a list is on its way", async () => {
    const [a, b] = twoNodes();
    const heard = await heardBy(a);
    a.isDirect = false;
    void a.presence.sync();
    for (const id of ["ann", "bob", "eve"]) b.presence.join(id, { id });
    for (const change of a.pending.splice(0).reverse()) a.deliver(change);
    expect(heard).toEqual([]);
    a.lists[0]?.answer(false);
    await settle();
    expect(heard).toEqual(["+ann", "+bob", "+eve"]);
    expect(a.listsAsked).toBe(2);
  });

  it("cost one list when they come after a list that has them", async () => {
    const [a, b] = twoNodes();
    const heard = await heardBy(a);
    a.isDirect = false;
    void a.presence.sync();
    b.presence.join("1", { id: "ann" });
    b.presence.leave("1", false);
    for (const change of a.pending.splice(0)) a.deliver(change);
    a.lists[0]?.answer(true);
    await settle();
    expect(a.listsAsked).toBe(2);
    expect(heard).toEqual([]);
  });

  it("are found when versions begin anew", async () => {
    const [a, b] = twoNodes();
    b.presence.join("1", { id: "ann" });
    b.presence.join("2", { id: "bob" });
    const heard = await heardBy(a);
    a.engine.version = 0;
    a.engine.members.clear();
    a.engine.change("B.1/1", '{"id":"ann"}');
    await settle();
    expect(heard).toEqual(["-bob"]);
  });

  it("are read at once when they arrive while a list fails", async () => {
    const [a, b] = twoNodes();
    const heard = await heardBy(a);
    a.isDirect = false;
    void a.presence.sync();
    b.presence.join("1", { id: "ann" });
    a.deliver(a.pending[0]);
    a.lists.shift()?.fail();
    await settle();
    a.lists.shift()?.answer(false);
    await settle();
    expect(heard).toEqual(["+ann"]);
  });

  it("are not held without end", async () => {
    const [a, b] = twoNodes();
    const heard = await heardBy(a);
    a.isDirect = false;
    void a.presence.sync();
    for (let i = 0; i < 1_000; i++) b.presence.join(`${i}`, { id: `${i}` });
    for (const change of a.pending.splice(0)) a.deliver(change);
    a.lists[0]?.answer(false);
    await settle();
    expect(a.listsAsked).toBe(3);
    a.lists[1]?.answer(false);
    await settle();
    expect(heard.join(" ").split(" ")).toHaveLength(1_000);
    expect(a.listsAsked).toBe(3);
  });

  it("are read by a sync that comes while an earlier list fails", async () => {
    const [a, b] = twoNodes();
    const heard = await heardBy(a);
    a.isDirect = false;
    void a.presence.sync();
    b.presence.join("1", { id: "ann" });
    const synced = a.presence.sync();
    a.lists[0]?.fail();
    await settle();
    a.lists[1]?.answer(false);
    await synced;
    expect(heard).toEqual(["+ann"]);
  });
});

describe("a bus that is down", () => {
  it("is asked again with the next sync or change, and nobody is said to have left meanwhile", async () => {
    const [a, b] = twoNodes();
    b.presence.join("1", { id: "ann" });
    a.failure = new Error("down");
    const heard = await heardBy(a);
    await expect(a.presence.present()).rejects.toBe(a.failure);
    await a.presence.sync();
    expect(a.warnings).toHaveLength(1);
    a.failure = undefined;
    await a.presence.sync();
    expect(heard).toEqual([]);
    a.failure = new Error("down");
    a.presence.onMembers();
    await settle();
    b.presence.leave("1", false);
    b.presence.join("2", { id: "bob" });
    await settle();
    expect(heard).toEqual([]);
    expect(a.warnings).toHaveLength(2);
    a.failure = undefined;
    b.presence.join("3", { id: "bob" });
    await settle();
    expect(heard).toEqual(["+bob -ann"]);
    const { listsAsked } = a;
    b.presence.leave("2", false);
    b.presence.leave("3", false);
    expect(heard).toEqual(["+bob -ann", "-bob"]);
    expect(a.listsAsked).toBe(listsAsked);
  });

  it("is not asked over and over", async () => {
    const [a] = twoNodes();
    a.failure = new Error("down");
    await heardBy(a);
    await settle();
    expect(a.listsAsked).toBe(1);
  });

  it("rejects what asks who is present, also when it throws", async () => {
    const [a] = twoNodes();
    a.list = () => raise();
    await expect(a.presence.present()).rejects.toThrow("a defect");
    expect(await heardBy(a)).toEqual([]);
    expect(a.warnings).toHaveLength(1);
  });
});

it("asks the bus for one list at a time, however many ask who is present, and each sees what was set before", async () => {
  const [a] = twoNodes();
  a.isDirect = false;
  const early = a.presence.present();
  a.presence.join("1", { id: "ann" });
  const late = Array.from({ length: 100 }, () => a.presence.present());
  a.lists[0]?.answer(false);
  expect(await early).toEqual([]);
  await settle();
  a.lists[1]?.answer(false);
  for (const present of await Promise.all(late)) expect(present).toEqual([{ id: "ann" }]);
  expect(a.listsAsked).toBe(2);
});

it("counts a person with very many connections in a time that grows with them only", async () => {
  const [a, b] = twoNodes();
  const heard = await heardBy(a);
  for (let i = 0; i < 20_000; i++) b.presence.join(`${i}`, { id: "bot" });
  await a.presence.sync();
  for (let i = 0; i < 20_000; i++) b.presence.leave(`${i}`, false);
  expect(heard).toEqual(["+bot", "-bot"]);
}, 15_000);

it("says who is there, over any bus that loses, doubles and swaps changes, fails, forgets nodes and begins anew", async () => {
  await fc.assert(
    fc.asyncProperty(anySteps, fc.boolean(), async (steps, isSynced) => {
      const model = new Model();
      await model.run(steps, isSynced);
      model.check();
    }),
    { numRuns: RUNS, seed: process.env.HOSTILE_SEED ? Number(process.env.HOSTILE_SEED) : undefined },
  );
});

type Step =
  | { do: "join"; node: number; member: string; info: number }
  | { do: "leave"; node: number; member: string; isReturning: boolean }
  | { do: "foreign"; member: string; text: string | undefined }
  | { do: "pass"; ms: number }
  | { do: "deliver"; node: number; at: number; isDouble: boolean }
  | { do: "drop"; node: number; at: number }
  | { do: "answer"; node: number; isLate: boolean }
  | { do: "fail" | "sync" | "kill"; node: number }
  | { do: "reset"; version: number; isRenamed: boolean }
  | { do: "listen"; node: number; isStrict: boolean }
  | { do: "unlisten"; node: number; at: number };

const INFOS: readonly unknown[] = [
  { id: "ann" },
  { id: "ann", name: "Ann" },
  { id: "bob" },
  { id: "__proto__" },
  { id: 5 },
  undefined,
];
const IDS = ["ann", "bob", "__proto__", "last"];

const anyNode = fc.nat(2);
const anyAt = fc.nat(5);
const anyMember = fc.constantFrom("1", "2", "3");
const anyText = fc.constantFrom('{"id":"ann"}', '{"id":"bob"}', "{", '{"id":[]}', undefined);
const step = <T extends Step["do"]>(name: T, rest: object) =>
  fc.record({ do: fc.constant(name), ...rest }) as unknown as fc.Arbitrary<Step>;
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: step("join", { node: anyNode, member: anyMember, info: fc.nat(INFOS.length - 1) }) },
  { weight: 4, arbitrary: step("leave", { node: anyNode, member: anyMember, isReturning: fc.boolean() }) },
  { weight: 2, arbitrary: step("foreign", { member: anyMember, text: anyText }) },
  { weight: 2, arbitrary: step("pass", { ms: fc.constantFrom(1, 5_000, 10_000) }) },
  { weight: 12, arbitrary: step("deliver", { node: anyNode, at: fc.constant(0), isDouble: fc.boolean() }) },
  { weight: 3, arbitrary: step("deliver", { node: anyNode, at: anyAt, isDouble: fc.boolean() }) },
  { weight: 2, arbitrary: step("drop", { node: anyNode, at: anyAt }) },
  { weight: 8, arbitrary: step("answer", { node: anyNode, isLate: fc.boolean() }) },
  { weight: 2, arbitrary: step("fail", { node: anyNode }) },
  { weight: 2, arbitrary: step("sync", { node: anyNode }) },
  { weight: 1, arbitrary: step("kill", { node: anyNode }) },
  { weight: 1, arbitrary: step("reset", { version: fc.nat(10), isRenamed: fc.boolean() }) },
  { weight: 3, arbitrary: step("listen", { node: anyNode, isStrict: fc.boolean() }) },
  { weight: 1, arbitrary: step("unlisten", { node: anyNode, at: anyAt }) },
);

const anySteps = fc.array(anyStep, { minLength: 5, maxLength: 60, size: "max" });

/** What the model knows of one listener. */
interface Heard {
  readonly events: { readonly isJoin: boolean; readonly id: string; readonly moment: number }[];
  readonly isStrict: boolean;
  /** When its node began to watch. */
  readonly since: number;
  /** When it was known at the latest who is there already; `undefined` until then. */
  baselineBy: number | undefined;
  /** One that listened on the same node before it, and how much that had heard. */
  readonly elder: { readonly heard: Heard; readonly count: number } | undefined;
  readonly stop: Unsubscribe;
}

/** A node with what the model expects of it. */
class ModelNode extends Node {
  readonly listening: Heard[] = [];
  /** Its members by what was joined; each with when it goes, if it has closed. */
  readonly expected = new Map<string, { readonly text: string; goesAt: number }>();
  watchedSince = 0;
  listsOfEarlierWatches = 0;
  /** How many lists may have been asked for, apart from those for what has arrived. */
  causes = 0;
  /** It was not said that a node has died, which no later change shows. */
  missesDeath = false;
}

/** Runs a sequence, and returns all listeners and the state after it. */
class Model {
  readonly engine = new Engine(true);
  readonly nodes: ModelNode[] = [];
  readonly all: Heard[] = [];
  #clock = 0;
  #count = 0;

  constructor() {
    for (let i = 0; i < 3; i++) this.nodes.push(this.#newNode());
  }

  /** @param isSynced whether the bus says in the end that changes may be missing; otherwise one more change arrives */
  async run(steps: readonly Step[], isSynced: boolean): Promise<void> {
    for (const step of steps) {
      this.#take(step);
      await settle();
    }
    this.#pass(10_000);
    for (const node of this.nodes) {
      for (const list of node.lists.splice(0)) list.fail();
      node.isDirect = true;
      if (isSynced) node.missesDeath = true;
      else for (const change of node.pending.splice(0)) node.deliver(change);
    }
    await settle();
    if (!isSynced) this.engine.change("last/1", '{"id":"last"}');
    await settle();
    await Promise.all(this.nodes.map((node) => node.missesDeath && this.#sync(node)));
  }

  #sync(node: ModelNode): Promise<void> {
    node.causes++;
    return node.presence.sync();
  }

  check(): void {
    for (const heard of this.all) this.#checkEvents(heard);
    for (const node of this.nodes) {
      for (const heard of node.listening) this.#checkEnd(heard, node.listening);
      expect(node.listsAsked).toBeLessThanOrEqual(node.causes + node.arrivals);
      const own = [...this.engine.members].filter(([member]) => member.startsWith(`${node.name}/`));
      expect(new Map(own)).toEqual(new Map([...node.expected].map(([key, { text }]) => [`${node.name}/${key}`, text])));
    }
  }

  #take(step: Step): void {
    const node = this.nodes["node" in step ? step.node : 0];
    if (!node) return;
    switch (step.do) {
      case "join": {
        const info = INFOS[step.info];
        if (typeof (info as Info | undefined)?.id === "string") {
          node.expected.set(step.member, { text: JSON.stringify(info), goesAt: Number.POSITIVE_INFINITY });
        } else node.expected.delete(step.member);
        return node.presence.join(step.member, info as Info);
      }
      case "leave": {
        const known = node.expected.get(step.member);
        if (!step.isReturning) node.expected.delete(step.member);
        else if (known) known.goesAt = Math.min(known.goesAt, this.#clock + 10_000);
        return node.presence.leave(step.member, step.isReturning);
      }
      case "foreign":
        return this.engine.change(`foreign/${step.member}`, step.text);
      case "pass":
        return this.#pass(step.ms);
      case "deliver":
        if (step.at >= node.pending.length) return;
        return node.deliver(step.isDouble ? node.pending[step.at] : node.pending.splice(step.at, 1)[0]);
      case "drop":
        if (node.pending.splice(step.at, 1).includes(undefined)) node.missesDeath = true;
        return;
      case "answer":
        if (node.lists.length > 0 && --node.listsOfEarlierWatches < 0) {
          for (const heard of node.listening) heard.baselineBy ??= this.engine.now;
        }
        return node.lists.shift()?.answer(step.isLate);
      case "fail":
        node.listsOfEarlierWatches--;
        return node.lists.shift()?.fail();
      case "sync":
        return void this.#sync(node);
      case "kill":
        this.engine.forget(node);
        // What it does from now on reaches no engine.
        node.set = node.remove = () => {};
        node.presence.dispose();
        this.nodes[step.node] = this.#newNode();
        return;
      case "reset":
        this.engine.reset(step.version, step.isRenamed);
        // The bus says so: versions may go on as if nothing had happened.
        for (const each of this.nodes) {
          for (const list of each.lists.splice(0)) list.fail();
          void this.#sync(each);
        }
        return;
      case "listen":
        return this.#listen(node, step.isStrict);
      case "unlisten":
        node.listening.splice(step.at, 1)[0]?.stop();
    }
  }

  #newNode(): ModelNode {
    const node = new ModelNode(this.engine, `N${this.#count++}`);
    node.isDirect = false;
    return node;
  }

  #pass(ms: number): void {
    this.#clock += ms;
    for (const { expected } of this.nodes) {
      for (const [member, { goesAt }] of expected) if (goesAt <= this.#clock) expected.delete(member);
    }
    pass(ms);
  }

  #listen(node: ModelNode, isStrict: boolean): void {
    if (node.listening.length === 0) {
      node.watchedSince = this.engine.now;
      node.listsOfEarlierWatches = node.lists.length;
      node.causes++;
    }
    const events: Heard["events"] = [];
    const elder = node.listening.find((other) => other.isStrict === isStrict);
    const stop = node.presence.onPresence(
      ({ joined, left }) => {
        expect(joined.length + left.length).toBeGreaterThan(0);
        const moment = this.engine.now;
        for (const { id } of joined) events.push({ isJoin: true, id, moment });
        for (const { id } of left) events.push({ isJoin: false, id, moment });
      },
      isStrict ? notBob : undefined,
    );
    const heard: Heard = {
      events,
      isStrict,
      since: node.watchedSince,
      baselineBy: node.listening[0]?.baselineBy === undefined ? undefined : this.engine.now,
      elder: elder && { heard: elder, count: elder.events.length },
      stop,
    };
    node.listening.push(heard);
    this.all.push(heard);
  }

  /** Whether a person was there at a moment. */
  #isThere({ isStrict }: Heard, id: string, moment = this.engine.now): boolean {
    if (isStrict && id === "bob") return false;
    return [...(this.engine.moments[moment]?.values() ?? [])].some((text) => {
      try {
        return JSON.parse(text).id === id;
      } catch {
        return false;
      }
    });
  }

  /** Each that has joined or left was there, or not there, at some time since the event before; nothing comes twice. */
  #checkEvents(heard: Heard): void {
    for (const id of IDS) {
      const events = heard.events.filter((event) => event.id === id);
      let moment = heard.since;
      let isThere = !events[0]?.isJoin;
      const baselineBy = heard.baselineBy ?? this.engine.now;
      if (events[0]) moment = this.#momentWhen(heard, id, isThere, moment, Math.min(baselineBy, events[0].moment));
      for (const event of events) {
        expect(event.isJoin, `${id} alternates`).toBe(!isThere);
        isThere = event.isJoin;
        moment = this.#momentWhen(heard, id, isThere, moment, event.moment);
      }
    }
    if (!heard.elder) return;
    const same = heard.elder.heard.events.slice(heard.elder.count);
    const length = Math.min(same.length, heard.events.length);
    expect(heard.events.slice(0, length)).toEqual(same.slice(0, length));
  }

  #momentWhen(heard: Heard, id: string, isThere: boolean, from: number, until: number): number {
    for (let moment = from; moment <= until; moment++) {
      if (this.#isThere(heard, id, moment) === isThere) return moment;
    }
    return expect.fail(`${id} was ${isThere ? "never" : "always"} there`);
  }

  /** In the end, all that is still listening knows who is there. */
  #checkEnd(heard: Heard, listening: readonly Heard[]): void {
    for (const id of IDS) {
      const last = heard.events.filter((event) => event.id === id).at(-1);
      const isThere = this.#isThere(heard, id);
      if (last) expect(last.isJoin, id).toBe(isThere);
      // It was as it is when the listener began, or it would have heard of it.
      else this.#momentWhen(heard, id, isThere, heard.since, heard.baselineBy ?? this.engine.now);
    }
    const { elder } = heard;
    if (elder && listening.includes(elder.heard))
      expect(heard.events.length).toBe(elder.heard.events.length - elder.count);
  }
}

function raise(): never {
  throw new Error("a defect");
}
