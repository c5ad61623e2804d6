import { randomUUID } from "node:crypto";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { GGBus, GGBusError, GGBusListener, GGBusMessage, GGMembersChange, GGPosition } from "../../src/api/bus.js";
import { Queue } from "./queue.js";

/** Nodes of one bus, and what ends them and all that they stand on. */
export interface Buses {
  readonly nodes: readonly GGBus[];
  close(): Promise<void>;
}

const HISTORY = { history: { size: 100, ttlMs: 60_000 } };
/** What a node reads after that knows nothing. */
const NOTHING: GGPosition = { epoch: "", offset: 0 };
const PATIENCE = { timeout: 10_000, interval: 10 };

/** Texts that a careless bus mixes up, cuts or refuses. */
const ODD_TEXTS = {
  empty: "",
  blanks: " \t ",
  "line ends": "a\nb\r\nc",
  NUL: "a\0b\0",
  "hash tags": "{a}{}b}{c",
  separators: "a:b::c.d/e|f,g*?[h]",
  unicode: "Zoë 🧑‍🚀 中文 \u2028",
  "a prototype's member": "__proto__",
  "very long": "long ".repeat(4_000),
};

/**
 * What every bus must do while nothing fails. `makeBuses` makes two or three nodes of one bus, anew for each test; what it
 * keeps may stay from test to test.
 */
