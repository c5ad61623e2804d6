import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import {
  type GGBus,
  type GGBusMessage,
  type GGHistory,
  GGSocketGroup,
  GGWebSocketMetrics,
  localBus,
  type WebSocketSchemaConfig,
} from "@grest-ts/websocket";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { runningDeadlines } from "../../src/connection/deadlines.js";
import { ServerConnection } from "../../src/server/connection/serverConnection.js";
import { connectionOf } from "../../src/server/groups/connectionOf.js";
import { Ledger } from "../../src/server/ledger.js";
import { PresentedPositions } from "../../src/server/resume/presented.js";
import { watchTheProcess } from "../hostile/watch.js";
import { ExtApi, type ExtOutgoing } from "../support/extApi.js";
import { Gate } from "../support/gate.js";
import { serveNode } from "../support/groupSuite.js";
import { losingBus } from "../support/losingBus.js";
import { RawPeer } from "../support/rawPeer.js";
import { connectResuming, groupFrame, resumingHandshake } from "../support/resumingPeer.js";

watchTheProcess();
beforeEach(() => GG_METRICS.overwrite(new GGMetricsStore()));

const HISTORY: GGHistory = { size: 100, ttlMs: 60_000 };
const SESSION = "client_0001";

const plain = (text: string) => `m:Ext.news::{"text":"${text}"}`;
const placed = (alias: string, offset: number, text: string) => `m:Ext.news:${alias}.${offset}:{"text":"${text}"}`;
const rest = (peer: RawPeer) => peer.framesUntilAnswerTo('r:Ext.echo:rest:"x"');
const recoveries = (result: string) => GGWebSocketMetrics.recoveries.getValue({ api: "Ext", result }) ?? 0;

/** A server whose room has kept so many messages, and what a client presents that has handled some of them. */
async function start({
  sent = 0,
  bus = localBus(),
  ...config
}: { sent?: number; bus?: GGBus } & WebSocketSchemaConfig = {}) {
  onTestFinished(() => bus.close());
  const node = await serveNode(bus, { keys: () => [], ...config });
  const room = new GGSocketGroup(ExtApi, { name: "room", bus, history: HISTORY });
  for (let i = 1; i <= sent; i++) await room.news({ text: `${i}` });
  const { top } = await bus.read("Ext/room", { epoch: "", offset: 0 }, 0);
  const at = (offset: number) => ({ session: SESSION, serial: 2, at: [["room", top.epoch, offset]] as const });
  const resume = async (presented: Parameters<typeof connectResuming>[1] = {}) => {
    const peer = await connectResuming(node.url, presented);
    return { peer, outgoing: await node.outgoings.next() };
  };
  return { ...node, bus, room, epoch: top.epoch, at, resume };
}

/** Holds back what a bus is read for. */
function holdReads(bus: GGBus): { gate: Gate; count(): number } {
  const gate = new Gate();
  const read = bus.read.bind(bus);
  const spy = vi.spyOn(bus, "read").mockImplementation(async (...args) => {
    await gate.passed;
    return read(...args);
  });
  return { gate, count: () => spy.mock.calls.length };
}

