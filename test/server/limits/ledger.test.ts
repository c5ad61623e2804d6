import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { GGSocketGroup, GGWebSocketMetrics } from "@grest-ts/websocket";
import { beforeEach, expect, it } from "vitest";
import { Ledger } from "../../../src/server/ledger.js";
import { resolveLimits } from "../../../src/server/limits.js";
import { ExtApi, serveExt } from "../../support/extApi.js";
import { RawPeer } from "../../support/rawPeer.js";

beforeEach(() => GG_METRICS.overwrite(new GGMetricsStore()));

function closedSocket(ledger: Ledger) {
  const slot = ledger.open("1.2.3.4");
  const before = slot.signal;
  expect(before.aborted).toBe(false);
  expect([ledger.sockets, ledger.unaccepted, ledger.of("1.2.3.4")]).toEqual([1, 1, 1]);
  slot.release();
  return { slot, before };
}

it("counts a handshake out once, also when it is accepted after its socket has closed", () => {
  const ledger = new Ledger(resolveLimits("Any"), []);
  const { slot } = closedSocket(ledger);
  slot.accept();
  expect([ledger.sockets, ledger.unaccepted, ledger.of("1.2.3.4")]).toEqual([0, 0, 0]);
});

it("signals that a socket has closed, whenever the signal is asked for", () => {
  const ledger = new Ledger(resolveLimits("Any"), []);
  const { slot, before } = closedSocket(ledger);
  expect(before.aborted).toBe(true);
  const asked = ledger.open(undefined);
  asked.release();
  expect(asked.signal.aborted).toBe(true);
  expect(slot.signal).toBe(before);
});

it("holds while what it drops sends more", () => {
  const senders: { bytes: number; measureBacklog(): number; dropSlowConsumer(): void }[] = [];
  const ledger = new Ledger(resolveLimits("Any", { maxTotalOutboxBytes: 1_000 }), senders);
  const waiting = () => senders.reduce((sum, { bytes }) => sum + bytes, 0);
  const drops: unknown[] = [];
  for (let i = 0; i < 20; i++) {
    const sender = {
      bytes: 0,
      measureBacklog: () => sender.bytes,
      dropSlowConsumer() {
        drops.push(sender);
        senders.splice(senders.indexOf(sender), 1);
        // "One has left", to everyone.
        for (const other of [...senders]) send(other, 5);
      },
    };
    senders.push(sender);
  }
  const send = (sender: (typeof senders)[number], bytes: number) => {
    ledger.outboxGrows(bytes);
    if (senders.includes(sender)) sender.bytes += bytes;
  };
  for (let i = 0; senders.length > 2; i++) {
    send(senders[i % senders.length] as (typeof senders)[number], 30);
    expect(waiting()).toBeLessThanOrEqual(1_000);
  }
  expect(new Set(drops).size).toBe(drops.length);
});

const sent = (result: string) =>
  GGWebSocketMetrics.outRequests.getValue({ api: "Ext", path: "/ws/ext", method: "Ext.news", result }) ?? 0;

it("takes what a dropped peer has released from the bytes that wait, also before its socket has closed", async () => {
  const { url, outgoings, logger } = await serveExt({ limits: { maxTotalOutboxBytes: 4_000_000 } });
  const peers = [await RawPeer.connect(url), await RawPeer.connect(url)];
  const [slow, other] = await outgoings.take(2);
  for (const peer of peers) peer.ws.pause();
  let isDropped = false;
  slow?.onClose(() => {
    isDropped = true;
  });
  const text = "x".repeat(200_000);
  // The buffers of the system fill first.
  let calls = 0;
  for (; !isDropped && calls < 1_000; calls++) void slow?.news({ text });
  expect(isDropped).toBe(true);
  // What made the limit be reached was not sent.
  expect([sent("OK"), sent("CONNECTION_CLOSED")]).toEqual([calls - 1, 1]);
  // In the same tick, and less than may wait by itself.
  for (let n = 0; n < 15; n++) void other?.news({ text });
  expect(logger.entries).toMatchObject([{ message: "Ext: a connection is closed, since its peer reads too slowly" }]);
  peers[1]?.ws.resume();
  expect(await peers[1]?.frames.take(15)).toHaveLength(15);
});

it("sends a group's message to no member that it is counted as dropped for", async () => {
  const { url, outgoings } = await serveExt({ limits: { maxOutboxBytes: 1_000_000 } });
  const peer = await RawPeer.connect(url);
  const group = new GGSocketGroup(ExtApi);
  group.add(await outgoings.next());
  peer.ws.pause();
  const text = "x".repeat(200_000);
  for (let n = 0; sent("DROPPED") === 0 && n < 1_000; n++) group.news({ text }, { droppable: true });
  expect(sent("DROPPED")).toBe(1);
  peer.ws.resume();
  expect(await peer.framesUntilAnswerTo('r:Ext.echo:1:"x"')).toHaveLength(sent("OK"));
});
