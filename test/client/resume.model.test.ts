import { type GGGroupEvent, resumeGroups } from "@grest-ts/websocket";
import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { watchTheProcess } from "../hostile/watch.js";
import { Gate } from "../support/gate.js";
import { ProbeApi } from "../support/probe.js";
import { GroupHistory, type ScriptedConnection, ScriptedGroupServer } from "../support/scriptedGroups.js";
import { recordingLogger } from "../support/server.js";

watchTheProcess();

const RUNS = Number(process.env.RESUME_RUNS ?? 150);
const SEED = Number(process.env.RESUME_SEED ?? 20261128);

/** What happens, and how often: most is about two connections at once. */
const STEPS = {
  publish: 6,
  "publish for others": 2,
  "catch up": 6,
  "begin epoch": 3,
  trim: 1,
  lose: 2,
  "go back": 1,
  leave: 2,
  join: 3,
  cut: 2,
  "cut all": 1,
  drain: 5,
  call: 4,
  answer: 2,
  "hold set-ups": 4,
  "release set-ups": 4,
  force: 1,
  close: 1,
  handlers: 2,
};
type Step = keyof typeof STEPS;
const step = fc.oneof(
  ...Object.entries(STEPS).map(([name, weight]) => ({ weight, arbitrary: fc.constant(name as Step) })),
);

/** A step, and two numbers that choose the group, the connection, and who lags. */
const steps = fc.array(fc.tuple(step, fc.nat({ max: 7 }), fc.nat({ max: 7 })), { minLength: 10, maxLength: 50 });

type LogItem = { readonly text: string } | { readonly event: GGGroupEvent } | { readonly left: string };

/** The client, its program's log, and the server's ends of its connections. */
class Model {
  readonly groups = [new GroupHistory("a"), new GroupHistory("b")];
  readonly log: LogItem[] = [];
  readonly #client;
  readonly #server: ScriptedGroupServer;
  #connections: ScriptedConnection[] = [];
  /** Set-ups wait while there is one. */
  #gate: Gate | undefined;
  /** The connection whose set-up waits. */
  #candidate: ScriptedConnection | undefined;
  readonly #drained = new Set<ScriptedConnection>();
  #hasHandlers = false;