describe("a member that waits for what it has missed", () => {
  it("gets it before what is kept meanwhile, and what is not kept at once", async () => {
    const { bus, room, resume, at, epoch } = await start({ sent: 5 });
    const { gate, count } = holdReads(bus);
    const { peer, outgoing } = await resume(at(3));
    const joining = room.add(outgoing);
    await room.news({ text: "6" });
    room.news({ text: "typing" }, { droppable: true });
    outgoing.news({ text: "to you" });
    expect(await rest(peer)).toEqual([plain("typing"), plain("to you")]);
    expect(room.position).toBeUndefined();
    gate.open();
    expect(await joining).toEqual({ isLive: true, recovered: true });
    await room.news({ text: "7" });
    const [joined = "", ...messages] = await rest(peer);
    const { alias, to } = groupFrame(joined);
    expect(to).toEqual({ group: "room", epoch, offset: 3, recovered: true, missed: 3 });
    expect(messages).toEqual([4, 5, 6, 7].map((n) => placed(alias, n, `${n}`)));
    // One more, since a message came before the subscription was active.
    expect(count()).toBeLessThanOrEqual(2);
  });

  it("gets one answer for all that come at once, from one more read where the node knows only a part", async () => {
    const { bus, room, resume, at } = await start({ sent: 50 });
    const reads = holdReads(bus);
    reads.gate.open();
    await room.add((await resume()).outgoing);
    await room.news({ text: "51" });
    const before = reads.count();
    const members = await Promise.all(Array.from({ length: 50 }, (_, i) => resume({ ...at(i), serial: i })));
    const joins = await Promise.all(members.map(({ outgoing }) => room.add(outgoing)));
    expect(joins.every(({ recovered }) => recovered)).toBe(true);
    expect(reads.count() - before).toBe(1);
    // The connections may have come in another order.
    const seen = await Promise.all(members.map(async ({ peer }) => (await rest(peer)).slice(1)));
    for (const messages of seen)
      expect(messages.map((frame) => Number(/"text":"(\d+)"/.exec(frame)?.[1]))).toEqual(
        Array.from({ length: messages.length }, (_, i) => 52 - messages.length + i),
      );
    expect(new Set(seen.map(({ length }) => length)).size).toBe(50);
  });

  it("starts without it after 10 s, when it cannot be read", async () => {
    const { bus, room, resume, at, epoch } = await start({ sent: 5 });
    // The node knows where it is, and no more.
    await room.add((await resume()).outgoing);
    const { gate } = holdReads(bus);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const { peer, outgoing } = await resume(at(3));
    const joining = room.add(outgoing);
    await room.news({ text: "6" });
    expect(await rest(peer)).toEqual([]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await joining).toEqual({ isLive: true, recovered: undefined });
    await vi.advanceTimersByTimeAsync(8_000);
    vi.useRealTimers();
    await room.news({ text: "7" });
    const [joined = "", ...messages] = await rest(peer);
    const { alias, to } = groupFrame(joined);
    expect(to).toEqual({ group: "room", epoch, offset: 6, recovered: false });
    expect(messages).toEqual([placed(alias, 7, "7")]);
    gate.open();
    expect([recoveries("OK"), recoveries("LOST")]).toEqual([0, 1]);
  });

  it("goes on waiting after 2 s where the node does not know anything, and add does not", async () => {
    const { bus, room, resume, at, epoch } = await start({ sent: 5 });
    const { gate } = holdReads(bus);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    onTestFinished(() => void vi.useRealTimers());
    const first = await resume();
    const second = await resume(at(3));
    const joining = Promise.all([room.add(first.outgoing), room.add(second.outgoing)]);
    await rest(second.peer);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await joining).toEqual([
      { isLive: false, recovered: undefined },
      { isLive: false, recovered: undefined },
    ]);
    vi.useRealTimers();
    await room.news({ text: "6" });
    gate.open();
    // What came before the first answer has no place for a client that had none.
    expect(await first.peer.next()).toBe(plain("6"));
    expect(groupFrame(await first.peer.next()).to).toEqual({ group: "room", epoch, offset: 6 });
    expect(groupFrame(await second.peer.next()).to).toMatchObject({ offset: 3, recovered: true, missed: 3 });
  });

  it.each([
    ["is removed", (room: { remove(outgoing: object): boolean }, outgoing: object) => room.remove(outgoing)],
    ["closes", (_: unknown, __: unknown, peer: RawPeer) => peer.ws.terminate()],
    ["is closed", (room: { closeAll(): number }) => room.closeAll()],
  ] as const)("is forgotten when it %s", async (how, leave) => {
    const { bus, room, resume, at } = await start({ sent: 5, heartbeat: false });
    const { gate } = holdReads(bus);
    // Keeps the group in use.
    const stop = room.onPresence(() => {});
    onTestFinished(stop);
    const before = runningDeadlines();
    const { peer, outgoing } = await resume(at(3));
    // Time stands still: nothing ends because it is over.
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const joining = room.add(outgoing);
    expect(runningDeadlines()).toBeGreaterThan(before);
    leave(room as never, outgoing, peer);
    await vi.waitFor(() => expect(room.size).toBe(0));
    gate.open();
    expect((await joining).recovered).toBeUndefined();
    vi.useRealTimers();
    if (how === "is removed") {
      await room.news({ text: "6" });
      // The client does not know the alias.
      expect(await rest(peer)).toEqual([expect.stringMatching(/^g::\d+:$/)]);
      await room.add(outgoing);
      expect(groupFrame(await peer.next()).to).toMatchObject({ group: "room", offset: 6 });
      await peer.close();
    }
    await peer.closed;
    await vi.waitFor(() => expect(runningDeadlines()).toBeLessThanOrEqual(before));
    expect([recoveries("OK"), recoveries("LOST")]).toEqual([0, 0]);
  });

  it("gets all that a callback sends while room is made for it", async () => {
    const { room, resume, at } = await start({ sent: 5 });
    const { peer: witness, outgoing: first } = await resume();
    await room.add(first);
    const { alias } = groupFrame(await witness.next());
    for (const [presented, missed] of [
      [at(3), [4, 5, 6]],
      [{ session: "client_0002" }, []],
    ] as const) {
      const { peer, outgoing } = await resume(presented);
      // As the `onClose` of a connection that is closed since all readers together are too slow.
      vi.spyOn(Ledger.prototype, "outboxGrows").mockImplementationOnce(() => void room.news({ text: "6" }));
      await room.add(outgoing);
      const [joined = "", ...messages] = await rest(peer);
      const { to } = groupFrame(joined);
      expect(messages).toEqual(missed.map((n) => placed(alias, n, `${n}`)));
      const { offset } = to as { offset: number };
      expect(offset + missed.length).toBe(room.position?.offset);
    }
  });

  it.each([
    ["that can recover", "while it waits", 1],
    ["that can recover", "while room is made for it", 1],
    ["that has lost", "while it waits", 7],
    ["that has lost", "while room is made for it", 7],
  ] as const)("%s counts as nothing when it is closed %s", async (_, when, offset) => {
    const { bus, room, resume, at } = await start({ sent: 3 });
    const { gate } = holdReads(bus);
    const { peer, outgoing } = await resume(at(offset));
    const joining = room.add(outgoing);
    // The peer does not answer the close frame.
    peer.ws.pause();
    const close = () => void connectionOf(outgoing).close(4321, "bye");
    if (when === "while it waits") close();
    else vi.spyOn(Ledger.prototype, "outboxGrows").mockImplementationOnce(close);
    gate.open();
    expect((await joining).recovered).toBeUndefined();
    vi.restoreAllMocks();
    expect([recoveries("OK"), recoveries("LOST")]).toEqual([0, 0]);
    peer.ws.resume();
    expect((await peer.closed).code).toBe(4321);
    expect(peer.frames.unseen).toEqual([]);
  });

  it("is not taken for the one that a callback has made it again", async () => {
    const { room, resume, at } = await start({ sent: 3 });
    await room.add((await resume()).outgoing);
    const { peer, outgoing } = await resume(at(1));
    let again: Promise<unknown> | undefined;
    vi.spyOn(Ledger.prototype, "outboxGrows").mockImplementationOnce(() => {
      room.remove(outgoing);
      again = room.add(outgoing);
    });
    expect((await room.add(outgoing)).recovered).toBeUndefined();
    expect(await again).toEqual({ isLive: true, recovered: undefined });
    await room.news({ text: "4" });
    const [left = "", joined = "", ...messages] = await rest(peer);
    const { alias, to } = groupFrame(joined);
    expect([groupFrame(left).to, to]).toEqual([undefined, { group: "room", epoch: room.position?.epoch, offset: 3 }]);
    expect(messages).toEqual([placed(alias, 4, "4")]);
    expect([recoveries("OK"), recoveries("LOST")]).toEqual([0, 0]);
  });

  it("is not left out of the order when a presence callback adds it again", async () => {
    const { room, resume, outgoings } = await start({ presence: () => ({ id: "ann" }) });
    void outgoings;
    const { peer, outgoing } = await resume();
    await room.add(outgoing);
    const { alias } = groupFrame(await peer.next());
    const stop = room.onPresence(({ left }) => left.length > 0 && void room.add(outgoing));
    onTestFinished(stop);
    room.remove(outgoing);
    await vi.waitFor(() => expect(room.has(outgoing)).toBe(true));
    await room.news({ text: "1" });
    expect((await rest(peer)).map((frame) => frame.replace(/"epoch":"[^"]*"/, '"epoch":"E"'))).toEqual([
      `g::${alias}:`,
      `g::${alias}:{"group":"room","epoch":"E","offset":0}`,
      placed(alias, 1, "1"),
    ]);
  });

  it.each(["subscribe", "setCount"] as const)(
    "is a member, and learns its place, though %s of the bus throws",
    async (what) => {
      const { bus, room, resume, at, epoch } = await start({ sent: 3 });
      const fail = () => {
        throw new Error("a faulty bus");
      };
      if (what === "subscribe") vi.spyOn(bus, "subscribe").mockImplementationOnce(fail);
      else vi.spyOn(bus.members, "setCount").mockImplementationOnce(fail);
      const { peer, outgoing } = await resume(at(1));
      const joining = room.add(outgoing);
      room.news({ text: "typing" }, { droppable: true });
      expect(await peer.next()).toBe(plain("typing"));
      await room.add((await resume()).outgoing);
      expect(await joining).toEqual({ isLive: false, recovered: true });
      expect(groupFrame(await peer.next()).to).toEqual({
        group: "room",
        epoch,
        offset: 1,
        recovered: true,
        missed: 2,
      });
    },
  );
});

