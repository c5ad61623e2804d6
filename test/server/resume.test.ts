import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { type GGBus, type GGHistory, GGSocketGroup, localBus, type WebSocketSchemaConfig } from "@grest-ts/websocket";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { localBusOn } from "../../src/groups/localBus.js";
import { MemoryEngine } from "../../src/groups/memoryEngine.js";
import { watchTheProcess } from "../hostile/watch.js";
import { ExtApi, type ExtOutgoing } from "../support/extApi.js";
import { serveNode } from "../support/groupSuite.js";
import { losingBus } from "../support/losingBus.js";
import { RawPeer } from "../support/rawPeer.js";
import { connectResuming, groupFrame, type Presented, resumingHandshake } from "../support/resumingPeer.js";

watchTheProcess();
beforeEach(() => GG_METRICS.overwrite(new GGMetricsStore()));

const HISTORY: GGHistory = { size: 100, ttlMs: 60_000 };
const SESSION = "client_0001";
const CLOSED = "Ext: a connection has closed";

/** A message without a place, and one with it. */
const plain = (text: string) => `m:Ext.news::{"text":"${text}"}`;
const placed = (alias: string, offset: number, text: string) => `m:Ext.news:${alias}.${offset}:{"text":"${text}"}`;

function openBus(): GGBus {
  const bus = localBus();
  onTestFinished(() => bus.close());
  return bus;
}

/** A server whose room keeps its messages, with `sent` of them. */
async function start({
  sent = 0,
  history = HISTORY,
  bus = openBus(),
  name = "room",
  ...config
}: { sent?: number; history?: GGHistory; bus?: GGBus; name?: string } & WebSocketSchemaConfig = {}) {
  const node = await serveNode(bus, { keys: () => [], ...config });
  const room = new GGSocketGroup(ExtApi, { name, bus, history });
  for (let i = 1; i <= sent; i++) await room.news({ text: `${i}` });
  const { top } = await bus.read(`Ext/${name}`, { epoch: "", offset: 0 }, 0);
  const resume = async (
    presented: Presented | string = {},
    options?: { capabilities?: string; headers?: object },
  ): Promise<{ peer: RawPeer; outgoing: ExtOutgoing }> => {
    const peer = await connectResuming(node.url, presented, options);
    return { peer, outgoing: await node.outgoings.next() };
  };
  /** What a client presents that has handled everything up to an offset. */
  const at = (offset: number, serial = 2): Presented => ({ session: SESSION, serial, at: [[name, top.epoch, offset]] });
  /** A member with a position, and how it begins. */
  const join = async (presented: Presented = {}, options?: { capabilities?: string }) => {
    const member = await resume(presented, options);
    const joined = await room.add(member.outgoing);
    return { ...member, joined, ...groupFrame(await member.peer.next()) };
  };
  return { ...node, bus, room, epoch: top.epoch, resume, at, join };
}

/** All that a peer gets until its server has read what it sends now. */
const rest = (peer: RawPeer, isBatching = false) => peer.framesUntilAnswerTo('r:Ext.echo:rest:"x"', isBatching);

describe("the handshake", () => {
  it.each([
    ["is there without a capability", undefined, undefined, true],
    ["is there with other capabilities", "batch alive cancel drain", undefined, true],
    ["is there when the server has no resume", "batch resume", ["batch", "cancel"], true],
    ["is taken away when both have resume", "batch resume", undefined, false],
  ] as const)("of a client: ws-resume %s", async (_, announced, capabilities, isThere) => {
    const seen: unknown[] = [];
    const { url } = await start({
      capabilities,
      middlewares: [{ parseHandshake: ({ headers }) => void seen.push({ ...headers }) }],
    });
    const peer = await RawPeer.open(url);
    const text = JSON.stringify({ session: SESSION, serial: 1, at: [] });
    peer.send(`h:::${JSON.stringify({ user: "ann", "ws-resume": text, "ws-capabilities": announced })}`);
    expect(/ ?resume=100/.test(await peer.next())).toBe(!isThere);
    expect(seen).toEqual([{ user: "ann", ...(isThere && { "ws-resume": text }) }]);
  });

  it("agrees on resume without the member, and with one that is no text", async () => {
    const { url, room, outgoings, epoch } = await start({ sent: 3 });
    for (const member of ["", ',"ws-resume":5', ',"ws-resume":{"session":"client_0001"}']) {
      const peer = await RawPeer.open(url);
      peer.send(`h:::{"ws-capabilities":"resume"${member}}`);
      expect(await peer.next()).toBe('k:::{"ws-capabilities":"resume=100"}');
      await room.add(await outgoings.next());
      expect(groupFrame(await peer.next()).to).toEqual({ group: "room", epoch, offset: 3 });
    }
  });
});

