import { type GGHistory, GGSocketGroup } from "@grest-ts/websocket";
import fc from "fast-check";
import { expect, it, onTestFinished, vi } from "vitest";
import { localBusOn } from "../../src/groups/localBus.js";
import { MemoryEngine } from "../../src/groups/memoryEngine.js";
import { watchTheProcess } from "../hostile/watch.js";
import { cuttable } from "../support/cuttableBus.js";
import { ExtApi, type ExtOutgoing } from "../support/extApi.js";
import { serveNode } from "../support/groupSuite.js";
import type { RawPeer } from "../support/rawPeer.js";
import { connectResuming, groupFrame } from "../support/resumingPeer.js";

watchTheProcess();

const CHANNEL = "Ext/room";
const HISTORY: GGHistory = { size: 8, ttlMs: 60_000 };
const NODES = 2;
const CLIENTS = 3;

interface Place {
  readonly epoch: string;
  offset: number;
}

/** What was sent, by its place: its text, and the client that does not get it. */
type Sent = Map<string, { readonly text: string; readonly except: string }>;

/** One client, which holds its servers to section 10.5 of PROTOCOL.md. */
class Client {
  readonly session: string;
  serial = 0;
  /** Where it is, for the next connection. */
  place: Place | undefined;
  readonly members: Member[] = [];

  constructor(number: number) {
    this.session = `client_000${number}`;
  }
}

/** A connection of a client. */
class Member {
  place: Place | undefined;
  isMember = false;
  /** How it began each time. */
  readonly outcomes: (boolean | undefined)[] = [];
  readonly faults: string[] = [];
  #alias: string | undefined;
  #presented: Place | undefined;

  constructor(
    readonly client: Client,
    readonly peer: RawPeer,
    readonly outgoing: ExtOutgoing,
    presented: Place | undefined,
    sent: Sent,
  ) {
    this.#presented = presented;
    peer.ws.on("message", (data) => this.#take(String(data), sent));
  }

  #take(frame: string, sent: Sent): void {
    const expected = (condition: boolean, what: string) => condition || this.faults.push(`${what}: ${frame}`);
    const message = /^m:Ext\.news:(?:([^.:]+)\.(\d+))?:\{"text":"(.*)"\}$/.exec(frame);
    if (message) {
      const [, alias, offset, text = ""] = message;
      // What came before the first answer has no place.
      if (!alias)
        return void expected(this.#alias === undefined || text.startsWith("plain"), "a message without a place");
      expected(alias === this.#alias, "an unknown alias");
      return this.#advance(
        Number(offset),
        (there) => there?.text === text && there.except !== this.client.session,
        expected,
        sent,
      );
    }
    const { alias, to } = groupFrame(frame);
    if (to === undefined) {
      this.#alias = this.place = undefined;
      this.client.place = undefined;
    } else if (typeof to === "number") {
      expected(alias === this.#alias, "an advance of an unknown alias");
      this.#advance(to, (there) => there?.except === this.client.session, expected, sent);
    } else {
      const { epoch, offset, group, recovered, missed } = to;
      if (group) {
        expected((recovered === undefined) === (this.#presented === undefined), "an outcome without a position");
        if (recovered) {
          expected(epoch === this.#presented?.epoch && offset === this.#presented.offset, "another position");
          expected(Number.isInteger(missed), "a number that is missed");
        } else expected(missed === undefined, "missed without recovered");
        this.#presented = undefined;
        this.outcomes.push(recovered);
      } else expected(alias === this.#alias && recovered === false && missed === undefined, "no loss");
      this.#alias = alias;
      this.place = { epoch, offset };
      this.client.place = { epoch, offset };
    }
  }

  #advance(
    offset: number,
    fits: (there: { text: string; except: string } | undefined) => boolean,
    expected: (condition: boolean, what: string) => unknown,
    sent: Sent,
  ): void {
    const { place } = this;
    if (!place) return void expected(false, "a place before g");
    expected(offset === place.offset + 1, `not after ${place.offset}`);
    expected(fits(sent.get(`${place.epoch}.${offset}`)), "another message");
    place.offset = offset;
    const own = this.client.place;
    if (own?.epoch === place.epoch) own.offset = Math.max(own.offset, offset);
  }
}

type Step =
  | { readonly do: "connect" | "add" | "remove" | "close"; readonly client: number; readonly node: number }
  | { readonly do: "publish"; readonly node: number; readonly except: number; readonly count: number }
  | { readonly do: "cut" | "heal" | "drop" | "settle"; readonly node: number }
  | { readonly do: "lose" };

const client = fc.nat(CLIENTS - 1);
const node = fc.nat(NODES - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("connect" as const), client, node }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("add" as const, "remove" as const, "close" as const), client, node }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      node,
      except: fc.nat(2 * CLIENTS),
      count: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("cut" as const, "heal" as const, "drop" as const), node }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("settle" as const), node }) },
  { weight: 1, arbitrary: fc.constant({ do: "lose" as const }) },
);

const RUNS = Number(process.env.HOSTILE_RUNS ?? 60);
const SEED = Number(process.env.HOSTILE_SEED ?? 20_261_124);