describe("what may wait for a connection", () => {
  const MAX = 10_000;

  it.each(["x", "é", "中", "🙂"])(
    "bounds what it is sent of what it has missed, to the byte, by half of it, in %s",
    async (letter) => {
      const letters = Math.floor(2_000 / Buffer.byteLength(letter));
      const results = new Set<boolean | undefined>();
      for (const [count, extra] of [
        [3, 0],
        [4, 0],
        [4, 1_800],
        [4, 1_600],
        [4, 1_500],
        [5, 0],
        [6, 0],
        [20, 0],
      ] as const) {
        const { room, resume, at } = await start({ limits: { maxOutboxBytes: 2 * MAX } });
        const texts = Array.from({ length: count }, (_, i) => `${i}${letter.repeat(letters)}`);
        texts.push("y".repeat(extra));
        for (const text of texts) await room.news({ text });
        const { peer, outgoing } = await resume(at(0));
        const { recovered } = await room.add(outgoing);
        const [joined = "", ...messages] = await rest(peer);
        const { alias, to } = groupFrame(joined);
        const whole = texts.map((text, i) => placed(alias, i + 1, text));
        const start0 = `g::${alias}:${JSON.stringify({ ...(to as object), offset: 0, recovered: true, missed: texts.length })}`;
        const fits = Buffer.byteLength([start0, ...whole].join("\n")) <= MAX;
        results.add(recovered);
        expect([recovered, messages]).toEqual(fits ? [true, whole] : [false, []]);
        // The connection stays, and goes on.
        await room.news({ text: "new" });
        expect(await rest(peer)).toEqual([placed(alias, texts.length + 1, "new")]);
        expect(recoveries(fits ? "OK" : "LOST")).toBeGreaterThan(0);
      }
      expect(results).toEqual(new Set([true, false]));
    },
  );

  it.each([
    [0, 1, true],
    [MAX - 400, 1, true],
    [MAX, 1, false],
    [2 * MAX - 200, 1, false],
    [0, 40, true],
    [MAX - 1, 40, false],
  ])(
    "has room for what is new after what was missed: %i bytes wait, %i of 200 were missed",
    async (waits, missed, fits) => {
      const { room, resume, at } = await start({ limits: { maxOutboxBytes: 2 * MAX } });
      for (let i = 0; i < missed; i++) await room.news({ text: "x".repeat(200) });
      const { peer, outgoing } = await resume(at(0));
      const connection = connectionOf(outgoing);
      const { outbox } = connection;
      const { underlyingTransport: transport } = outbox;
      // The peer does not read: all stays here that it was sent.
      const frames: string[] = [];
      vi.spyOn(transport, "send").mockImplementation((texts) => void frames.push(...texts));
      vi.spyOn(transport as Required<typeof transport>, "sendShared").mockImplementation(
        ({ text }) => void frames.push(text),
      );
      const backlog = () => frames.reduce((sum, frame) => sum + frame.length, 0);
      vi.spyOn(transport, "backlog").mockImplementation(backlog);
      if (waits > 0) outgoing.news({ text: "w".repeat(waits - plain("").length) });
      expect(await room.add(outgoing)).toEqual({ isLive: true, recovered: fits });
      const before = backlog();
      for (let i = 0; fits && i < 15; i++) await room.news({ text: "y".repeat(500) });
      outbox.flushNow();
      expect(backlog() - before).toBeGreaterThanOrEqual(fits ? 7_500 : 0);
      expect(connection.isOpen).toBe(true);
      vi.restoreAllMocks();
      peer.ws.terminate();
    },
  );

  it("closes no other for what is not sent, and is not taken apart for that", async () => {
    const { room, resume, at, connect } = await start({
      limits: { maxOutboxBytes: 100_000, maxTotalOutboxBytes: 500_000 },
    });
    for (let i = 0; i < 90; i++) await room.news({ text: "x".repeat(2_000) });
    // A member that has paused reading for a moment, far below its own limit.
    const slow = await connect();
    await room.add(slow.outgoing);
    await room.news({ text: "y" });
    vi.spyOn(connectionOf(slow.outgoing).outbox, "measureBacklog").mockReturnValue(30_000);
    const hasRoom = vi.spyOn(ServerConnection.prototype, "hasRoomForMissed");
    const counted = vi.spyOn(Ledger.prototype, "outboxGrows");
    const sum = () => counted.mock.calls.reduce((sum, [bytes]) => sum + bytes, 0);
    for (let i = 0; i < 5; i++) {
      const back = await resume({ ...at(i), serial: i });
      counted.mockClear();
      expect((await room.add(back.outgoing)).recovered).toBe(false);
      expect(sum()).toBeLessThan(1_000);
    }
    expect(hasRoom).not.toHaveBeenCalled();
    // One that gets what it has missed has that counted.
    const back = await resume({ ...at(90), serial: 9 });
    counted.mockClear();
    expect((await room.add(back.outgoing)).recovered).toBe(true);
    expect(sum()).toBeGreaterThan(100);
    const fitting = await resume({ ...at(71), serial: 10 });
    counted.mockClear();
    expect((await room.add(fitting.outgoing)).recovered).toBe(true);
    expect(sum()).toBeGreaterThan(19 * 2_000);
    await slow.peer.roundTrip();
    expect(connectionOf(slow.outgoing).isOpen).toBe(true);
  });

  it("does not bound the g of a member, which closes no connection that reads", async () => {
    const { room, resume, at } = await start({ sent: 3, limits: { maxOutboxBytes: 20 } });
    const { peer, outgoing } = await resume(at(1));
    expect(await room.add(outgoing)).toEqual({ isLive: true, recovered: false });
    expect(groupFrame(await peer.next()).to).toMatchObject({ offset: 3, recovered: false });
    await peer.roundTrip();
  });
});