  constructor(server: ScriptedGroupServer) {
    this.#server = server;
    this.#client = ProbeApi.createClient({
      url: server.url,
      logger: recordingLogger(),
      reconnect: { initial: true, initialDelayMs: 1, maxDelayMs: 1 },
      resume: resumeGroups({ onGroup: (event) => void this.log.push({ event }) }),
    });
    this.#client.onConnect(() => this.#gate?.passed);
  }

  /** Connects, with handlers or without. */
  async begin(isEarly: boolean): Promise<void> {
    if (isEarly) this.#handle();
    void this.#client.connect().catch(() => {});
    await this.#accept(0);
  }

  get recoveries(): readonly (boolean | undefined)[] {
    return this.log.flatMap((item) => ("event" in item ? [item.event.recovered] : []));
  }

  async do(step: Step, one: number, two: number): Promise<void> {
    const group = this.groups[one % 2] as GroupHistory;
    const open = this.#connections.filter(({ isOpen }) => isOpen);
    const connection = open[two % open.length] as ScriptedConnection;
    const newest = open.at(-1) as ScriptedConnection;
    if (step === "publish" || step === "publish for others") {
      for (let i = 0; i <= one % 3; i++) group.publish(step === "publish");
      for (const [i, it] of open.entries()) if (!(two & (1 << i))) it.catchUp(group);
    } else if (step === "catch up") connection.catchUp(group);
    else if (step === "begin epoch") group.beginEpoch();
    else if (step === "trim") group.trim();
    else if (step === "lose") connection.lose(group);
    else if (step === "leave") this.#leave(connection, group);
    else if (step === "join") this.#join(connection, group, two % 3);
    else if (step === "cut") await this.#cut(connection, two);
    else if (step === "cut all") await this.#cutAll(two);
    else if (step === "go back" && this.#takesAll) await this.#cutAll(0, () => group.goBack());
    else if (step === "drain") await this.#drain(newest, two);
    else if (step === "call") void this.#client.outgoing.echo({ text: "x" }).asResult();
    else if (step === "answer") connection.answer();
    else if (step === "hold set-ups") this.#gate ??= new Gate();
    else if (step === "release set-ups") await this.#release();
    else if (step === "force") {
      void this.#client.forceReconnect().catch(() => {});
      if (!this.#candidate) await this.#accept(two);
    } else if (step === "close") await this.#reopen(two);
    else if (step === "handlers") this.#handle();
    await this.#settle();
  }

  /** Lets everything arrive, and returns what the client presents then. */
  async finish(): Promise<ScriptedConnection> {
    this.#handle();
    await this.#release();
    await this.#settle();
    const newest = this.#connections.filter(({ isOpen }) => isOpen).at(-1) as ScriptedConnection;
    for (const group of this.groups) {
      for (let i = 0; i < 3; i++) group.publish(i !== 1);
      this.#join(newest, group, 0);
      newest.catchUp(group);
    }
    await this.#settle();
    this.#client.close();
    void this.#client.connect().catch(() => {});
    const last = await this.#server.connections.next();
    this.#check(last);
    return last;
  }

  end(): void {
    this.#client.close();
    for (const connection of this.#connections) connection.cut();
  }

  /** Takes the connection that the client makes now. */
  async #accept(how: number): Promise<void> {
    const connection = await this.#server.connections.next();
    this.#check(connection);
    this.#connections.push(connection);
    this.#candidate = this.#gate && connection;
    // Some programs join later.
    for (const [i, group] of this.groups.entries()) if (!(how & (1 << i))) this.#join(connection, group, how >> 1);
    await connection.settle();
    if (!this.#gate) await this.#becomeCurrent();
  }

  /** Each node has its own: what is one group's at one is the other's at another. */
  #join(connection: ScriptedConnection, group: GroupHistory, behind: number): void {
    const alias = `${(this.#connections.indexOf(connection) + this.groups.indexOf(group)) % 2}`;
    connection.join(group, alias, behind);
  }

  /** Waits until the set-up is over: the earlier connection has been closed, unless a call is pending. */
  async #becomeCurrent(): Promise<void> {
    this.#candidate = undefined;
    await vi.waitFor(() => expect(this.#client.state).toBe("connected"), { interval: 1 });
    await this.#settle();
  }

  /** Whether the program gets at once what arrives: servers that go back are told apart only before they go on. */
  get #takesAll(): boolean {
    return this.#hasHandlers && !this.#gate;
  }

  async #cutAll(how: number, meanwhile = () => {}): Promise<void> {
    for (const connection of this.#connections) connection.cut();
    this.#candidate = undefined;
    meanwhile();
    await this.#accept(how);
  }

  async #release(): Promise<void> {
    this.#gate?.open();
    this.#gate = undefined;
    const candidate = this.#candidate;
    if (!candidate) return;
    await this.#becomeCurrent();
    if (this.#drained.has(candidate)) await this.#accept(0);
  }

  /** The client replaces the connection, once it is set up. */
  async #drain(connection: ScriptedConnection, how: number): Promise<void> {
    if (this.#drained.has(connection)) return;
    this.#drained.add(connection);
    connection.drain();
    if (connection !== this.#candidate) await this.#accept(how);
  }

  async #cut(connection: ScriptedConnection, how: number): Promise<void> {
    connection.cut();
    const isOver = !this.#connections.some(({ isOpen }) => isOpen);
    const wasCandidate = connection === this.#candidate;
    if (wasCandidate) this.#candidate = undefined;
    if (isOver || wasCandidate || (!this.#candidate && connection === this.#connections.at(-1)))
      await this.#accept(how);
  }

  async #reopen(how: number): Promise<void> {
    this.#client.close();
    this.#candidate = undefined;
    void this.#client.connect().catch(() => {});
    await this.#accept(how);
  }

  #leave(connection: ScriptedConnection, group: GroupHistory): void {
    if (!connection.has(group)) return;
    connection.leave(group);
    this.log.push({ left: group.name });
  }

  #handle(): void {
    if (this.#hasHandlers) return;
    this.#hasHandlers = true;
    this.#client.incoming.on({ news: (message) => void this.log.push(message) });
  }

  async #settle(): Promise<void> {
    for (const connection of this.#connections) await connection.settle();
  }

  /** What the program has seen of each group, and what the client presents, which counts as seen. */
  #check({ presented }: ScriptedConnection): void {
    for (const group of this.groups) {
      const position = presented.find(([name]) => name === group.name);
      checkGroup(group, this.log, position && { epoch: position[1], offset: position[2] });
    }
  }
}