describe("a member", () => {
  it("that joins for the first time gets what is sent from then on", async () => {
    const { room, epoch, join } = await start({ sent: 3 });
    const { peer, alias, to, joined } = await join();
    expect([to, joined]).toEqual([{ group: "room", epoch, offset: 3 }, { isLive: true }]);
    await room.news({ text: "4" });
    expect(await peer.next()).toBe(placed(alias, 4, "4"));
    expect(await rest(peer)).toEqual([]);
  });

  it.each([0, 1, 7, 9, 10])("that is back after 10 messages, and had %i, gets the others first", async (had) => {
    const { room, epoch, join, at } = await start({ sent: 10 });
    const { peer, alias, to, joined } = await join(at(had));
    expect(to).toEqual({ group: "room", epoch, offset: had, recovered: true, missed: 10 - had });
    expect(joined).toEqual({ isLive: true, recovered: true });
    await room.news({ text: "11" });
    const expected = Array.from({ length: 11 - had }, (_, i) => placed(alias, had + i + 1, `${had + i + 1}`));
    expect(await rest(peer)).toEqual(expected);
  });

  it.each([
    ["more was sent than is kept", { sent: 20, history: { size: 10, ttlMs: 60_000 } }, 5],
    ["it is ahead of the group", { sent: 20 }, 21],
  ])("goes on from the present when %s", async (_, options, had) => {
    const { room, epoch, join, at } = await start(options);
    const { peer, alias, to, joined } = await join(at(had));
    expect(to).toEqual({ group: "room", epoch, offset: 20, recovered: false });
    expect(joined).toEqual({ isLive: true, recovered: false });
    await room.news({ text: "21" });
    expect(await rest(peer)).toEqual([placed(alias, 21, "21")]);
  });

  it("goes on from the present in another epoch", async () => {
    const { join, epoch } = await start({ sent: 2 });
    const { to } = await join({ session: SESSION, serial: 2, at: [["room", "E0", 1]] });
    expect(to).toEqual({ group: "room", epoch, offset: 2, recovered: false });
  });

  it("has missed nothing when all has expired, and lost what has expired before it got it", async () => {
    const engine = new MemoryEngine(() => now);
    let now = 1;
    const bus = localBusOn(engine, "local");
    const { join, at } = await start({ sent: 5, bus });
    now += 120_000;
    expect((await join(at(5))).to).toMatchObject({ offset: 5, recovered: true, missed: 0 });
    expect((await join(at(4))).to).toMatchObject({ offset: 5, recovered: false });
  });

  it("uses a position once, for the group of that name, and for no other", async () => {
    const { bus, room, epoch, resume, at } = await start({ sent: 3 });
    const other = new GGSocketGroup(ExtApi, { name: "other", bus, history: HISTORY });
    const { peer, outgoing } = await resume(at(1));
    expect(await other.add(outgoing)).toEqual({ isLive: true, recovered: undefined });
    expect(groupFrame(await peer.next()).to).toMatchObject({ group: "other", offset: 0 });
    expect(await room.add(outgoing)).toEqual({ isLive: true, recovered: true });
    const { alias, to } = groupFrame(await peer.next());
    expect(to).toMatchObject({ group: "room", offset: 1, recovered: true, missed: 2 });
    // Again: nothing changes.
    expect(await room.add(outgoing)).toEqual({ isLive: true, recovered: undefined });
    expect(await rest(peer)).toEqual([placed(alias, 2, "2"), placed(alias, 3, "3")]);
    room.remove(outgoing);
    expect(await room.add(outgoing)).toEqual({ isLive: true, recovered: undefined });
    expect((await rest(peer)).map((frame) => groupFrame(frame).to)).toEqual([
      undefined,
      { group: "room", epoch, offset: 3 },
    ]);
  });

  it("has a place in each of its groups, by an alias that is the same to all", async () => {
    const { bus, resume } = await start();
    const names = ["a", "a:b", "a.b", "a\nb", "__proto__", "constructor", "🙂", "\ud800", "x".repeat(5_000), '"\\'];
    const groups = names.map((name) => new GGSocketGroup(ExtApi, { name, bus, history: HISTORY }));
    const members = [await resume(), await resume(), await resume({}, { capabilities: "batch resume" })];
    const aliases: string[][] = [];
    for (const [i, { peer, outgoing }] of members.entries()) {
      for (const group of groups) void group.add(outgoing);
      const frames = (await rest(peer, i === 2)).map(groupFrame);
      // What a text becomes on the way.
      const sent = names.map((name) => JSON.parse(Buffer.from(JSON.stringify(name)).toString()));
      expect(frames.map(({ to }) => (to as { group: string }).group)).toEqual(sent);
      aliases.push(frames.map(({ alias }) => alias));
    }
    expect(new Set(aliases[0]).size).toBe(names.length);
    expect(aliases.slice(1)).toEqual([aliases[0], aliases[0]]);
    for (const [i, group] of groups.entries()) await group.news({ text: `${i}` });
    for (const [i, { peer }] of members.entries())
      expect(await rest(peer, i === 2)).toEqual(aliases[0]?.map((alias, n) => placed(alias, 1, `${n}`)));
  });

  it("resumes in each of its groups apart", async () => {
    const { bus, resume } = await start();
    const names = ["lost", "recovered", "new"];
    const groups = names.map((name) => new GGSocketGroup(ExtApi, { name, bus, history: { size: 2, ttlMs: 60_000 } }));
    const at: [string, string, number][] = [];
    for (const [i, group] of groups.entries()) {
      for (let n = 0; n < 4; n++) await group.news({ text: `${n}` });
      const { top } = await bus.read(`Ext/${names[i]}`, { epoch: "", offset: 0 }, 0);
      if (i < 2) at.push([names[i] as string, top.epoch, i === 0 ? 1 : 3]);
    }
    const { peer, outgoing } = await resume({ session: SESSION, serial: 2, at });
    const joins = await Promise.all(groups.map((group) => group.add(outgoing)));
    expect(joins.map(({ recovered }) => recovered)).toEqual([false, true, undefined]);
    const frames = (await rest(peer)).filter((frame) => frame.startsWith("g")).map((frame) => groupFrame(frame).to);
    expect(frames).toMatchObject([
      { group: "lost", offset: 4, recovered: false },
      { group: "recovered", offset: 3, recovered: true, missed: 1 },
      { group: "new", offset: 4 },
    ]);
  });

  it("takes the first 100 positions, and the later one of two of a group", async () => {
    const { room, epoch, resume } = await start({ sent: 5 });
    const filler = (count: number) => Array.from({ length: count }, (_, i) => [`g${i}`, "E", 1] as const);
    const presentations = [
      { at: [...filler(99), ["room", epoch, 4] as const], to: { offset: 4, recovered: true } },
      { at: [...filler(100), ["room", epoch, 4] as const], to: { offset: 5 } },
      { at: [["room", epoch, 1] as const, ["room", epoch, 3] as const], to: { offset: 3, recovered: true } },
    ];
    for (const { at, to } of presentations) {
      const { peer, outgoing } = await resume({ session: SESSION, serial: 2, at });
      await room.add(outgoing);
      const [frame = ""] = await rest(peer);
      expect(groupFrame(frame).to).toMatchObject(to);
      expect(groupFrame(frame).to).toEqual("recovered" in to ? expect.anything() : { group: "room", epoch, offset: 5 });
    }
  });

  it.each([
    [1_024, true],
    [1_025, undefined],
  ])("has a group whose name has %i characters: recovered is %s", async (length, recovered) => {
    const { room, resume, at } = await start({ sent: 3, name: "é".repeat(length) });
    expect((await room.add((await resume(at(1))).outgoing)).recovered).toBe(recovered);
  });

  it("goes on with positions of a group in this process, which has no bus", async () => {
    const { resume } = await start();
    const room = new GGSocketGroup(ExtApi, { name: "own", history: HISTORY });
    const first = await resume();
    await room.add(first.outgoing);
    const { to } = groupFrame(await first.peer.next());
    await room.news({ text: "1" });
    await room.news({ text: "2" });
    const { epoch } = to as { epoch: string };
    const second = await resume({ session: SESSION, serial: 2, at: [["own", epoch, 1]] });
    expect(await room.add(second.outgoing)).toEqual({ isLive: true, recovered: true });
    const [joined = "", ...missed] = await rest(second.peer);
    const { alias } = groupFrame(joined);
    expect([groupFrame(joined).to, missed]).toEqual([
      { group: "own", epoch, offset: 1, recovered: true, missed: 1 },
      [placed(alias, 2, "2")],
    ]);
  });

  it.each([
    ["with a bus", true],
    ["without one", false],
  ])("learns nothing of a group that keeps nothing, %s", async (_, hasBus) => {
    const { bus, resume, server } = await start({ keys: () => ["user:ann"] });
    const room = new GGSocketGroup(ExtApi, { name: "plain", bus: hasBus ? bus : undefined });
    const { peer, outgoing } = await resume({ session: SESSION, serial: 2, at: [["plain", "E", 1]] });
    expect(await room.add(outgoing)).toEqual({ isLive: true, recovered: undefined });
    await room.news({ text: "1" });
    await server.to("user:ann").news({ text: "2" });
    room.remove(outgoing);
    expect(await rest(peer)).toEqual([plain("1"), plain("2")]);
  });
});