describe("a loss", () => {
  it("moves members to the new order, and gives what is published again to those that joined since", async () => {
    const bus = losingBus();
    const { room, resume, url, outgoings, at, epoch } = await start({ bus });
    const seen: GGBusMessage[] = [];
    bus.subscribe("Ext/room", {
      onMessage: (message) => void seen.push(message),
      onInterrupted: async () => {},
      onMembers() {},
    });
    const connectPlain = async () => ({ peer: await RawPeer.connect(url), outgoing: await outgoings.next() });
    const join = async (member: { peer: RawPeer; outgoing: ExtOutgoing }) => {
      await room.add(member.outgoing);
      return member.peer;
    };
    const before = await join(await resume());
    const plainBefore = await join(await connectPlain());
    const { alias } = groupFrame(await before.next());
    await room.news({ text: "1" });
    await room.news({ text: "2" });
    expect(await rest(before)).toEqual([placed(alias, 1, "1"), placed(alias, 2, "2")]);
    expect(await rest(plainBefore)).toEqual([plain("1"), plain("2")]);

    await bus.lose();
    const [lost = ""] = await rest(before);
    expect(groupFrame(lost)).toEqual({ alias, to: { epoch: room.position?.epoch, offset: 0, recovered: false } });
    expect(room.position?.epoch).not.toBe(epoch);
    expect(await rest(plainBefore)).toEqual([]);

    const after = await join(await resume());
    const plainAfter = await join(await connectPlain());
    const back = await join(await resume({ ...at(1), serial: 5 }));
    expect(groupFrame(await after.next()).to).not.toHaveProperty("recovered");
    expect(groupFrame(await back.next()).to).toMatchObject({ offset: 0, recovered: false });
    // A publisher that had no answer publishes again.
    const [, second] = seen;
    bus.engine.publish("Ext/room", second?.body as string, second?.from as string, { history: HISTORY });
    await room.news({ text: "3" });
    const resumed = [placed(alias, 1, "2"), placed(alias, 2, "3")];
    expect(await rest(before)).toEqual([`g::${alias}:1`, placed(alias, 2, "3")]);
    expect(await rest(plainBefore)).toEqual([plain("3")]);
    expect(await rest(after)).toEqual(resumed);
    expect(await rest(back)).toEqual(resumed);
    expect(await rest(plainAfter)).toEqual([plain("2"), plain("3")]);
  });

  it("is told once for each, to every member, and not to one that has left", async () => {
    const bus = losingBus();
    const { room, resume } = await start({ bus });
    const members = [await resume(), await resume(), await resume()] as const;
    for (const { outgoing } of members) await room.add(outgoing);
    await Promise.all(members.map(({ peer }) => rest(peer)));
    room.remove(members[2].outgoing);
    for (let i = 0; i < 3; i++) await bus.lose();
    for (const { peer } of members.slice(0, 2))
      expect((await rest(peer)).map((frame) => groupFrame(frame).to)).toEqual(
        Array.from({ length: 3 }, () => ({ epoch: expect.any(String), offset: 0, recovered: false })),
      );
    expect(await rest(members[2].peer)).toEqual([expect.stringMatching(/^g::\d+:$/)]);
  });

  it("while a member waits makes it start from the present, and what is published again is new to it", async () => {
    const bus = losingBus();
    const { room, resume, at } = await start({ bus, sent: 5 });
    const first = await resume();
    await room.add(first.outgoing);
    let latest: GGBusMessage | undefined;
    bus.subscribe("Ext/room", {
      onMessage: (message) => {
        latest = message;
      },
      onInterrupted: async () => {},
      onMembers() {},
    });
    await room.news({ text: "6" });
    const { gate } = holdReads(bus);
    // One that the node knows, and one that it has to look for.
    const known = await resume(at(3));
    const unknown = await resume({ ...at(3), at: [["room", "E", 3]] });
    const joining = Promise.all([room.add(known.outgoing), room.add(unknown.outgoing)]);
    const losing = bus.lose();
    expect([await rest(known.peer), await rest(unknown.peer)]).toEqual([[], []]);
    gate.open();
    await losing;
    const lost = { isLive: true, recovered: false };
    expect(await joining).toEqual([lost, lost]);
    // The first one may have been told of the order that ends.
    const ofKnown = (await rest(known.peer)).map((frame) => groupFrame(frame).to);
    expect(ofKnown[0]).toMatchObject({ group: "room", recovered: false });
    expect(ofKnown.at(-1)).toMatchObject({ epoch: room.position?.epoch, offset: 0, recovered: false });
    const ofUnknown = (await rest(unknown.peer)).map((frame) => groupFrame(frame));
    const { epoch } = room.position ?? {};
    expect(ofUnknown.map(({ to }) => to)).toEqual([{ group: "room", epoch, offset: 0, recovered: false }]);
    const alias = ofUnknown[0]?.alias as string;
    await rest(first.peer);
    bus.engine.publish("Ext/room", latest?.body as string, latest?.from as string, { history: HISTORY });
    await room.news({ text: "7" });
    expect(await rest(first.peer)).toEqual([`g::${alias}:1`, placed(alias, 2, "7")]);
    expect(await rest(unknown.peer)).toEqual([placed(alias, 1, "6"), placed(alias, 2, "7")]);
  });
});

