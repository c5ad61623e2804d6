import { once } from "node:events";
import type { Socket } from "node:net";
import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { GGWebSocketMetrics } from "@grest-ts/websocket";
import { beforeEach, describe, expect, it } from "vitest";
import { ExtApi, serveExt } from "../support/extApi.js";
import { Gate } from "../support/gate.js";
import { displayed } from "../support/probe.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";

beforeEach(() => GG_METRICS.overwrite(new GGMetricsStore()));

/** Handlers for the methods that a test does not call. */
const others = { echo: (text: string) => text, wait: (text: string) => text, note: () => {}, nest: () => "fine" };

describe("a message that waits for handlers", () => {
  it("is read on when it alone has paused the connection", async () => {
    const gate = new Gate();
    const arrived = new Queue<number>();
    const { url, http } = await serveApi(ExtApi, async (incoming) => {
      await gate.passed;
      incoming.on({ ...others, note: (text) => void arrived.push(text.length) });
    });
    const accepted = once(http.httpServer, "connection");
    const peer = await RawPeer.connect(url);
    const [socket] = (await accepted) as [Socket];
    const large = 2 * 1024 * 1024;
    const paused = once(socket, "pause");
    peer.send(`m:Ext.note::"${"x".repeat(large)}"`);
    await paused;
    gate.open();
    expect(await arrived.next()).toBe(large);
    peer.send('m:Ext.note::"after"');
    expect(await arrived.next()).toBe("after".length);
  });

  it("is not counted as waiting any more when the handshake that it waited for is done", async () => {
    const entered = new Gate();
    const release = new Gate();
    const process = async () => {
      entered.open();
      await release.passed;
    };
    const { url } = await serveApi(
      ExtApi,
      async (incoming, outgoing) => {
        await outgoing.ask("you");
        incoming.on(others);
      },
      { middlewares: [{ process }] },
    );
    const peer = await RawPeer.open(url);
    peer.send("h:::{}");
    await entered.passed;
    for (let n = 0; n < 200; n++) peer.send('m:Ext.note::"early"');
    await peer.roundTrip();
    release.open();
    expect(await peer.frames.take(2)).toEqual(["k:::null", 'r:Ext.ask:1:"you"']);
    // 201 wait, fewer than the 256 that may.
    peer.send('r:Ext.echo:1:"x"', 's:Ext.ask:1:{"success":true,"type":"OK","data":"me"}');
    expect(await peer.next()).toBe('s:Ext.echo:1:{"success":true,"type":"OK","data":"x"}');
  });

  it("is handled once, also when a call of this end lets it go ahead", async () => {
    const gate = new Gate();
    const echoed: string[] = [];
    const { url } = await serveApi(ExtApi, async (incoming, outgoing) => {
      await gate.passed;
      const echo = (text: string) => {
        echoed.push(text);
        return text;
      };
      incoming.on({ ...others, echo });
      await outgoing.ask("you");
    });
    const peer = await RawPeer.connect(url);
    peer.send('r:Ext.echo:1:"early"');
    await peer.roundTrip();
    gate.open();
    const frames = await peer.frames.take(2);
    expect(frames).toContain('s:Ext.echo:1:{"success":true,"type":"OK","data":"early"}');
    expect(frames).toContain('r:Ext.ask:1:"you"');
    peer.send('s:Ext.ask:1:{"success":true,"type":"OK","data":"me"}');
    expect(await peer.framesUntilAnswerTo('r:Ext.echo:2:"late"')).toEqual([]);
    expect(echoed).toEqual(["early", "late"]);
  });
});

it("takes no more cancellations from a peer than it has made requests", async () => {
  const { url, events } = await serveExt();
  const { peer } = await RawPeer.connectWith(url, "cancel");
  peer.send('m:Ext.note::"x"', 'r:Ext.wait:1:"a"', "c:Ext.wait:9:", "c:Ext.wait:1:");
  await peer.framesUntilAnswerTo('r:Ext.echo:2:"x"');
  expect(events.unseen).toEqual(["note x", "begun a"]);
  peer.send("c:Ext.wait:1:");
  await peer.framesUntilAnswerTo('r:Ext.echo:3:"x"');
  expect(events.unseen).toEqual(["note x", "begun a", "aborted a"]);
});

it("answers requests and takes cancellations while as many messages are handled as may be", async () => {
  const { url, events } = await serveExt({ limits: { maxRequestsInFlight: 2 } });
  const { peer } = await RawPeer.connectWith(url, "cancel");
  peer.send('r:Ext.wait:1:"asked"');
  for (let n = 1; n <= 20; n++) peer.send(`m:Ext.wait::"${n}"`);
  peer.send('r:Ext.echo:2:"x"', "c:Ext.wait:1:");
  expect(await peer.next()).toBe('s:Ext.echo:2:{"success":true,"type":"OK","data":"x"}');
  await peer.roundTrip();
  expect(events.unseen).toContain("aborted asked");
});

it("knows that each call of a batch was sent", async () => {
  const { url, outgoings } = await serveExt();
  const { peer } = await RawPeer.connectWith(url, "batch=65536");
  const outgoing = await outgoings.next();
  const calls = ["a", "b", "c"].map((text) => outgoing.ask(text).asResult());
  expect(await peer.next()).toBe('r:Ext.ask:1:"a"\nr:Ext.ask:2:"b"\nr:Ext.ask:3:"c"');
  peer.ws.terminate();
  for (const outcome of await Promise.all(calls)) expect(displayed(outcome)).toMatch(/was sent and may have run$/);
});

it("counts each call's message that is dropped, or comes after the close", async () => {
  const { url, outgoings } = await serveExt({ limits: { maxOutboxBytes: 1_000_000 } });
  const sent = (result: string) =>
    GGWebSocketMetrics.outRequests.getValue({ api: "Ext", path: "/ws/ext", method: "Ext.news", result }) ?? 0;
  const peer = await RawPeer.connect(url);
  const outgoing = await outgoings.next();
  peer.ws.pause();
  const text = "x".repeat(200_000);
  // The buffers of the system fill first.
  let calls = 0;
  for (; sent("DROPPED") === 0 && calls < 1_000; calls++) void outgoing.news({ text }, { droppable: true });
  expect([sent("OK"), sent("DROPPED"), sent("CONNECTION_CLOSED")]).toEqual([calls - 1, 1, 0]);
  void outgoing.news({ text });
  expect([sent("OK"), sent("DROPPED"), sent("CONNECTION_CLOSED")]).toEqual([calls - 1, 1, 1]);
  void outgoing.news({ text });
  expect([sent("OK"), sent("DROPPED"), sent("CONNECTION_CLOSED")]).toEqual([calls - 1, 1, 2]);
});