describe("what has no place in the order", () => {
  it("comes as it is: what is droppable, and what goes to the connection alone", async () => {
    const { room, join } = await start({ sent: 2 });
    const { peer, outgoing, alias } = await join();
    room.news({ text: "typing" }, { droppable: true });
    outgoing.news({ text: "to you" });
    await room.news({ text: "3" });
    expect(await rest(peer)).toEqual([plain("typing"), plain("to you"), placed(alias, 3, "3")]);
  });

  it("is an advance: what is not for the client, on any of its connections", async () => {
    const { room, join, at } = await start();
    const first = await join({ session: SESSION, serial: 1 });
    const second = await join({ session: SESSION, serial: 2 });
    const other = await join({ session: "client_0002", serial: 1 });
    const { alias } = first;
    await room.news({ text: "1" }, { except: first.outgoing });
    await room.news({ text: "2" }, { except: second.outgoing });
    await room.news({ text: "3" }, { except: other.outgoing });
    const ofClient = [`g::${alias}:1`, `g::${alias}:2`, placed(alias, 3, "3")];
    expect(await rest(first.peer)).toEqual(ofClient);
    expect(await rest(second.peer)).toEqual(ofClient);
    const ofOther = [placed(alias, 1, "1"), placed(alias, 2, "2"), `g::${alias}:3`];
    expect(await rest(other.peer)).toEqual(ofOther);
    // Also when it is back, though its connections are gone.
    for (const { peer } of [first, second, other]) await peer.close();
    expect(await rest((await join({ ...at(0), serial: 3 })).peer)).toEqual(ofClient);
    expect(await rest((await join({ ...at(0), session: "client_0002", serial: 2 })).peer)).toEqual(ofOther);
  });

  it("is an advance: what a newer version sends, now and afterwards", async () => {
    const { bus, room, join, at } = await start();
    const { peer, alias } = await join();
    const bodies = ["?new form", ";m:Ext.unknown::{}", ";m:Ext.ask::1", ';m:Ext.news::{"text":"a"}\nm:Ext.news::{}'];
    for (const body of bodies) await bus.publish("Ext/room", body, { history: HISTORY });
    await room.news({ text: "5" });
    const expected = [...[1, 2, 3, 4].map((n) => `g::${alias}:${n}`), placed(alias, 5, "5")];
    expect(await rest(peer)).toEqual(expected);
    const again = await join(at(0));
    expect(again.to).toMatchObject({ recovered: true, missed: 5 });
    expect(await rest(again.peer)).toEqual(expected);
  });
});