export function busSuite(name: string, makeBuses: () => Promise<Buses>): void {
  const channelName = () => `bus suite ${randomUUID()}`;

  async function start() {
    const buses = await makeBuses();
    onTestFinished(() => buses.close());
    const [first, second] = buses.nodes;
    if (!first || !second) throw new Error("busSuite: two nodes are needed");
    await vi.waitFor(
      () => expect(buses.nodes.map(({ health }) => health)).toEqual(buses.nodes.map(() => "up")),
      PATIENCE,
    );
    return { nodes: buses.nodes, first, second };
  }

  /** Listens on each node. */
  async function startListening(channel: string) {
    const { nodes, ...buses } = await start();
    const listeners = nodes.map((node) => listen(node, channel));
    await Promise.all(listeners.map(({ active }) => active));
    return { ...buses, nodes, listeners };
  }

  describe(name, () => {
    describe("publish and subscribe", () => {
      it("passes a message to all nodes, the own one too, and tells who published it", async () => {
        const channel = channelName();
        const { nodes, listeners } = await startListening(channel);
        for (const [i, node] of nodes.entries()) {
          expect(await node.publish(channel, `text ${i}`)).toBeUndefined();
          const received = await Promise.all(listeners.map(({ messages }) => messages.next()));
          for (const { body, from, position } of received) {
            expect({ body, position }).toEqual({ body: `text ${i}`, position: undefined });
            expect(from).toBe(received[0]?.from);
            expect(from.startsWith(`${node.node}.`)).toBe(true);
          }
        }
        expect(new Set(nodes.map(({ node }) => node)).size).toBe(nodes.length);
      });

      it("names each publication once", async () => {
        const channel = channelName();
        const { first, listeners } = await startListening(channel);
        for (const options of [undefined, HISTORY, undefined, HISTORY]) await first.publish(channel, "same", options);
        const received = await listeners[1]!.messages.take(4);
        expect(new Set(received.map(({ from }) => from)).size).toBe(4);
      });

      it("passes what is published on another node once it is active", async () => {
        const { first, second } = await start();
        for (let i = 0; i < 20; i++) {
          const channel = channelName();
          const listener = listen(first, channel);
          await listener.active;
          await second.publish(channel, `${i}`);
          expect((await listener.messages.next()).body).toBe(`${i}`);
        }
      });

      it("keeps channels apart", async () => {
        const channels = [channelName(), channelName()] as const;
        const { first, second } = await start();
        const listeners = channels.map((channel) => listen(first, channel));
        await Promise.all(listeners.map(({ active }) => active));
        for (const channel of channels) await second.publish(channel, channel, HISTORY);
        for (const [i, { messages }] of listeners.entries()) {
          const { body, position } = await messages.next();
          expect([body, position?.offset]).toEqual([channels[i], 1]);
          expect(messages.unseen).toEqual([]);
        }
      });

      it("passes messages to each listener of a node until that one ends", async () => {
        const channel = channelName();
        const { first, second } = await start();
        const [staying, leaving] = [listen(first, channel), listen(first, channel)];
        await Promise.all([staying.active, leaving.active]);
        await second.publish(channel, "both");
        expect((await staying.messages.next()).body).toBe("both");
        expect((await leaving.messages.next()).body).toBe("both");
        leaving.end();
        leaving.end();
        await second.publish(channel, "one");
        expect((await staying.messages.next()).body).toBe("one");
        staying.end();
        const returning = listen(first, channel);
        await returning.active;
        await second.publish(channel, "again");
        expect((await returning.messages.next()).body).toBe("again");
        expect([staying.messages.unseen, leaving.messages.unseen]).toEqual([[], []]);
      });

      it("resolves `active` of a subscription that ends at once", async () => {
        const channel = channelName();
        const { first, second } = await start();
        const ended = listen(first, channel);
        ended.end();
        await ended.active;
        const staying = listen(first, channel);
        await staying.active;
        await second.publish(channel, "text");
        expect((await staying.messages.next()).body).toBe("text");
        expect(ended.messages.unseen).toEqual([]);
      });

      it.each(Object.entries(ODD_TEXTS))("carries %s as a channel and as a body", async (_, text) => {
        const { first, second } = await start();
        const [own, other] = [channelName(), `${channelName()}${text}`];
        const channels = [own, other, `${text}/${other}`, text];
        const listeners = channels.map((channel) => listen(first, channel));
        await Promise.all(listeners.map(({ active }) => active));
        for (const [i, channel] of channels.entries()) {
          const position = await second.publish(channel, text, HISTORY);
          const message = await listeners[i]!.messages.next();
          expect(message).toMatchObject({ body: text, position });
          const read = await first.read(channel, { epoch: position!.epoch, offset: position!.offset - 1 }, 10);
          expect(read).toEqual({ top: position, missed: [message] });
          expect(listeners.map(({ messages }) => messages.unseen)).toEqual(listeners.map(() => []));
        }
      });
    });

    describe("history", () => {
      it("counts from 1 in one epoch, over all nodes, and all see the same", async () => {
        const channel = channelName();
        const { nodes, listeners } = await startListening(channel);
        const rounds = 200;
        const options = { history: { size: 1_000, ttlMs: 60_000 } };
        const published = Array.from({ length: rounds }, (_, i) =>
          nodes.map(async (node, n) => [`${n}/${i}`, await node.publish(channel, `${n}/${i}`, options)] as const),
        );
        const positions = new Map<string, GGPosition | undefined>(await Promise.all(published.flat()));
        const received = await Promise.all(
          listeners.map(async ({ messages }) => (await messages.take(rounds * nodes.length)).sort(byOffset)),
        );
        const [whole] = received;
        expect(whole!.map(({ position }) => position!.offset)).toEqual(whole!.map((_, i) => i + 1));
        expect(new Set(whole!.map(({ position }) => position!.epoch)).size).toBe(1);
        for (const messages of received) expect(messages).toEqual(whole);
        for (const { body, position } of whole!) expect(positions.get(body)).toEqual(position);
        expect(await nodes[0]!.read(channel, { ...whole![0]!.position!, offset: 0 }, 1_000)).toEqual({
          top: whole!.at(-1)!.position,
          missed: whole,
        });
      });

      it("reads what is kept after a position, whole or not at all", async () => {
        const channel = channelName();
        const { first, second, listeners } = await startListening(channel);
        for (let i = 1; i <= 5; i++) await first.publish(channel, `text ${i}`, HISTORY);
        const all = (await listeners[1]!.messages.take(5)).sort(byOffset);
        const top = all.at(-1)!.position!;
        const readAfter = (offset: number, limit: number) => second.read(channel, { epoch: top.epoch, offset }, limit);

        for (let offset = 0; offset <= 5; offset++) {
          expect(await readAfter(offset, 10)).toEqual({ top, missed: all.slice(offset) });
          expect(await readAfter(offset, 5 - offset)).toEqual({ top, missed: all.slice(offset) });
          if (offset < 5) expect(missedOf(await readAfter(offset, 4 - offset), top)).toBeUndefined();
        }
        expect(missedOf(await second.read(channel, { epoch: "unknown", offset: 2 }, 10), top)).toBeUndefined();
        expect(missedOf(await second.read(channel, { epoch: "unknown", offset: 99 }, 10), top)).toBeUndefined();
        expect(missedOf(await second.read(channel, NOTHING, 0), top)).toBeUndefined();
        // None of that has begun an epoch.
        expect(await first.publish(channel, "text 6", HISTORY)).toEqual({ epoch: top.epoch, offset: 6 });
      });

      it("reads the latest messages for a node that knows nothing, as many as it asks for and there are", async () => {
        const channel = channelName();
        const { first, second, nodes } = await start();
        const published: unknown[] = [];
        let top = (await second.read(channel, NOTHING, 0)).top;
        for (let count = 0; count <= 5; count++) {
          for (const limit of [1, 2, count, count + 1, 1_000, 2 ** 52]) {
            const latest = limit > 0 ? published.slice(-limit) : undefined;
            for (const node of nodes) expect(await node.read(channel, NOTHING, limit)).toEqual({ top, missed: latest });
          }
          expect(missedOf(await first.read(channel, NOTHING, 0), top)).toBeUndefined();
          top = (await first.publish(channel, `text ${count}`, HISTORY))!;
          published.push({ body: `text ${count}`, from: expect.stringContaining(`${first.node}.`), position: top });
        }
      });

      it("reads no more than is kept for a node that knows nothing, in right places", async () => {
        const channel = channelName();
        const { first, second } = await start();
        const options = { history: { size: 10, ttlMs: 60_000 } };
        let top: GGPosition | undefined;
        for (let i = 1; i <= 500; i++) top = await first.publish(channel, `text ${i}`, options);
        for (const limit of [10, 400, 1_000]) {
          const { missed } = await second.read(channel, NOTHING, limit);
          expect(missed!.length).toBeGreaterThanOrEqual(10);
          expect(missed!.length).toBeLessThanOrEqual(Math.min(limit, 499));
          const offsets = missed!.map((_, i) => 501 - missed!.length + i);
          expect(missed!.map(({ position }) => position)).toEqual(offsets.map((offset) => ({ ...top, offset })));
          expect(missed!.map(({ body }) => body)).toEqual(offsets.map((offset) => `text ${offset}`));
        }
      });

      it("reads only where it is for a node that knows nothing, when all has expired", async () => {
        const channel = channelName();
        const { first, second } = await start();
        const top = await first.publish(channel, "text", { history: { size: 10, ttlMs: 1 } });
        await vi.waitFor(
          async () => expect(await second.read(channel, NOTHING, 10)).toEqual({ top, missed: [] }),
          PATIENCE,
        );
        expect(missedOf(await second.read(channel, { ...top!, offset: 0 }, 10), top!)).toBeUndefined();
        const next = await first.publish(channel, "next", HISTORY);
        expect(next).toEqual({ epoch: top!.epoch, offset: 2 });
        const read = await second.read(channel, NOTHING, 10);
        expect(read).toMatchObject({ top: next, missed: [{ body: "next", position: next }] });
      });

      it("begins an epoch when a channel is read of which nothing is known, for all nodes, and goes on in it", async () => {
        const { first, second } = await start();
        for (const after of [NOTHING, { epoch: "unknown", offset: 3 }]) {
          const channel = channelName();
          await second.publish(channel, "not kept");
          const { top, missed } = await first.read(channel, after, 10);
          expect([top.offset, missed ?? []]).toEqual([0, []]);
          expect(top.epoch).not.toBe(after.epoch);
          await second.publish(channel, "not kept");
          expect((await second.read(channel, after, 10)).top).toEqual(top);
          expect(await first.read(channel, top, 10)).toEqual({ top, missed: [] });
          expect(await second.publish(channel, "kept", HISTORY)).toEqual({ ...top, offset: 1 });
          expect((await first.read(channel, top, 10)).missed).toMatchObject([{ body: "kept" }]);
        }
      });

      it("begins one epoch when all nodes read at once", async () => {
        const channel = channelName();
        const { nodes } = await start();
        const reads = await Promise.all([...nodes, ...nodes].map((node) => node.read(channel, NOTHING, 10)));
        expect(new Set(reads.map(({ top }) => top.epoch)).size).toBe(1);
      });

      it("does not count messages that are not kept", async () => {
        const channel = channelName();
        const { first, second } = await start();
        const before = await first.publish(channel, "kept", HISTORY);
        await second.publish(channel, "not kept");
        expect(await second.publish(channel, "kept", HISTORY)).toEqual({ epoch: before!.epoch, offset: 2 });
        expect((await first.read(channel, before!, 10)).missed).toMatchObject([{ body: "kept" }]);
      });

      it("keeps at least as many as the size says", async () => {
        const channel = channelName();
        const { first, second } = await start();
        const options = { history: { size: 10, ttlMs: 60_000 } };
        let top: GGPosition | undefined;
        for (let i = 1; i <= 500; i++) top = await first.publish(channel, `text ${i}`, options);
        const { missed } = await second.read(channel, { epoch: top!.epoch, offset: 490 }, 10);
        expect(missed?.map(({ body }) => body)).toEqual(Array.from({ length: 10 }, (_, i) => `text ${491 + i}`));
        expect(missedOf(await second.read(channel, { epoch: top!.epoch, offset: 0 }, 500), top!)).toBeUndefined();
      });

      it("begins an epoch when a position is read that is ahead of what it has", async () => {
        const channel = channelName();
        const { first, second, listeners } = await startListening(channel);
        const former = await first.publish(channel, "former", HISTORY);
        const { top, missed } = await second.read(channel, { epoch: former!.epoch, offset: 2 }, 10);
        expect([top.offset, missed]).toEqual([0, undefined]);
        expect(top.epoch).not.toBe(former!.epoch);
        expect(top.epoch).not.toBe("");
        // Once, and for all nodes.
        expect((await first.read(channel, { epoch: former!.epoch, offset: 2 }, 10)).top).toEqual(top);
        expect(await first.publish(channel, "latter", HISTORY)).toEqual({ epoch: top.epoch, offset: 1 });
        expect((await first.read(channel, top, 10)).missed).toMatchObject([{ body: "latter" }]);
        const received = await listeners[1]!.messages.take(2);
        expect(received.map(({ body }) => body).sort()).toEqual(["former", "latter"]);
      });

      it("begins an epoch when a publisher knows more than it has", async () => {
        const channel = channelName();
        const { first, second } = await start();
        const former = (await first.publish(channel, "1", HISTORY))!;
        const publish = (known: GGPosition) => second.publish(channel, "text", { ...HISTORY, known });
        expect(await publish(former)).toEqual({ epoch: former.epoch, offset: 2 });
        expect(await publish(former)).toEqual({ epoch: former.epoch, offset: 3 });
        expect(await publish({ epoch: "unknown", offset: 99 })).toEqual({ epoch: former.epoch, offset: 4 });
        expect(await publish(NOTHING)).toEqual({ epoch: former.epoch, offset: 5 });
        const latter = (await publish({ epoch: former.epoch, offset: 6 }))!;
        expect(latter.offset).toBe(1);
        expect(latter.epoch).not.toBe(former.epoch);
        expect(missedOf(await first.read(channel, former, 10), latter)).toBeUndefined();
        expect((await first.read(channel, { ...latter, offset: 0 }, 10)).missed).toMatchObject([{ body: "text" }]);
      });
    });

    describe("members", () => {
      it("lists the members of all nodes, by names of their own", async () => {
        const channel = channelName();
        const { nodes, first, second } = await start();
        expect((await first.members.list(channel)).members.size).toBe(0);
        first.members.set(channel, "a", "info 1");
        first.members.set(channel, "b", "info 2");
        second.members.set(channel, "a", "info 3");
        await onAll(nodes, async ({ members }) => {
          const { members: listed } = await members.list(channel);
          expect([...listed.values()].sort()).toEqual(["info 1", "info 2", "info 3"]);
        });
        first.members.set(channel, "a", "changed");
        first.members.remove(channel, "b");
        first.members.remove(channel, "never set");
        await onAll(nodes, async ({ members }) => {
          const { members: listed } = await members.list(channel);
          expect([...listed.values()].sort()).toEqual(["changed", "info 3"]);
        });
        expect((await first.members.list(channelName())).members.size).toBe(0);
      });

      it("tells changes, each with a version that is one more, and that a list has too", async () => {
        const channel = channelName();
        const { first, second, nodes, listeners } = await startListening(channel);
        first.members.set(channel, "a", "info 1");
        await onAll(nodes, async ({ members }) => expect((await members.list(channel)).members.size).toBe(1));
        for (const { changes } of listeners) await until(changes, ({ info }) => info === "info 1");
        const { version, members } = await second.members.list(channel);

        second.members.set(channel, "a", "info 2");
        await Promise.all(listeners.map(({ changes }) => until(changes, ({ info }) => info === "info 2")));
        first.members.set(channel, "a", "info 3");
        await Promise.all(listeners.map(({ changes }) => until(changes, ({ info }) => info === "info 3")));
        second.members.remove(channel, "a");
        await Promise.all(listeners.map(({ changes }) => until(changes, ({ info }) => info === undefined)));

        for (const { seen } of listeners) {
          const later = seen.filter((change) => change.version > version);
          expect(later.map((change) => change.version)).toEqual([version + 1, version + 2, version + 3]);
          const table = new Map(members);
          for (const { member, info } of later) info === undefined ? table.delete(member) : table.set(member, info);
          expect(await second.members.list(channel)).toEqual({ version: version + 3, members: table });
          expect([...table.values()]).toEqual(["info 3"]);
        }
      });

      it.each(Object.entries(ODD_TEXTS))("takes %s as a member and as its information", async (_, text) => {
        const channel = `${channelName()}${text}`;
        const { first, second } = await start();
        const listener = listen(second, channel);
        await listener.active;
        first.members.set(channel, text, text);
        first.members.set(channel, `${text}2`, "other");
        await until(listener.changes, ({ info }) => info === text);
        await until(listener.changes, ({ info }) => info === "other");
        const { members } = await second.members.list(channel);
        expect([...members.values()].sort()).toEqual([text, "other"].sort());
        expect(new Set(listener.seen.map(({ member }) => member))).toEqual(new Set(members.keys()));
        first.members.remove(channel, text);
        await until(listener.changes, ({ info }) => info === undefined);
        expect([...(await second.members.list(channel)).members.values()]).toEqual(["other"]);
      });

      it("adds up the counts of all nodes", async () => {
        const channel = channelName();
        const { first, second, nodes } = await start();
        expect(await first.members.count(channel)).toBe(0);
        const set = async (bus: GGBus, count: number, sum: number) => {
          bus.members.setCount(channel, count);
          await onAll(nodes, async ({ members }) => expect(await members.count(channel)).toBe(sum));
        };
        await set(first, 3, 3);
        await set(second, 4, 7);
        await set(first, 1, 5);
        await set(first, 0, 4);
        await set(second, 0, 0);
        for (let count = 1; count <= 100; count++) first.members.setCount(channel, count);
        await set(second, 1, 101);
      });

      it("forgets a node that closes, and says so to the others", async () => {
        const channel = channelName();
        const { first, second, listeners } = await startListening(channel);
        first.members.set(channel, "stays", "stays");
        first.members.setCount(channel, 2);
        second.members.set(channel, "goes", "goes");
        second.members.setCount(channel, 3);
        await until(listeners[0]!.changes, ({ info }) => info === "goes");
        await vi.waitFor(async () => expect(await first.members.count(channel)).toBe(5), PATIENCE);
        await second.close();
        await until(listeners[0]!.changes, ({ info }) => info === undefined);
        await vi.waitFor(async () => {
          expect([...(await first.members.list(channel)).members.values()]).toEqual(["stays"]);
          expect(await first.members.count(channel)).toBe(2);
        }, PATIENCE);
      });
    });

    describe("health and closing", () => {
      it("is up, has nothing waiting, and has names", async () => {
        const { nodes } = await start();
        for (const { health, queued, name: ofBus, node } of nodes) {
          expect({ health, queued }).toEqual({ health: "up", queued: 0 });
          expect([ofBus, node]).not.toContain("");
        }
      });

      it("rejects everything once it is closed, and does nothing more", async () => {
        const channel = channelName();
        const { first, second, listeners } = await startListening(channel);
        const told = vi.fn();
        second.onHealth(told);
        const takeBack = second.onHealth(told);
        takeBack();
        takeBack();
        await second.close();
        await second.close();
        expect(second.health).toBe("down");
        expect(told).not.toHaveBeenCalled();

        for (const refused of [
          second.publish(channel, "text"),
          second.publish(channel, "text", HISTORY),
          second.read(channel, NOTHING, 1),
          second.members.list(channel),
          second.members.count(channel),
        ]) {
          const reason = {
            name: "GGBusError",
            reason: "closed",
            mayHaveBeenPublished: false,
          } satisfies Partial<GGBusError>;
          await expect(refused).rejects.toMatchObject(reason);
        }
        second.members.set(channel, "a", "info");
        second.members.remove(channel, "a");
        second.members.setCount(channel, 1);
        const late = listen(second, channel);
        await late.active;
        late.end();
        expect(second.queued).toBe(0);

        await first.publish(channel, "to others");
        expect((await listeners[0]!.messages.next()).body).toBe("to others");
        expect([late.messages.unseen, listeners[1]!.messages.unseen]).toEqual([[], []]);
        expect((await first.members.list(channel)).members.size).toBe(0);
      });

      it("settles what is asked while it closes", async () => {
        const channel = channelName();
        const { second } = await start();
        const subscribed = listen(second, channel);
        const asked = [
          ...Array.from({ length: 50 }, () => second.publish(channel, "text", HISTORY)),
          second.publish(channel, "text"),
          second.read(channel, NOTHING, 1),
          second.members.list(channel),
          second.members.count(channel),
        ];
        const closed = second.close();
        const outcomes = await Promise.allSettled(asked);
        for (const outcome of outcomes) {
          if (outcome.status === "rejected")
            expect(outcome.reason).toMatchObject({ name: "GGBusError", reason: "closed" });
        }
        await Promise.all([subscribed.active, closed]);
      });
    });
  });
}