describe("positions from a peer", () => {
  const forged: [string, unknown][] = [
    ["no JSON", "{"],
    ["nothing", ""],
    ["null", "null"],
    ["a number", "5"],
    ["a text", '"x"'],
    ["a list", "[]"],
    ["deep nesting", `${"[".repeat(20_000)}${"]".repeat(20_000)}`],
    ["deep nesting of positions", `{"at":${"[".repeat(20_000)}${"]".repeat(20_000)}}`],
    ["positions that are an object", { at: { 0: ["room", "E", 1], length: 1 } }],
    ["a position that is an object", { at: [{ 0: "room", 1: "E", 2: 1, length: 3 }] }],
    ["a prototype", '{"__proto__":{"at":[["room","EPOCH",1]]}}'],
    ...["null", "true", '"1"', "1.5", "-1", "1e400", `${2 ** 60}`, "[1]", "{}"].map((offset): [string, unknown] => [
      `the offset ${offset}`,
      `{"session":"${SESSION}","at":[["room","EPOCH",${offset}]]}`,
    ]),
    ["NaN", '{"at":[["room","EPOCH",NaN]]}'],
    ["no offset", '{"at":[["room","EPOCH"]]}'],
    ["an epoch that is no text", '{"at":[["room",5,1]]}'],
    ["a group that is no text", '{"at":[[["room"],"EPOCH",1]]}'],
    ["2,000 positions of other groups", { at: Array.from({ length: 2_000 }, (_, i) => [`g${i}`, "E", i]) }],
    [
      "names of members of a prototype",
      {
        at: [
          ["__proto__", "E", 1],
          ["constructor", "E", 1],
          ["toString", "", 0],
        ],
      },
    ],
    ["lone surrogates", { session: "\ud800".repeat(8), at: [["\ud800", "\udfff", 1]] }],
    ["a huge name", { at: [["x".repeat(40_000), "E", 1]] }],
    ["a huge epoch", { at: [["room", "x".repeat(40_000), 1]] }],
    ["an epoch that is a little too long", { at: [["room", "x".repeat(1_025), 1]] }],
    ["a group that the program does not add it to", { at: [["secret", "SECRET", 1]] }],
  ];
  const unexplained: [string, unknown][] = [
    ["another epoch", { at: [["room", "E", 1]] }],
    ["an empty epoch", { at: [["room", "", 0]] }],
    ["the epoch of another group", { at: [["room", "SECRET", 1]] }],
    ["an epoch of lone surrogates", { at: [["room", "\ud800", 1]] }],
    ["the longest epoch", { at: [["room", "x".repeat(1_024), 1]] }],
    ["the highest offset", { at: [["room", "EPOCH", Number.MAX_SAFE_INTEGER]] }],
    ["an offset that is ahead", { at: [["room", "EPOCH", 4]] }],
  ];

  it("have no effect but the truth, whatever they are", async () => {
    const { bus, room, resume, epoch, logger } = await start({ sent: 3 });
    const secret = new GGSocketGroup(ExtApi, { name: "secret", bus, history: HISTORY });
    await secret.news({ text: "a secret" });
    await secret.news({ text: "another" });
    const { top } = await bus.read("Ext/secret", { epoch: "", offset: 0 }, 0);
    const member = await resume();
    await room.add(member.outgoing);
    // All is known here: nothing needs to be read for a position that can be explained.
    const known = await resume({ session: SESSION, at: [["room", epoch, 0]] });
    expect(await room.add(known.outgoing)).toEqual({ isLive: true, recovered: true });

    const read = vi.spyOn(bus, "read");
    const insert = (presented: unknown) =>
      (typeof presented === "string" ? presented : JSON.stringify(presented))
        .replaceAll("EPOCH", epoch)
        .replaceAll("SECRET", top.epoch);
    const enter = async (presented: unknown) => {
      const { peer, outgoing } = await resume(insert(presented));
      return { peer, outgoing };
    };
    for (const [what, presented] of forged) {
      const { peer, outgoing } = await enter(presented);
      expect(room.has(outgoing), what).toBe(false);
      expect(await room.add(outgoing), what).toEqual({ isLive: true, recovered: undefined });
      const frames = await rest(peer);
      expect(
        frames.map((frame) => groupFrame(frame).to),
        what,
      ).toEqual([{ group: "room", epoch, offset: 3 }]);
    }
    expect(read).not.toHaveBeenCalled();

    const inexplicable = await Promise.all(unexplained.map(([, presented]) => enter(presented)));
    const joins = await Promise.all(inexplicable.map(({ outgoing }) => room.add(outgoing)));
    expect(joins).toEqual(joins.map(() => ({ isLive: true, recovered: false })));
    for (const { peer } of inexplicable)
      expect((await rest(peer)).map((frame) => groupFrame(frame).to)).toEqual([
        { group: "room", epoch, offset: 3, recovered: false },
      ]);
    // The node has looked whether it has missed something, after its own position: once a second, and not for each of them.
    expect(new Set(read.mock.calls.map((call) => JSON.stringify(call)))).toEqual(
      new Set([JSON.stringify(["Ext/room", { epoch, offset: 2 }, HISTORY.size + 1])]),
    );
    expect(read.mock.calls.length).toBeLessThan(unexplained.length);
    expect([secret.size, secret.position]).toEqual([0, undefined]);
    expect(logger.entries).toEqual([]);
  });

  it("are refused with a handshake that is too large for them", async () => {
    const { url } = await start();
    const peer = await RawPeer.open(url);
    peer.send(resumingHandshake({ at: Array.from({ length: 65_000 }, () => ["room", "E", 1]) }).slice(0, 200_000));
    expect(await peer.next()).toContain("Handshake message of more than 65536 characters");
    expect((await peer.closed).code).toBe(4001);
  });

  it("are dropped when they have not been used for 60 s", async () => {
    const { room, resume, at, epoch } = await start({ sent: 3, heartbeat: false });
    // The group is known here.
    await room.add((await resume(at(0))).outgoing);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const [inTime, late] = [await resume(at(1)), await resume({ ...at(1), serial: 3 })];
    vi.advanceTimersByTime(59_900);
    expect(await room.add(inTime.outgoing)).toEqual({ isLive: true, recovered: true });
    vi.advanceTimersByTime(200);
    expect(await room.add(late.outgoing)).toEqual({ isLive: true, recovered: undefined });
    expect((await rest(late.peer)).map((frame) => groupFrame(frame).to)).toEqual([{ group: "room", epoch, offset: 3 }]);
  });

  it("are dropped when their connection closes", async () => {
    const { resume, at, server } = await start({ sent: 3, heartbeat: false });
    const before = runningDeadlines();
    const { peer } = await resume(at(1));
    expect(runningDeadlines()).toBe(before + 1);
    peer.ws.terminate();
    await vi.waitFor(() => expect(server.connectionCount).toBe(0));
    await vi.waitFor(() => expect(runningDeadlines()).toBeLessThanOrEqual(before));
  });

  it.each([
    ["the last one is taken", (positions: PresentedPositions) => void [positions.take("a"), positions.take("b")]],
    ["the connection closes", (positions: PresentedPositions) => positions.drop()],
    ["their time is over", () => void vi.advanceTimersByTime(60_000)],
  ])("leave nothing behind when %s", (_, end) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    onTestFinished(() => void vi.useRealTimers());
    const none = new PresentedPositions([]);
    const before = vi.getTimerCount();
    const positions = new PresentedPositions([
      ["a", "E", 1],
      ["b", "E", 1],
    ]);
    expect([positions.has("a"), vi.getTimerCount()]).toEqual([true, before + 1]);
    end(positions);
    expect([positions.has("a"), positions.take("b"), none.take("a"), vi.getTimerCount()]).toEqual([
      false,
      undefined,
      undefined,
      before,
    ]);
  });
});

it("counts members that came back, and not those that join for the first time", async () => {
  const { room, resume, at } = await start({ sent: 5 });
  for (const presented of [{}, at(2), at(5), at(9), { at: [["room", "E", 1]] as const }, {}])
    await room.add((await resume(presented)).outgoing);
  expect([recoveries("OK"), recoveries("LOST")]).toEqual([2, 2]);
  // What was missed counts as sent.
  const sent = { api: "Ext", path: "/ws/ext", method: "Ext.news", result: "OK" };
  expect(GGWebSocketMetrics.outRequests.getValue(sent)).toBe(3);
});