describe("one client", () => {
  const clients: [string, Presented, Presented, boolean][] = [
    ["is one on connections with rising numbers", { serial: 1 }, { serial: 2 }, true],
    ["is two with one number, as two tabs with a copy", { serial: 1 }, { serial: 1 }, false],
    ["is two with a falling number", { serial: 2 }, { serial: 1 }, false],
    ["is one with negative numbers that rise", { serial: -2 }, { serial: -1 }, true],
    ["is two with numbers that are none", { serial: Number.NaN }, { serial: 1.5 }, false],
    ["is two under two names", { serial: 1 }, { serial: 2, session: "client_0002" }, false],
    ["is two under a name that is too short", { serial: 1, session: "short" }, { serial: 2, session: "short" }, false],
    [
      "is two under a name that is too long",
      { serial: 1, session: "x".repeat(65) },
      { serial: 2, session: "x".repeat(65) },
      false,
    ],
    [
      "is two under a name that would end the name",
      { serial: 1, session: "client;m" },
      { serial: 2, session: "client;m" },
      false,
    ],
    ["is two without a name", { serial: 1, session: "" }, { serial: 2, session: "" }, false],
  ];

  it.each(clients)("%s", async (_, first, second, isOne) => {
    const { room, join } = await start();
    const one = await join({ session: SESSION, ...first });
    const two = await join({ session: SESSION, ...second });
    const { alias } = one;
    await room.news({ text: "1" }, { except: one.outgoing });
    await room.news({ text: "2" }, { except: two.outgoing });
    const notFor = (offset: number) => `g::${alias}:${offset}`;
    const of = (offset: number) => placed(alias, offset, `${offset}`);
    expect(await rest(one.peer)).toEqual([notFor(1), isOne ? notFor(2) : of(2)]);
    expect(await rest(two.peer)).toEqual([isOne ? notFor(1) : of(1), notFor(2)]);
  });

  it("cannot take the name that a connection has in the logs", async () => {
    const { room, resume, url, outgoings, logger } = await start();
    await (await RawPeer.connect(url)).close();
    void (await outgoings.next());
    await vi.waitFor(() => expect(logger.debugEntries.map(({ message }) => message)).toContain(CLOSED));
    const entry = logger.debugEntries.find(({ message }) => message === CLOSED);
    const [, process, number] = /^(\w+)-(\d+)$/.exec(String(entry?.fields.connection)) ?? [];
    const victim = await RawPeer.connect(url);
    await room.add(await outgoings.next());
    const { outgoing } = await resume({ session: `${process}-${Number(number) + 1}`, serial: 9 });
    await room.news({ text: "seen" }, { except: outgoing });
    expect(await rest(victim)).toEqual([plain("seen")]);
  });

  it("gets its name again once its connections are gone, with any number", async () => {
    const { room, join, server } = await start();
    const first = await join({ session: SESSION, serial: 7 });
    await first.peer.close();
    await vi.waitFor(() => expect(server.connectionCount).toBe(0));
    const second = await join({ session: SESSION, serial: 1 });
    const third = await join({ session: SESSION, serial: 2 });
    await room.news({ text: "1" }, { except: second.outgoing });
    expect(await rest(third.peer)).toEqual([`g::${third.alias}:1`]);
  });

  it("goes on with each of two copies that present the same", async () => {
    const { join, at } = await start({ sent: 5 });
    const [one, two] = await Promise.all([join(at(3)), join(at(3))]);
    for (const { peer, alias, to } of [one, two]) {
      expect(to).toMatchObject({ offset: 3, recovered: true, missed: 2 });
      expect(await rest(peer)).toEqual([placed(alias, 4, "4"), placed(alias, 5, "5")]);
    }
  });
});