/** Subscribes, and keeps what comes. */
function listen(bus: GGBus, channel: string) {
  const messages = new Queue<GGBusMessage>();
  /** What changed; without a member where the bus does not say what. */
  const changes = new Queue<Partial<GGMembersChange>>();
  const seen: GGMembersChange[] = [];
  const listener: GGBusListener = {
    onMessage: (message) => messages.push(message),
    onInterrupted: () => Promise.resolve(),
    onMembers: (change) => {
      if (change) seen.push(change);
      changes.push(change ?? {});
    },
  };
  return { messages, changes, seen, ...bus.subscribe(channel, listener) };
}

async function until<T>(queue: Queue<T>, isIt: (item: T) => boolean): Promise<void> {
  while (!isIt(await queue.next()));
}

/** Changes of members need no answer: when another node sees them is not said. */
async function onAll(nodes: readonly GGBus[], check: (node: GGBus) => Promise<void>): Promise<void> {
  for (const node of nodes) await vi.waitFor(() => check(node), PATIENCE);
}

function missedOf(read: { top: GGPosition; missed?: unknown }, top: GGPosition): unknown {
  expect(read.top).toEqual(top);
  return read.missed;
}

const byOffset = (a: GGBusMessage, b: GGBusMessage) => a.position!.offset - b.position!.offset;