/** Where a program is in an epoch: the entry that it has seen last, and how often it had been told of losses by then. */
interface Seen {
  readonly index: number;
  readonly told: number;
}

/** Within an epoch, every message comes once and in order, unless the program was told before that some may be missing. */
function checkGroup(
  { name, entries }: GroupHistory,
  log: readonly LogItem[],
  position: { epoch: string; offset: number } | undefined,
): void {
  const seen = new Map<string, Seen>();
  let latest: Seen = { index: -1, told: 0 };
  let told = 0;
  // The group may be new as often as the client has left it, and once more.
  let firstJoins = 1 + log.filter((item) => "left" in item && item.left === name).length;
  /** Returns the entry of this epoch that was seen last. */
  const goTo = (epoch: string, index: number) => {
    const from = seen.get(epoch) ?? { index: -1, told: latest.told };
    const missed = entries.filter(
      (it, i) => it.epoch === epoch && it.text && !it.isGone && i > from.index && i < index,
    );
    if (told === from.told) expect(missed, "missed, and not told").toEqual([]);
    return from.index;
  };
  for (const item of log) {
    if ("text" in item) {
      const index = entries.findIndex(({ text }) => text === item.text);
      const entry = entries[index];
      if (!entry) continue;
      expect(index, "twice, or not in order").toBeGreaterThan(goTo(entry.epoch, index));
      // Each epoch begins with a loss, or a first join. What an earlier connection brings of one before may come late.
      if (!seen.has(entry.epoch)) expect(told, "another epoch, and not told").toBeGreaterThan(seen.size);
      latest = { index, told };
      seen.set(entry.epoch, latest);
    } else if ("event" in item && item.event.group === name) {
      const { recovered } = item.event;
      if (recovered === undefined) {
        expect(firstJoins--, "first joins").toBeGreaterThan(0);
        seen.clear();
      }
      if (recovered !== true) told++;
    }
  }
  if (!position) return;
  const index = entries.reduce(
    (last, { epoch, offset }, i) => (epoch === position.epoch && offset === position.offset ? i : last),
    -1,
  );
  expect(index, "a position that there is not").toBeGreaterThanOrEqual(0);
  expect(index, "a position behind what was handled").toBeGreaterThanOrEqual(goTo(position.epoch, index + 1));
}

it("brings every message of a group once and in order, or tells that some may be missing", {
  timeout: 120_000,
}, async () => {
  const outcomes = new Map<boolean | undefined, number>();
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (run, isEarly) => {
      const server = await ScriptedGroupServer.start();
      const model = new Model(server);
      try {
        await model.begin(isEarly);
        for (const [step, one, two] of run) await model.do(step, one, two);
        const { presented } = await model.finish();
        // An earlier connection may have brought it back to an epoch that is over: it is told when it reconnects.
        for (const { name, top } of model.groups) {
          const [, epoch, offset] = presented.find(([group]) => group === name) ?? [];
          expect([name, offset]).toEqual([name, epoch === top.epoch ? top.offset : expect.any(Number)]);
        }
        for (const recovered of model.recoveries) outcomes.set(recovered, (outcomes.get(recovered) ?? 0) + 1);
      } finally {
        model.end();
        server.stop();
      }
    }),
    { numRuns: RUNS, seed: SEED },
  );
  // What it says is worth something: most recoveries succeed.
  expect(outcomes.get(true)).toBeGreaterThan(outcomes.get(false) ?? 0);
});
