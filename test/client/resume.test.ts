import { type GGGroupEvent, type GGWebSocketClientConfig, resumeGroups } from "@grest-ts/websocket";
import { describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { watchTheProcess } from "../hostile/watch.js";
import { Gate } from "../support/gate.js";
import { ProbeApi, probe } from "../support/probe.js";
import { Queue } from "../support/queue.js";
import type { RawPeer, RawServer } from "../support/rawPeer.js";
import { recordingLogger } from "../support/server.js";

watchTheProcess();

type Position = readonly [group: string, epoch: string, offset: number];

/** The server's end of a connection, and what its client has presented. */
interface Accepted {
  readonly peer: RawPeer;
  readonly headers: Readonly<Record<string, string>>;
  readonly session: string;
  readonly serial: number;
  readonly at: readonly Position[];
}

/** Takes the next connection, by default with the capability; without an answer it waits. */
async function accept(server: RawServer, answer = 'k:::{"ws-capabilities":"resume=100 drain"}'): Promise<Accepted> {
  const peer = await server.connections.next();
  const headers = JSON.parse((await peer.next()).slice("h:::".length));
  if (answer) peer.send(answer);
  return { peer, headers, ...JSON.parse(headers["ws-resume"] ?? '{"at":[]}') };
}

/** A client that resumes, what its program sees, and its server. */
async function resuming(config: Partial<GGWebSocketClientConfig> = {}) {
  const events = new Queue<GGGroupEvent>();
  const { server, client, logger } = await probe({
    reconnect: { initial: true, initialDelayMs: 1, maxDelayMs: 1 },
    resume: resumeGroups({ onGroup: (event) => events.push(event) }),
    ...config,
  });
  const texts = new Queue<string>();
  const handle = () => client.incoming.on({ news: ({ text }) => texts.push(text) });
  const connecting = () => client.connect().catch(() => {});
  return { server, client, logger, events, texts, handle, connecting };
}

const joined = (alias: string, group: string, epoch: string, offset: number, outcome: object = {}) =>
  `g::${alias}:${JSON.stringify({ group, epoch, offset, ...outcome })}`;
const news = (place: string, text: string) => `m:Probe.news:${place}:${JSON.stringify({ text })}`;
/** What a program was shown, without what it was told. */
const textsOf = (log: readonly string[]) => log.filter((item) => !item.includes(" "));
const first = (group: string) => ({ group, recovered: undefined, missed: 0 });
const lost = (group: string) => ({ group, recovered: false, missed: 0 });

describe("what a client presents", () => {
  it("is a name, a number that rises, and no position at first", async () => {
    const { server, connecting } = await resuming();
    void connecting();
    const one = await accept(server);
    expect(one.session).toMatch(/^[\w-]{8,64}$/);
    expect(one).toMatchObject({ serial: 1, at: [] });
    expect(one.headers["ws-capabilities"]).toBe("batch alive cancel drain resume");
    one.peer.ws.terminate();
    expect(await accept(server)).toMatchObject({ session: one.session, serial: 2, at: [] });
  });

  it("is where it was, also after close() and connect(), disconnect(), forceReconnect(), and without reconnect", async () => {
    for (const act of ["close", "disconnect", "forceReconnect", "drop"] as const) {
      const { server, client, handle, texts, connecting } = await resuming({ reconnect: act === "forceReconnect" });
      handle();
      void connecting();
      const { peer } = await accept(server);
      peer.send(joined("1", "room", "E", 3), news("1.4", "a"));
      expect(await texts.next()).toBe("a");
      if (act === "drop") {
        peer.ws.terminate();
        await vi.waitFor(() => expect(client.state).toBe("closed"));
      } else void Promise.resolve(client[act]()).catch(() => {});
      if (act !== "forceReconnect") void connecting();
      expect((await accept(server)).at, act).toEqual([["room", "E", 4]]);
    }
  });

  it("leaves out what was held when the connection ended", async () => {
    const { server, client, handle, texts, events, connecting } = await resuming();
    const gate = new Gate();
    client.onConnect(() => gate.passed);
    handle();
    void connecting();
    const one = await accept(server);
    one.peer.send(joined("1", "room", "E", 3), news("1.4", "a"));
    await one.peer.roundTrip();
    one.peer.ws.terminate();
    const two = await accept(server);
    expect(two.at).toEqual([]);
    two.peer.send(joined("1", "room", "E", 3), news("1.4", "a"));
    gate.open();
    expect(await texts.next()).toBe("a");
    expect(events.unseen).toEqual([first("room")]);
  });

  it("leaves out what it has left, and what comes after close() in a handler", async () => {
    const { server, client, connecting } = await resuming();
    const seen: string[] = [];
    client.incoming.on({
      news({ text }) {
        seen.push(text);
        if (text === "b") client.close();
      },
    });
    void connecting();
    const { peer } = await accept(server);
    peer.sendTogether(
      joined("1", "left", "E", 3),
      "g::1:",
      joined("2", "room", "E", 3),
      news("2.4", "a"),
      news("2.5", "b"),
      news("2.6", "c"),
    );
    await peer.closed;
    expect(seen).toEqual(["a", "b"]);
    void connecting();
    expect((await accept(server)).at).toEqual([["room", "E", 5]]);
  });

  it("counts as handled what has no handler, whose handler fails, what does not fit and what the contract does not have", async () => {
    for (const frames of [
      [news("1.1", "a")],
      ["m:Probe.news:1.1:{"],
      ['m:Probe.news:1.1:{"text":5}'],
      ["m:Probe.unknown:1.1:{}"],
      ["m:Other.thing:1.1:"],
      ["g::1:1"],
    ]) {
      const { server, client, events, connecting } = await resuming({ logger: recordingLogger() });
      if (frames[0] === news("1.1", "a")) {
        client.incoming.on({
          news() {
            throw new Error("failed");
          },
        });
      } else client.incoming.on({});
      void connecting();
      const { peer } = await accept(server);
      peer.send(joined("1", "room", "E", 0), ...frames);
      expect(await events.next()).toEqual(first("room"));
      await peer.roundTrip();
      peer.ws.terminate();
      expect((await accept(server)).at, frames[0]).toEqual([["room", "E", 1]]);
      client.close();
    }
  });

  it("is the 100 latest of more groups; the others are known to the client itself", async () => {
    const { server, events, handle, connecting } = await resuming();
    handle();
    void connecting();
    const one = await accept(server);
    const names = Array.from({ length: 1_200 }, (_, i) => `room ${i}`);
    one.peer.send(...names.map((name, i) => joined(`${i}`, name, "E", i)));
    await events.take(names.length);
    one.peer.ws.terminate();
    const two = await accept(server);
    expect(two.at).toEqual(names.slice(-100).map((name, i) => [name, "E", 1_100 + i]));
    two.peer.send(joined("a", "room 7", "E", 7), joined("b", "room 8", "E", 9), joined("c", "room 9", "F", 9));
    expect(await events.take(3)).toEqual([
      { group: "room 7", recovered: true, missed: 0 },
      lost("room 8"),
      lost("room 9"),
    ]);
  });

  it("fits into a handshake, whatever the names of its groups", async () => {
    const { server, events, handle, connecting } = await resuming();
    handle();
    void connecting();
    const one = await accept(server);
    const names = ["\\", '"', "\u0001", "é", "😀", "\ud800", "x"].flatMap((character) =>
      [10, 100, 200, 10_000].map((length) => character.repeat(length)),
    );
    one.peer.send(...names.map((name, i) => joined(`${i}`, name, "E", i)));
    await events.take(names.length);
    one.peer.ws.terminate();
    const { headers, at } = await accept(server);
    expect(at.map(([name]) => name)).toEqual(names.filter((name) => JSON.stringify([name, "E", 10]).length <= 250));
    const longest = headers["ws-resume"]?.length ?? 0;
    expect((longest / at.length) * 100).toBeLessThan(65_536 - 10_000);
  });
});

describe("what a program is told", () => {
  it.each<
    [string, Position, readonly [epoch: string, offset: number, outcome?: object], GGGroupEvent, readonly string[]]
  >([
    [
      "all follows",
      ["room", "E", 5],
      ["E", 5, { recovered: true, missed: 2 }],
      { group: "room", recovered: true, missed: 2 },
      ["6", "7"],
    ],
    [
      "nothing was missed",
      ["room", "E", 5],
      ["E", 5, { recovered: true }],
      { group: "room", recovered: true, missed: 0 },
      ["6", "7"],
    ],
    ["it is lost", ["room", "E", 5], ["E", 9, { recovered: false }], lost("room"), ["10"]],
    ["the servers went back", ["room", "E", 5], ["E", 2, { recovered: false }], lost("room"), ["3", "4", "5", "6"]],
    ["there is another epoch", ["room", "E", 5], ["F", 0, { recovered: false }], lost("room"), ["1", "2"]],
    ["the server forgot", ["room", "E", 5], ["E", 5], { group: "room", recovered: true, missed: 0 }, ["6"]],
    ["the server forgot, and there was more", ["room", "E", 5], ["E", 7], lost("room"), ["8"]],
    ["the server says what is not so", ["room", "E", 5], ["F", 5, { recovered: true, missed: 0 }], lost("room"), ["6"]],
    ["the server leaves out some", ["room", "E", 5], ["E", 7, { recovered: true, missed: 0 }], lost("room"), ["8"]],
  ])("when %s", async (_name, position, [epoch, offset, outcome], event, offsets) => {
    const { server, handle, events, texts, connecting } = await resuming();
    handle();
    void connecting();
    const one = await accept(server);
    one.peer.send(joined("1", "room", "E", 4), news("1.5", "before"));
    expect(await texts.next()).toBe("before");
    expect(await events.next()).toEqual(first("room"));
    one.peer.ws.terminate();
    const two = await accept(server);
    expect(two.at).toEqual([position]);
    two.peer.send(joined("7", "room", epoch, offset, outcome), ...offsets.map((at) => news(`7.${at}`, at)));
    expect(await texts.take(offsets.length)).toEqual(offsets);
    expect(events.unseen).toEqual([event]);
    two.peer.ws.terminate();
    expect((await accept(server)).at).toEqual([["room", epoch, Number(offsets.at(-1))]]);
  });

  it("ignores what it has had when a server is behind", async () => {
    const { server, handle, texts, events, connecting } = await resuming();
    handle();
    void connecting();
    const one = await accept(server);
    one.peer.send(joined("1", "room", "E", 4), news("1.5", "5"));
    expect(await texts.next()).toBe("5");
    expect(await events.next()).toEqual(first("room"));
    one.peer.ws.terminate();
    const two = await accept(server);
    two.peer.send(joined("1", "room", "E", 3), ...["4", "5", "6"].map((at) => news(`1.${at}`, at)));
    expect(await texts.next()).toBe("6");
    expect(events.unseen).toEqual([{ group: "room", recovered: true, missed: 0 }]);
  });

  it("takes an epoch that the servers have come back to as another one", async () => {
    const { server, handle, texts, events, connecting } = await resuming();
    handle();
    void connecting();
    const one = await accept(server);
    one.peer.send(joined("1", "room", "E", 3), news("1.4", "e4"), news("1.5", "e5"));
    one.peer.send('g::1:{"epoch":"F","offset":0,"recovered":false}', news("1.1", "f1"));
    expect(await texts.take(3)).toEqual(["e4", "e5", "f1"]);
    one.peer.ws.terminate();
    const two = await accept(server);
    expect(two.at).toEqual([["room", "F", 1]]);
    two.peer.send(joined("1", "room", "E", 2, { recovered: false }), news("1.3", "again 3"), news("1.4", "again 4"));
    expect(await texts.take(2)).toEqual(["again 3", "again 4"]);
    expect(events.unseen).toEqual([first("room"), lost("room"), lost("room")]);
  });

  it("tells of a gap before the message behind it, and of a later loss", async () => {
    const { server, client, connecting } = await resuming({
      resume: resumeGroups({ onGroup: ({ recovered }) => void log.push(`${recovered}`) }),
    });
    const log: string[] = [];
    client.incoming.on({ news: ({ text }) => void log.push(text) });
    void connecting();
    const { peer } = await accept(server);
    peer.send(
      joined("1", "room", "E", 0),
      news("1.1", "1"),
      news("1.3", "3"),
      news("1.2", "2"),
      "g::1:5",
      news("1.6", "6"),
    );
    peer.send(
      'g::1:{"epoch":"F","offset":0,"recovered":false}',
      news("1.1", "f1"),
      "g::1:1",
      "g::1:2",
      news("1.3", "f3"),
    );
    await peer.roundTrip();
    expect(log).toEqual(["undefined", "1", "false", "3", "false", "6", "false", "f1", "f3"]);
  });

  it("takes messages without a place, requests, and those of groups that it has left, as they come", async () => {
    const { server, client, texts, handle, connecting } = await resuming();
    handle();
    client.incoming.on({ ask: () => 7 });
    void connecting();
    const { peer } = await accept(server);
    peer.send(
      joined("1", "room", "E", 5),
      news("", "plain"),
      news("2.1", "unknown"),
      "r:Probe.ask:1.3:",
      news("1.3", "old"),
    );
    peer.send("g::1:", news("1.3", "left"));
    expect(await texts.take(3)).toEqual(["plain", "unknown", "left"]);
    expect(await peer.next()).toBe('s:Probe.ask:1.3:{"success":true,"type":"OK","data":7}');
  });

  it("shows once what two groups of one name and one bus both bring", async () => {
    const { server, handle, texts, events, connecting } = await resuming();
    handle();
    void connecting();
    const { peer } = await accept(server);
    peer.send(joined("1", "room", "E", 5), joined("2", "room", "E", 5));
    for (const at of ["6", "7"]) peer.send(news(`1.${at}`, at), news(`2.${at}`, at));
    peer.send(news("2.8", "8"));
    expect(await texts.take(3)).toEqual(["6", "7", "8"]);
    expect(events.unseen).toEqual([first("room"), { group: "room", recovered: true, missed: 0 }]);
  });

  it("logs what onGroup throws or rejects with, and goes on", async () => {
    const failures = [
      () => {
        throw new Error("thrown");
      },
      () => Promise.reject(new Error("rejected")),
    ];
    for (const onGroup of failures) {
      const { server, handle, texts, logger, connecting } = await resuming({
        resume: resumeGroups({ onGroup: onGroup as () => void }),
      });
      handle();
      void connecting();
      const { peer } = await accept(server);
      peer.send(joined("1", "room", "E", 0), news("1.1", "a"), news("1.3", "b"));
      expect(await texts.take(2)).toEqual(["a", "b"]);
      await vi.waitFor(() => expect(logger.entries).toHaveLength(2));
      expect(logger.entries[0]).toMatchObject({ level: "error", message: "Probe: the onGroup callback failed" });
    }
  });

  it("works without onGroup", async () => {
    const { server, handle, texts, connecting } = await resuming({ resume: resumeGroups() });
    handle();
    void connecting();
    const { peer } = await accept(server);
    peer.send(joined("1", "room", "E", 0), news("1.1", "a"), news("1.1", "a"), news("1.2", "b"));
    expect(await texts.take(2)).toEqual(["a", "b"]);
  });

  it("is about one client each, when two have the same option", async () => {
    const events = new Queue<GGGroupEvent>();
    const resume = resumeGroups({ onGroup: (event) => events.push(event) });
    const one = await resuming({ resume });
    const two = await resuming({ resume });
    for (const { handle, connecting } of [one, two]) {
      handle();
      void connecting();
    }
    const first = await accept(one.server);
    const second = await accept(two.server);
    expect(first.session).not.toBe(second.session);
    first.peer.send(joined("1", "room", "E", 5));
    expect(await events.next()).toMatchObject({ group: "room", recovered: undefined });
    second.peer.send(joined("1", "room", "E", 5));
    expect(await events.next()).toMatchObject({ group: "room", recovered: undefined });
    second.peer.ws.terminate();
    expect(await accept(two.server)).toMatchObject({ serial: 2, at: [["room", "E", 5]] });
  });

  it("holds what joins a group, however much waits for handlers", async () => {
    // One that cannot pause reading, as in a page.
    const { server, events, texts, handle, client, connecting } = await resuming({ webSocket: WebSocket });
    const gate = new Gate();
    client.onConnect(() => gate.passed);
    void connecting();
    const one = await accept(server);
    one.peer.send(
      ...Array.from({ length: 10_001 }, () => 'm:Probe.unknown::""'),
      joined("1", "room", "E", 0),
      news("1.1", "a"),
    );
    await one.peer.roundTrip();
    handle();
    gate.open();
    expect(await events.next()).toEqual(first("room"));
    one.peer.send(news("1.2", "b"));
    expect(await texts.next()).toBe("b");
    expect(await events.next()).toEqual(lost("room"));
  });
});

describe("while one connection replaces another", () => {
  /** A client on a connection that waits for a reply and is drained, with the one that replaces it, set up when it may be. */
  async function handingOver() {
    const log: string[] = [];
    const { server, client, connecting } = await resuming({
      resume: resumeGroups({ onGroup: ({ recovered, missed }) => void log.push(`${recovered} ${missed}`) }),
    });
    let gate: Gate | undefined;
    client.onConnect(() => gate?.passed);
    client.incoming.on({ news: ({ text }) => void log.push(text) });
    void connecting();
    const old = (await accept(server)).peer;
    old.send(joined("1", "room", "E", 0), news("1.1", "e1"));
    await vi.waitFor(() => expect(log).toEqual(["undefined 0", "e1"]));
    log.length = 0;
    void client.outgoing.echo({ text: "x" }).asResult();
    gate = new Gate<void>();
    old.send("d:::0");
    const { peer, at } = await accept(server);
    expect(at).toEqual([["room", "E", 1]]);
    /** Lets the set-up end, and what has waited for it be handled. */
    const setUp = async () => {
      const isSetUp = new Promise<void>((resolve) => client.onDisconnect(() => resolve()));
      await Promise.all([old.roundTrip(), peer.roundTrip()]);
      gate?.open();
      await isSetUp;
    };
    return { server, client, log, old, peer, setUp, openGate: () => gate?.open() };
  }

  it("shows once, and in order, what both bring", async () => {
    const { server, log, old, peer, setUp } = await handingOver();
    peer.send(joined("9", "room", "E", 1, { recovered: true, missed: 1 }), news("9.2", "e2"), news("9.3", "e3"));
    old.send(news("1.2", "e2"), news("1.3", "e3"), news("1.4", "e4"));
    await setUp();
    peer.send(news("9.4", "e4"), news("9.5", "e5"));
    await peer.roundTrip();
    old.send(news("1.5", "e5"), "g::1:6");
    await old.roundTrip();
    peer.send("g::9:6", news("9.7", "e7"));
    await peer.roundTrip();
    expect(textsOf(log)).toEqual(["e2", "e3", "e4", "e5", "e7"]);
    expect(log).not.toContain("false 0");
    peer.ws.terminate();
    expect((await accept(server)).at).toEqual([["room", "E", 7]]);
  });

  it("shows nothing twice when the old one is the first to be told of a loss", async () => {
    const { log, old, peer, setUp } = await handingOver();
    peer.send(joined("9", "room", "E", 1, { recovered: true }), news("9.2", "e2"));
    peer.send('g::9:{"epoch":"F","offset":0,"recovered":false}', news("9.1", "f1"), news("9.2", "f2"));
    old.send(news("1.2", "e2"), 'g::1:{"epoch":"F","offset":0,"recovered":false}', news("1.1", "f1"));
    await setUp();
    old.send(news("1.2", "f2"), news("1.3", "f3"));
    await old.roundTrip();
    peer.send(news("9.3", "f3"), news("9.4", "f4"));
    await peer.roundTrip();
    expect(textsOf(log)).toEqual(["e2", "f1", "f2", "f3", "f4"]);
    expect(log.slice(log.indexOf("e2"), log.indexOf("f1"))).toContain("false 0");
  });

  it("shows nothing twice when the old one is told of a loss last", async () => {
    const { server, log, old, peer, setUp } = await handingOver();
    peer.send(joined("9", "room", "F", 5, { recovered: false }), news("9.6", "f6"));
    await setUp();
    peer.ws.terminate();
    const { peer: third, at } = await accept(server);
    expect(at).toEqual([["room", "F", 6]]);
    third.send(joined("9", "room", "F", 6, { recovered: true }));
    await third.roundTrip();
    old.send('g::1:{"epoch":"F","offset":0,"recovered":false}', ...["1", "6", "7"].map((i) => news(`1.${i}`, `f${i}`)));
    await old.roundTrip();
    third.send(news("9.7", "f7"), news("9.8", "f8"));
    await third.roundTrip();
    expect(log).toEqual(["false 0", "f6", "true 0", "f7", "f8"]);
  });

  it("goes on when the new one fails, whatever that has brought", async () => {
    const { server, log, old, peer } = await handingOver();
    peer.send(joined("9", "room", "F", 0, { recovered: false }), news("9.1", "f1"));
    await peer.roundTrip();
    peer.ws.terminate();
    const third = await accept(server);
    expect(third.at).toEqual([["room", "E", 1]]);
    old.send(news("1.2", "e2"), news("1.3", "e3"));
    await old.roundTrip();
    old.ws.terminate();
    third.peer.ws.terminate();
    const { peer: last, at } = await accept(server);
    const seen = 1 + log.length;
    expect(at).toEqual([["room", "E", seen]]);
    const rest = ["e2", "e3", "e4"].slice(seen - 1);
    const events = log.length;
    last.send(joined("9", "room", "E", seen, { recovered: true }), ...rest.map((it) => news(`9.${it[1]}`, it)));
    await last.roundTrip();
    expect(log.slice(0, events)).toEqual(["e2", "e3"].slice(0, seen - 1));
  });

  it.each(["terminate", "left"] as const)("shows the rest once when the old one ends: %s", async (end) => {
    const { server, log, old, peer, setUp, openGate } = await handingOver();
    peer.send(joined("9", "room", "E", 1, { recovered: true, missed: 2 }), news("9.2", "e2"), news("9.3", "e3"));
    await peer.roundTrip();
    if (end === "left") old.send("g::1:");
    else old.ws.terminate();
    if (end === "left") await setUp();
    else openGate();
    await vi.waitFor(() => expect(textsOf(log)).toEqual(["e2", "e3"]));
    expect(log).not.toContain("false 0");
    peer.ws.terminate();
    expect((await accept(server)).at).toEqual([["room", "E", 3]]);
  });

  it("shows nothing twice when the new one is behind what the old one was told while that was dialled", async () => {
    const { server, log, old, peer: failing, openGate } = await handingOver();
    failing.ws.terminate();
    const { peer } = await accept(server, "");
    old.send('g::1:{"epoch":"F","offset":0,"recovered":false}', news("1.1", "f1"));
    await old.roundTrip();
    expect(log).toEqual(["false 0", "f1"]);
    peer.send('k:::{"ws-capabilities":"resume=100"}', joined("9", "room", "E", 1, { recovered: true, missed: 1 }));
    peer.send(
      news("9.2", "e2"),
      'g::9:{"epoch":"F","offset":0,"recovered":false}',
      news("9.1", "f1"),
      news("9.2", "f2"),
    );
    await peer.roundTrip();
    openGate();
    await vi.waitFor(() => expect(textsOf(log).at(-1)).toBe("f2"));
    expect(textsOf(log).filter((it) => it !== "e2")).toEqual(["f1", "f2"]);
  });

  it("goes on with the old one while there is no other, and tells when that is not where the new one was", async () => {
    for (const hasBrought of [false, true]) {
      const { server, log, old, peer, setUp } = await handingOver();
      peer.send(joined("9", "room", "F", 0, { recovered: false }), news("9.1", "f1"));
      if (hasBrought) await setUp();
      peer.ws.terminate();
      // It never accepts this one.
      await server.connections.next();
      old.send(news("1.2", "e2"), news("1.3", "e3"));
      await old.roundTrip();
      // That epoch has ended: the old one is yet to hear of it.
      expect(log).toEqual(hasBrought ? ["false 0", "f1"] : ["e2", "e3"]);
    }
  });

  it.each([
    ["has left", "g::1:"],
    ["is told of a loss", 'g::1:{"epoch":"F","offset":0,"recovered":false}'],
    ["joins once more", joined("1", "room", "D", 7)],
  ])("stays where the new one is when the old one %s", async (_name, frame) => {
    const { server, log, old, peer, setUp } = await handingOver();
    peer.send(joined("9", "room", "E", 1, { recovered: true }), news("9.2", "e2"));
    await setUp();
    old.send(frame, news("1.3", "old"));
    await old.roundTrip();
    peer.send(news("9.3", "e3"));
    await peer.roundTrip();
    expect(log.filter((item) => item !== "old")).toEqual(["true 0", "e2", "e3"]);
    peer.ws.terminate();
    expect((await accept(server)).at).toEqual([["room", "E", 3]]);
  });

  it("forgets a group that the new one has left, whatever the old one still brings", async () => {
    const { server, log, old, peer, setUp } = await handingOver();
    peer.send(joined("9", "room", "E", 1, { recovered: true }), "g::9:");
    await setUp();
    old.send(news("1.2", "e2"));
    await Promise.all([old.roundTrip(), peer.roundTrip()]);
    expect(log).toEqual(["true 0", "e2"]);
    peer.ws.terminate();
    const { peer: third, at } = await accept(server);
    expect(at).toEqual([]);
    third.send(joined("9", "room", "E", 7));
    await third.roundTrip();
    expect(log).toEqual(["true 0", "e2", "undefined 0"]);
  });

  it("shows what the old one brings while the new one is being set up, and goes on from there when that fails", async () => {
    const { server, log, old, peer } = await handingOver();
    old.send(news("1.2", "e2"), news("1.3", "e3"));
    await Promise.all([old.roundTrip(), peer.roundTrip()]);
    expect(log).toEqual(["e2", "e3"]);
    peer.ws.terminate();
    expect((await accept(server, "")).at).toEqual([["room", "E", 3]]);
    old.send(news("1.4", "e4"));
    await old.roundTrip();
    expect(log).toEqual(["e2", "e3", "e4"]);
  });

  it("does not go back to an epoch that has ended while the new one was dialled", async () => {
    const { log, old, peer, setUp } = await handingOver();
    old.send(news("1.2", "e2"), `g::1:{"epoch":"F","offset":0,"recovered":false}`, news("1.1", "f1"));
    await old.roundTrip();
    peer.send(joined("9", "room", "E", 2, { recovered: false }), news("9.3", "e3"));
    peer.send(`g::9:{"epoch":"F","offset":0,"recovered":false}`, news("9.1", "f1"), news("9.2", "f2"));
    await setUp();
    await peer.roundTrip();
    expect(log).toEqual(["e2", "false 0", "f1", "f2"]);
  });

  it("forgets a group that the old one has left, which the new one has not joined", async () => {
    const { server, log, old, peer, setUp } = await handingOver();
    await setUp();
    old.send("g::1:");
    await old.roundTrip();
    peer.ws.terminate();
    const { peer: third, at } = await accept(server);
    expect(at).toEqual([]);
    third.send(joined("9", "room", "E", 7));
    await third.roundTrip();
    expect(log).toEqual(["undefined 0"]);
  });

  it("presents nothing after a connection that cannot resume: nobody knows what that one has brought", async () => {
    const { server, connecting, handle, texts } = await resuming();
    handle();
    void connecting();
    const one = (await accept(server)).peer;
    one.send(joined("1", "room", "E", 5));
    await one.roundTrip();
    one.ws.terminate();
    const other = await accept(server, "k:::null");
    expect(other.at).toEqual([["room", "E", 5]]);
    other.peer.send(news("", "e6"));
    expect(await texts.next()).toBe("e6");
    other.peer.ws.terminate();
    expect((await accept(server)).at).toEqual([]);
  });
});

describe("a server", () => {
  it.each([
    ["of 0.0.39", "k:::null"],
    ["without the capability", 'k:::{"ws-capabilities":"drain"}'],
  ])("%s gets nothing of it but the offer, and its frames mean nothing", async (_name, answer) => {
    const { server, handle, texts, events, connecting } = await resuming();
    handle();
    void connecting();
    const { peer } = await accept(server, answer);
    peer.send(joined("1", "room", "E", 5), news("1.3", "a"), news("1.3", "b"), "g::1:9", "g::1:", news("", "c"));
    expect(await texts.take(3)).toEqual(["a", "b", "c"]);
    peer.ws.terminate();
    const again = await accept(server, answer);
    expect(again.at).toEqual([]);
    await again.peer.roundTrip();
    expect(again.peer.frames.unseen).toEqual([]);
    expect(events.unseen).toEqual([]);
  });

  it("gets none of it from a client that leaves it out of its capabilities", async () => {
    for (const capabilities of [[], ["drain"]] as const) {
      const { server, logger, connecting } = await resuming({ capabilities });
      void connecting();
      const { headers } = await accept(server, "k:::null");
      expect(headers).toEqual(capabilities.length > 0 ? { "ws-capabilities": "drain" } : {});
      expect(logger.entries.map(({ message }) => message)).toEqual([
        "Probe: resume has no effect, since capabilities do not include it",
      ]);
    }
    const { server, events, logger, handle, connecting } = await resuming({ capabilities: ["resume"] });
    handle();
    void connecting();
    const { peer, headers, at } = await accept(server, 'k:::{"ws-capabilities":"resume=100"}');
    expect([headers["ws-capabilities"], at]).toEqual(["resume", []]);
    peer.send(joined("1", "room", "E", 5));
    expect(await events.next()).toEqual(first("room"));
    expect(logger.entries).toEqual([]);
  });

  it("may send what it likes under the capability of a client that has no use for it", async () => {
    const { server, handle, texts, logger, connecting } = await resuming({
      resume: undefined,
      capabilities: ["resume"],
    });
    handle();
    void connecting();
    const { peer, headers } = await accept(server, 'k:::{"ws-capabilities":"resume=100"}');
    expect(headers).toEqual({ "ws-capabilities": "resume" });
    peer.send(joined("1", "room", "E", 5), news("1.3", "a"));
    expect(await texts.next()).toBe("a");
    expect(logger.entries).toEqual([]);
  });

  it("loses nothing by frames that name no place", async () => {
    const { server, handle, texts, events, connecting } = await resuming();
    handle();
    void connecting();
    const { peer } = await accept(server);
    const payloads = [
      "",
      "{",
      "[]",
      '{"group":"x"}',
      '{"group":"x","epoch":"E","offset":"1"}',
      '{"group":"x","offset":1}',
    ];
    payloads.push('{"group":"x","epoch":"E","offset":null}', '{"group":"x","epoch":{},"offset":1}');
    for (const payload of payloads) peer.send(`g::1:${payload}`, news("1.3", payload));
    expect(await texts.take(payloads.length)).toEqual(payloads);
    expect(events.unseen).toEqual([]);
  });

  it("may send groups that are none", async () => {
    const { server, handle, texts, client, connecting } = await resuming();
    handle();
    void connecting();
    const { peer } = await accept(server);
    const values = [
      "",
      "{",
      "null",
      "true",
      '"x"',
      "[]",
      "{}",
      "-1",
      "1e400",
      "1.5",
      "[1]",
      '{"group":5}',
      '{"group":{}}',
    ];
    values.push(
      '{"group":"__proto__","epoch":{},"offset":"1"}',
      '{"group":"x","epoch":"E","offset":null,"recovered":7}',
    );
    values.push('{"epoch":"E","offset":1,"recovered":false}', '{"group":null,"epoch":null,"missed":"x"}');
    for (const alias of ["", "1", "1.2", "__proto__", "1"])
      for (const value of values) peer.send(`g::${alias}:${value}`, `g:Probe.news:${alias}:${value}`);
    peer.send("g::9:", news("9.1", "still here"));
    expect(await texts.next()).toBe("still here");
    expect(client.isConnected).toBe(true);
    peer.ws.terminate();
    // It still presents what can be read.
    expect(Array.isArray((await accept(server)).at)).toBe(true);
  });
});

describe("createClient", () => {
  it.each([
    ["a function", resumeGroups],
    ["an object", {}],
    ["true", true],
    ["an object", []],
    ["null", null],
  ])("names what is wrong with resume: %s", (shown, resume) => {
    expect(() => ProbeApi.createClient({ resume: resume as never })).toThrow(
      `Probe: resume must be what resumeGroups() returns, not ${shown}`,
    );
  });
});