it("keeps each member to the order of the group, from its position on, whatever happens", {
  timeout: 1_000 * RUNS + 20_000,
}, async () => {
  // Buses that are cut off say so.
  vi.spyOn(console, "warn").mockReturnValue();
  vi.spyOn(console, "error").mockReturnValue();
  onTestFinished(() => void vi.restoreAllMocks());
  const counts = { recovered: 0, lost: 0, first: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 50 }), async (steps) => {
      const engine = new MemoryEngine();
      const witness = localBusOn(engine, "witness");
      const sent: Sent = new Map();
      witness.subscribe(CHANNEL, {
        onMessage({ body, position }) {
          const [, except = "", text = ""] = /^~?(.*?);m:Ext\.news::\{"text":"(.*)"\}$/.exec(body) ?? [];
          if (position) sent.set(`${position.epoch}.${position.offset}`, { text, except });
        },
        onInterrupted: async () => {},
        onMembers() {},
      });
      const buses = Array.from({ length: NODES }, () => cuttable(localBusOn(engine, "node")));
      const nodes = await Promise.all(buses.map((bus) => serveNode(bus, { keys: () => [], heartbeat: false })));
      const rooms = buses.map((bus) => new GGSocketGroup(ExtApi, { name: "room", bus, history: HISTORY }));
      const clients = Array.from({ length: CLIENTS }, (_, i) => new Client(i));
      const all: Member[] = [];
      const homes = new Map<Member, number>();
      let texts = 0;
      const add = (member: Member) => {
        member.isMember = true;
        void rooms[homes.get(member) as number]?.add(member.outgoing);
      };
      const acts: { readonly [Do in Step["do"]]: (step: Extract<Step, { do: Do }>) => unknown } = {
        async connect({ client, node }) {
          const owner = clients[client] as Client;
          const place = owner.place && { ...owner.place };
          const at = place ? [["room", place.epoch, place.offset] as const] : [];
          const peer = await connectResuming(nodes[node]?.url as string, {
            session: owner.session,
            serial: ++owner.serial,
            at,
          });
          const member = new Member(owner, peer, (await nodes[node]?.outgoings.next()) as ExtOutgoing, place, sent);
          all.push(member);
          owner.members.push(member);
          homes.set(member, node);
          add(member);
        },
        add({ client }) {
          const member = clients[client]?.members.at(-1);
          if (member && !member.isMember) add(member);
        },
        remove({ client }) {
          const member = clients[client]?.members.at(-1);
          if (!member?.isMember) return;
          member.isMember = false;
          rooms[homes.get(member) as number]?.remove(member.outgoing);
        },
        async close({ client }) {
          // The earliest: a later one may be there already, as when a server drains.
          const member = clients[client]?.members.shift();
          if (!member) return;
          member.isMember = false;
          member.peer.ws.terminate();
          await member.peer.closed;
        },
        publish({ node, except, count }) {
          const left = [...(clients[except]?.members ?? [])]
            .reverse()
            .find((member) => homes.get(member) === node && member.isMember);
          for (let i = 0; i < count; i++)
            void rooms[node]?.news({ text: `${++texts}` }, { except: left?.outgoing }).asResult();
        },
        cut: ({ node }) => buses[node]?.cut(),
        heal: ({ node }) => buses[node]?.heal(),
        drop({ node }) {
          const bus = buses[node] as (typeof buses)[number];
          let left = 2;
          bus.loses = () => --left >= 0;
        },
        async settle() {
          await Promise.all(all.filter(({ peer }) => peer.ws.readyState === 1).map(({ peer }) => peer.roundTrip()));
        },
        lose() {
          const { top } = engine.read(CHANNEL, { epoch: "", offset: 0 }, 0);
          engine.read(CHANNEL, { epoch: top.epoch, offset: Number.MAX_SAFE_INTEGER }, 0);
        },
      };
      for (const one of steps) await (acts[one.do] as (step: Step) => unknown)(one);
      for (const bus of buses) {
        bus.loses = () => false;
        await bus.heal();
      }
      await rooms[0]?.news({ text: "the last" });
      const { top } = engine.read(CHANNEL, { epoch: "", offset: 0 }, 0);
      for (const member of all) expect(member.faults).toEqual([]);
      await vi.waitFor(
        () => {
          for (const member of all) if (member.isMember) expect(member.place).toEqual(top);
        },
        { timeout: 10_000, interval: 5 },
      );
      for (const { faults, outcomes, peer } of all) {
        expect(faults).toEqual([]);
        for (const outcome of outcomes) counts[outcome === undefined ? "first" : outcome ? "recovered" : "lost"]++;
        peer.ws.terminate();
      }
      for (const { http } of nodes) await http.teardown();
      for (const bus of buses) await bus.close();
    }),
    { numRuns: RUNS, seed: SEED, endOnFailure: true },
  );
  // It is not trivially true.
  expect(counts.recovered).toBeGreaterThan(RUNS / 2);
  expect(counts.lost).toBeGreaterThan(0);
  expect(counts.first).toBeGreaterThan(0);
});