describe("leaving", () => {
  it("is an empty g, and joining again a g without recovered", async () => {
    const { room, join, epoch } = await start({ sent: 1 });
    const { peer, outgoing, alias } = await join();
    expect([room.remove(outgoing), room.remove(outgoing)]).toEqual([true, false]);
    await room.news({ text: "2" });
    await room.add(outgoing);
    await room.news({ text: "3" });
    const [left, joined = "", ...messages] = await rest(peer);
    expect(left).toBe(`g::${alias}:`);
    expect(groupFrame(joined)).toEqual({ alias, to: { group: "room", epoch, offset: 2 } });
    expect(messages).toEqual([placed(alias, 3, "3")]);
  });

  it.each([
    ["closeAll", (room: { closeAll(): number }) => room.closeAll()],
    ["a close", (_: unknown, peer: RawPeer) => peer.ws.close()],
    ["a break", (_: unknown, peer: RawPeer) => peer.ws.terminate()],
  ] as const)("by %s sends nothing: the client comes back with its position", async (_, leave) => {
    const { room, join, at } = await start({ sent: 1 });
    const { peer, outgoing, alias } = await join();
    const closed = new Promise<void>((resolve) => outgoing.onClose(() => resolve()));
    leave(room, peer);
    await Promise.all([closed, peer.closed]);
    expect(peer.frames.unseen).toEqual([]);
    expect(room.size).toBe(0);
    await room.news({ text: "2" });
    const again = await join(at(1));
    expect(again.to).toMatchObject({ recovered: true, missed: 1 });
    expect(await rest(again.peer)).toEqual([placed(alias, 2, "2")]);
  });
});

