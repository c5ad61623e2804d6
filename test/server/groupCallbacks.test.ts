import { type GGHistory, GGSocketGroup } from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { connectionOf } from "../../src/server/groups/connectionOf.js";
import { Ledger } from "../../src/server/ledger.js";
import { watchTheProcess } from "../hostile/watch.js";
import { ExtApi, type ExtOutgoing } from "../support/extApi.js";
import { serveNode } from "../support/groupSuite.js";
import { losingBus } from "../support/losingBus.js";
import type { RawPeer } from "../support/rawPeer.js";
import { connectResuming, groupFrame } from "../support/resumingPeer.js";

watchTheProcess();

const HISTORY: GGHistory = { size: 100, ttlMs: 60_000 };

const rest = (peer: RawPeer) => peer.framesUntilAnswerTo('r:Ext.echo:rest:"x"');

interface TestMember {
  readonly peer: RawPeer;
  readonly outgoing: ExtOutgoing;
}

/** A room with four members, two of which resume, and one of each kind that is not in it yet. */
async function start(history?: GGHistory) {
  const bus = losingBus();
  onTestFinished(() => bus.close());
  const node = await serveNode(bus, { keys: () => [] });
  const room = new GGSocketGroup(ExtApi, { name: "room", bus, ...(history && { history }) });
  const resume = async (session: string): Promise<TestMember> => ({
    peer: await connectResuming(node.url, { session, serial: 1 }),
    outgoing: await node.outgoings.next(),
  });
  const members = [
    await node.connect(),
    await resume("client_0001"),
    await node.connect(),
    await resume("client_0003"),
  ];
  for (const { outgoing } of members) await room.add(outgoing);
  const others = [await node.connect(), await resume("client_0005")];
  return { bus, room, members, others };
}

type Room = Awaited<ReturnType<typeof start>>["room"];

/** What a callback of the program does with a member, and the others. */
const ACTIONS: Record<string, (room: Room, member: TestMember, others: readonly TestMember[]) => void> = {
  removes: (room, { outgoing }) => void room.remove(outgoing),
  "removes and adds again": (room, { outgoing }) => void [room.remove(outgoing), room.add(outgoing)],
  closes: (_, { outgoing }) => connectionOf(outgoing).terminate(),
  "removes all others and": (room, { outgoing }, others) =>
    void [...others.map((other) => room.remove(other.outgoing)), room.add(outgoing)],
  "adds, with others,": (room, { outgoing }, others) =>
    void [outgoing, ...others.map((other) => other.outgoing)].map((each) => room.add(each)),
};

/** Runs a callback when room is made the nth time from now on, as the `onClose` of a connection that is closed for that. */
function whenRoomIsMade(nth: number, callback: () => void): void {
  let count = 0;
  vi.spyOn(Ledger.prototype, "outboxGrows").mockImplementation(() => void (count++ === nth && callback()));
  onTestFinished(() => void vi.restoreAllMocks());
}

/** What is wrong with all that a peer was sent. */
function faultsOf(frames: readonly string[], isResuming: boolean): string[] {
  const faults: string[] = [];
  const texts: string[] = [];
  let at: number | undefined;
  let epoch = "";
  for (const frame of frames) {
    const [, place = "", text = ""] = /^m:Ext\.news:([^:]*):\{"text":"(\d)"\}$/.exec(frame) ?? [];
    if (texts.includes(text) && text) faults.push(`${text} twice`);
    if (text) texts.push(text);
    if (!isResuming) continue;
    if (text && !place) continue;
    const to = text ? Number(place.split(".")[1]) : groupFrame(frame).to;
    if (typeof to === "object" && (to.group || at !== undefined)) {
      if (!to.group && to.epoch === epoch) faults.push(`${frame}, which it knows`);
      ({ offset: at, epoch } = to);
    } else if (at === undefined) faults.push(`${frame} to one that is no member`);
    else if (typeof to === "number" && to !== at + 1) faults.push(`${frame} after ${at}`);
    else at = to as number | undefined;
  }
  return faults;
}

describe.each([
  ["messages that are kept", HISTORY],
  ["messages that are not kept", undefined],
] as const)("a callback in the middle of %s", (_, history) => {
  it.each(Object.keys(ACTIONS))("%s a member, of which each gets everything once, in order", async (what) => {
    for (let nth = 0; nth < 4; nth++)
      for (let which = 0; which < 4; which++) {
        const { room, members, others } = await start(history);
        const all = [...members, ...others];
        const member = members[which] as TestMember;
        const rests = members.filter((other) => other !== member);
        let wasCalled = false;
        whenRoomIsMade(nth, () => {
          wasCalled = true;
          ACTIONS[what]?.(room, member, what.startsWith("removes all") ? rests : others);
        });
        await room.news({ text: "1" });
        vi.restoreAllMocks();
        expect(wasCalled).toBe(true);
        await room.news({ text: "2" });
        for (const [i, { peer, outgoing }] of all.entries()) {
          const where = `${nth}, ${which}: member ${i}`;
          if (!connectionOf(outgoing).isOpen) {
            await peer.closed;
            expect(what, where).toBe("closes");
            continue;
          }
          const frames = await rest(peer);
          expect(faultsOf(frames, i % 2 === 1), `${where} ${frames}`).toEqual([]);
          const has = (text: string) => frames.some((frame) => frame.endsWith(`{"text":"${text}"}`));
          expect(has("2"), where).toBe(room.has(outgoing));
          // One that stays gets the first one, and one whose turn has not come does not any more.
          const leaves = what.startsWith("removes all")
            ? i !== which && i < 4
            : i === which && what.startsWith("removes");
          expect(has("1"), where).toBe(i < 4 && (!leaves || i < nth));
        }
        for (const { peer } of all) peer.ws.terminate();
        for (const { peer } of all) await peer.closed;
      }
  });
});

describe("a callback in the middle of a loss", () => {
  it.each(Object.keys(ACTIONS))("%s a member, to which nothing comes after it has left", async (what) => {
    for (let nth = 0; nth < 2; nth++)
      for (const which of [1, 3]) {
        const { bus, room, members, others } = await start(HISTORY);
        const member = members[which] as TestMember;
        const rests = members.filter((other) => other !== member);
        whenRoomIsMade(nth, () => ACTIONS[what]?.(room, member, what.startsWith("removes all") ? rests : others));
        await bus.lose();
        vi.restoreAllMocks();
        await room.news({ text: "1" });
        await room.news({ text: "2" });
        for (const [i, { peer, outgoing }] of [...members, ...others].entries()) {
          if (!connectionOf(outgoing).isOpen) continue;
          const frames = await rest(peer);
          expect(faultsOf(frames, i % 2 === 1), `${nth}, ${which}: member ${i} ${frames}`).toEqual([]);
          const last = frames.at(-1) ?? "";
          expect(last.endsWith('{"text":"2"}'), `${nth}, ${which}: member ${i}`).toBe(room.has(outgoing));
        }
        for (const { peer } of [...members, ...others]) peer.ws.terminate();
      }
  });
});

it("is told once that it has left when a callback removes it meanwhile", async () => {
  const { room, members } = await start(HISTORY);
  const { peer, outgoing } = members[1] as TestMember;
  await rest(peer);
  whenRoomIsMade(0, () => room.remove(outgoing));
  expect(room.remove(outgoing)).toBe(false);
  vi.restoreAllMocks();
  expect((await rest(peer)).map((frame) => groupFrame(frame).to)).toEqual([undefined]);
});
