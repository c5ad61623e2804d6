import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { GGWebSocketMetrics } from "@grest-ts/websocket";
import { beforeEach, describe, expect, it } from "vitest";
import { serveExt } from "../support/extApi.js";
import { RawPeer } from "../support/rawPeer.js";
import { watchTheProcess } from "./watch.js";

const handled = (method: string, result: string) =>
  GGWebSocketMetrics.requests.getValue({ api: "Ext", path: "/ws/ext", method, result });
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

beforeEach(() => GG_METRICS.overwrite(new GGMetricsStore()));
watchTheProcess();

describe("a flood of frames that are for no handler", () => {
  it.each(["p:::", "c:Ext.wait:1:"])("(%s) counts towards messagesPerSecond", async (frame) => {
    const { url } = await serveExt({ limits: { messagesPerSecond: 1, messageBurst: 5 } });
    const { peer } = await RawPeer.connectWith(url, "alive cancel");
    peer.sendTogether(...upTo(30).map(() => frame));
    expect(await peer.closed).toEqual({ code: 1008, reason: "Too many messages" });
    expect(peer.frames.unseen.length).toBeLessThanOrEqual(6);
    expect(handled("unknown", "RATE_LIMITED")).toBeGreaterThanOrEqual(11);
  });

  it("by a peer that does not read ends with its outbox full", async () => {
    const { url, logger } = await serveExt({ limits: { maxOutboxBytes: 20_000 } });
    const { peer } = await RawPeer.connectWith(url, "alive batch");
    peer.ws.pause();
    const pings = upTo(10_000)
      .map(() => "p:::")
      .join("\n");
    for (let i = 0; i < 3_000 && logger.entries.length === 0; i++) {
      peer.send(pings);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(logger.entries).toMatchObject([{ message: "Ext: a connection is closed, since its peer reads too slowly" }]);
  });

  it("of a client's that are a server's to send is ignored", async () => {
    const { url } = await serveExt();
    const { peer } = await RawPeer.connectWith(url, "batch alive cancel drain");
    peer.sendTogether(...upTo(1_000).flatMap(() => ["d:::0", "k:::null", "x:::{}", "o:::"]));
    expect(await peer.framesUntilAnswerTo('r:Ext.echo:1:"x"')).toEqual([]);
    expect(peer.ws.readyState).toBe(peer.ws.OPEN);
  });
});

describe("a flood of invalid messages", () => {
  it.each([
    ["unknown methods", "m:Ext.nope::", "unknown", "ROUTE_NOT_FOUND"],
    ["payloads that are not JSON", "m:Ext.note::{", "Ext.note", "VALIDATION_ERROR"],
  ])("(%s) is counted, and does not fill the log", async (_what, frame, method, result) => {
    const { url, logger } = await serveExt();
    const peer = await RawPeer.connect(url);
    peer.sendTogether(...upTo(2_000).map(() => frame));
    expect(await peer.framesUntilAnswerTo('r:Ext.echo:1:"x"')).toEqual([]);
    expect(handled(method, result)).toBe(2_000);
    expect(logger.entries.length).toBeGreaterThanOrEqual(10);
    expect(logger.entries.length).toBeLessThan(200);
  });
});

it("cuts a peer that pings and does not read the answers", async () => {
  const { url, server, outgoings } = await serveExt();
  const peer = await RawPeer.connect(url);
  const outgoing = await outgoings.next();
  let hasEnded = false;
  outgoing.onClose(() => {
    hasEnded = true;
  });
  peer.ws.pause();
  const data = Buffer.alloc(125);
  for (let i = 0; i < 3_000 && !hasEnded; i++) {
    for (let n = 0; n < 100; n++) peer.ws.ping(data, true, () => {});
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(hasEnded).toBe(true);
  expect(server.connectionCount).toBe(0);
});

it("bounds the answer to a request of an unknown method", async () => {
  const { url } = await serveExt();
  const peer = await RawPeer.connect(url);
  // Each of these takes six characters when it is escaped.
  const path = "\u0001".repeat(1_000_000);
  peer.send(`r:${path}:1:`);
  const answer = await peer.next();
  expect(answer.startsWith(`s:${path}:1:{"success":false,"type":"ROUTE_NOT_FOUND"`)).toBe(true);
  expect(answer.length).toBeLessThan(path.length + 2_000);
});