/** Peers that did not agree on resume. */
const others = [
  ["of 0.0.39", undefined, undefined],
  ["with other capabilities", "alive cancel drain", undefined],
  ["of a server without resume", "cancel resume", ["alive", "cancel"]],
] as const;

describe.each(others)("a peer %s", (_, announced, capabilities) => {
  async function connect(url: string): Promise<RawPeer> {
    if (announced === undefined) return RawPeer.connect(url);
    const peer = await RawPeer.open(url);
    peer.send(resumingHandshake({ session: SESSION, serial: 1, at: [["room", "E", 1]] }, announced));
    expect(await peer.next()).toMatch(/^k:::\{(?!.*resume)/);
    return peer;
  }

  it("sees every frame as before, whatever its group and its members do", async () => {
    const bus = losingBus();
    const { room, outgoings, url, resume } = await start({ bus, sent: 2, capabilities });
    const peer = await connect(url);
    const outgoing = await outgoings.next();
    expect(await room.add(outgoing)).toEqual({ isLive: true, recovered: undefined });
    if (!capabilities) await room.add((await resume()).outgoing);
    await room.news({ text: "3" });
    await room.news({ text: "4" }, { except: outgoing });
    await bus.publish("Ext/room", "?new form", { history: HISTORY });
    await bus.lose();
    await room.news({ text: "1" });
    room.remove(outgoing);
    await room.add(outgoing);
    await room.news({ text: "2" });
    const received: string[] = [];
    peer.ws.on("message", (data) => received.push(String(data)));
    expect(await rest(peer)).toEqual([plain("3"), plain("1"), plain("2")]);
    // What it sends is without effect.
    peer.send('g::1:{"group":"room","epoch":"E","offset":0}', "g::1:5", "g::1:", "g:Ext.note:1:5", "g");
    peer.send('m:Ext.note:1.5:"a"');
    expect(await rest(peer)).toEqual([]);
  });
});

it("ignores g from a client that resumes, whatever its form", async () => {
  const { room, join, events, logger } = await start({ sent: 2 });
  const { peer, alias } = await join();
  peer.send(
    `g::${alias}:`,
    `g::${alias}:9`,
    `g:Ext.note:${alias}:9`,
    'g::7:{"group":"room","epoch":"E","offset":9}',
    "g",
  );
  peer.send(`m:Ext.note:${alias}.2:"a"`, `m:Ext.note:${alias}.2:"b"`);
  expect(await rest(peer)).toEqual([]);
  // A place is without meaning there.
  expect(events.unseen).toEqual(["note a", "note b"]);
  await room.news({ text: "3" });
  expect(await rest(peer)).toEqual([placed(alias, 3, "3")]);
  expect(logger.entries).toEqual([]);
});

it("sends what was missed in batches where the peer takes them, each within its limit", async () => {
  const { room, resume, at } = await start({ history: { size: 200, ttlMs: 60_000 } });
  const texts = Array.from({ length: 110 }, (_, i) => `${i} ${"x".repeat(i % 10 === 9 ? 9_000 : 50)}`);
  for (const text of texts) await room.news({ text });
  const { peer, outgoing } = await resume(at(0), { capabilities: "batch resume" });
  const received: string[] = [];
  peer.ws.on("message", (data) => received.push(String(data)));
  expect((await room.add(outgoing)).recovered).toBe(true);
  const [joined = "", ...messages] = await rest(peer, true);
  const { alias } = groupFrame(joined);
  expect(messages).toEqual(texts.map((text, i) => placed(alias, i + 1, text)));
  expect(received.length).toBeLessThan(20);
  expect(Math.max(...received.map((text) => Buffer.byteLength(text)))).toBeLessThanOrEqual(65_536);
});

describe("a message of almost 16 MiB", () => {
  const MAX = 16 * 1024 * 1024;
  const LONGEST_PLACE = `${Number.MAX_SAFE_INTEGER}.${Number.MAX_SAFE_INTEGER}`.length;
  const textOf = (bytes: number) => "z".repeat(bytes - plain("").length);

  it("is refused by its publisher where it has no room for any place, when it is kept", async () => {
    const { room, join } = await start();
    const { peer, alias } = await join();
    expect(await room.news({ text: textOf(MAX - LONGEST_PLACE + 1) }).asResult()).toMatchObject({ success: false });
    const text = textOf(MAX - LONGEST_PLACE);
    expect(await room.news({ text }).asResult()).toMatchObject({ success: true });
    expect((await peer.next()) === placed(alias, 1, text)).toBe(true);
    const droppable = textOf(MAX);
    expect(await room.news({ text: droppable }, { droppable: true }).asResult()).toMatchObject({ success: true });
    expect((await peer.next()) === plain(droppable)).toBe(true);
    expect(await room.news({ text: `${droppable}z` }, { droppable: true }).asResult()).toMatchObject({
      success: false,
    });
  });

  it("is an advance to members that resume, now and afterwards, when another node has sent it", async () => {
    const { bus, room, join, at, connect } = await start({ sent: 1 });
    const { peer, alias } = await join();
    const other = await connect();
    await room.add(other.outgoing);
    const publish = (frame: string) => bus.publish("Ext/room", `;${frame}`, { history: HISTORY });
    const fits = plain(textOf(MAX - `${alias}.2`.length));
    await publish(fits);
    await publish(fits.replace("z", "zz"));
    await room.news({ text: "4" });
    const back = await join(at(2));
    expect(back.to).toMatchObject({ recovered: true, missed: 2 });
    const [message = "", ...others] = await rest(peer);
    expect([message.length, message.startsWith(`m:Ext.news:${alias}.2:`)]).toEqual([MAX, true]);
    expect(others).toEqual([`g::${alias}:3`, placed(alias, 4, "4")]);
    expect(await rest(back.peer)).toEqual(others);
    expect((await rest(other.peer)).map(({ length }) => length)).toEqual([
      fits.length,
      fits.length + 1,
      plain("4").length,
    ]);
  });
});
