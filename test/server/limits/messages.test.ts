import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { GGWebSocketMetrics } from "@grest-ts/websocket";
import { beforeEach, expect, it, onTestFinished } from "vitest";
import { ExtApi, serveExt } from "../../support/extApi.js";
import { displayed } from "../../support/probe.js";
import { RawPeer } from "../../support/rawPeer.js";
import { recordingLogger } from "../../support/server.js";

const handled = (method: string, result: string) =>
  GGWebSocketMetrics.requests.getValue({ api: "Ext", path: "/ws/ext", method, result });

beforeEach(() => GG_METRICS.overwrite(new GGMetricsStore()));

const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;

it("maxDepth: a payload as deep as that passes, a deeper one is a VALIDATION_ERROR, however deep", async () => {
  const { url, logger } = await serveExt({ limits: { maxDepth: 20 } });
  const peer = await RawPeer.connect(url);
  peer.send(`r:Ext.nest:1:{"list":"x","more":${nested(19)}}`);
  expect(await peer.next()).toBe('s:Ext.nest:1:{"success":true,"type":"OK","data":"fine"}');
  for (const depth of [20, 100_000]) {
    peer.send(`r:Ext.nest:2:{"list":"x","more":${nested(depth)}}`);
    expect(await peer.next()).toMatch(/^s:Ext\.nest:2:\{"success":false,"type":"VALIDATION_ERROR".*too deep/);
  }
  expect(handled("Ext.nest", "VALIDATION_ERROR")).toBe(2);
  const entry = { level: "warn", message: "Ext: a payload was nested too deep" };
  expect(logger.entries).toMatchObject([entry, entry]);
  peer.send(`r:Ext.nest:2:{"list":7}`, "r:Ext.nest:2:{");
  await peer.frames.take(2);
  expect(logger.entries).toHaveLength(2);
  // Brackets in strings are not nesting.
  peer.send(`r:Ext.echo:3:${JSON.stringify(`\\"${"[".repeat(500)}\\\\`)}`);
  expect(await peer.next()).toContain('"success":true');
});

it("maxDepth is 128 by default", async () => {
  const { url } = await serveExt();
  const peer = await RawPeer.connect(url);
  peer.send(`r:Ext.nest:1:{"more":${nested(127)}}`, `r:Ext.nest:2:{"more":${nested(128)}}`);
  expect(await peer.next()).toMatch(/^s:Ext\.nest:1:\{"success":true/);
  expect(await peer.next()).toMatch(/^s:Ext\.nest:2:\{"success":false,"type":"VALIDATION_ERROR"/);
});

it("maxRequestsInFlight: answers further requests with an error, and affects nothing else", async () => {
  const { url, events, gate, logger } = await serveExt({ limits: { maxRequestsInFlight: 2 } });
  const [peer, other] = [await RawPeer.connect(url), await RawPeer.connect(url)];
  peer.send('r:Ext.wait:1:"a"', 'r:Ext.wait:2:"b"', 'r:Ext.wait:3:"c"', 'r:Ext.echo:4:"d"', 'm:Ext.note::"e"');
  expect(await peer.next()).toMatch(/^s:Ext\.wait:3:.*"SERVER_ERROR".*2 requests are in flight/);
  expect(await peer.next()).toMatch(/^s:Ext\.echo:4:.*"SERVER_ERROR"/);
  expect(await events.take(3)).toEqual(["begun a", "begun b", "note e"]);
  other.send('r:Ext.echo:1:"x"');
  expect(await other.next()).toContain('"data":"x"');
  expect(handled("Ext.wait", "TOO_MANY_REQUESTS")).toBe(1);
  expect(handled("Ext.echo", "TOO_MANY_REQUESTS")).toBe(1);
  expect(logger.entries).toMatchObject([{ level: "warn", fields: { result: "TOO_MANY_REQUESTS" } }]);
  gate.open();
  await peer.frames.take(2);
  peer.send('r:Ext.echo:5:"f"');
  expect(await peer.next()).toContain('"data":"f"');
});

it("maxRequestsInFlight drops fire-and-forget messages beyond ten times as many", async () => {
  const { url, events, gate, logger } = await serveExt({ limits: { maxRequestsInFlight: 2 } });
  const peer = await RawPeer.connect(url);
  for (let n = 1; n <= 25; n++) peer.send(`m:Ext.wait::"${n}"`);
  expect(await peer.framesUntilAnswerTo('r:Ext.echo:1:"x"')).toEqual([]);
  expect(events.unseen).toHaveLength(20);
  expect(handled("Ext.wait", "TOO_MANY_REQUESTS")).toBe(5);
  expect(logger.entries).toMatchObject([{ level: "warn", fields: { result: "TOO_MANY_REQUESTS" } }]);
  gate.open();
  await events.take(20);
  peer.send('m:Ext.note::"again"');
  expect(await events.next()).toBe("note again");
});

it("maxRequestsInFlight is 1,000 by default", async () => {
  const { url, gate } = await serveExt();
  const peer = await RawPeer.connect(url);
  for (let id = 1; id <= 1_001; id++) peer.send(`r:Ext.wait:${id}:"x"`);
  expect(await peer.next()).toMatch(/^s:Ext\.wait:1001:.*"SERVER_ERROR"/);
  gate.open();
  expect(await peer.frames.take(1_000)).toHaveLength(1_000);
});

it("messagesPerSecond: fails requests, drops messages, then closes with 1008", async () => {
  const { url, events, logger, server } = await serveExt({ limits: { messagesPerSecond: 1, messageBurst: 5 } });
  const [peer, other] = [await RawPeer.connect(url), await RawPeer.connect(url)];
  for (let id = 1; id <= 5; id++) peer.send(`r:Ext.echo:${id}:"x"`);
  for (let id = 1; id <= 5; id++) expect(await peer.next()).toContain(`:${id}:{"success":true`);
  peer.send('r:Ext.echo:6:"x"', 'm:Ext.note::"lost"');
  expect(await peer.next()).toMatch(/^s:Ext\.echo:6:.*"SERVER_ERROR".*more than 1 messages in a second/);
  for (let i = 0; i < 20; i++) peer.send(`m:Ext.note::"${i}"`);
  expect(await peer.closed).toEqual({ code: 1008, reason: "Too many messages" });
  expect(events.unseen).toEqual([]);
  expect(handled("Ext.echo", "RATE_LIMITED")).toBe(1);
  expect(handled("Ext.note", "RATE_LIMITED")).toBeGreaterThanOrEqual(9);
  expect(logger.entries).toMatchObject([{ level: "warn", fields: { result: "RATE_LIMITED" } }]);
  other.send('r:Ext.echo:1:"x"');
  expect(await other.next()).toContain('"data":"x"');
  expect(server.connectionCount).toBe(1);
});

it("messagesPerSecond counts frames without a known method too", async () => {
  const { url } = await serveExt({ limits: { messagesPerSecond: 1, messageBurst: 2 } });
  const peer = await RawPeer.connect(url);
  for (let id = 1; id <= 10; id++) peer.send(`r:Ext.nope:${id}:`);
  expect(await peer.closed).toEqual({ code: 1008, reason: "Too many messages" });
  expect(handled("unknown", "ROUTE_NOT_FOUND")).toBe(2);
  expect(handled("unknown", "RATE_LIMITED")).toBeGreaterThanOrEqual(5);
});

it("maxOutboxBytes: unread replies close the connection, and its memory is released", async () => {
  const { url, outgoings, logger } = await serveExt({ limits: { maxOutboxBytes: 2_000_000 } });
  const peer = await RawPeer.connect(url);
  const ended = new Promise<void>((resolve) => outgoings.next().then((outgoing) => outgoing.onClose(resolve)));
  peer.ws.pause();
  const text = "x".repeat(500_000);
  for (let id = 1; logger.entries.length === 0; id++) {
    peer.send(`r:Ext.echo:${id}:"${text}"`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(logger.entries).toMatchObject([{ message: "Ext: a connection is closed, since its peer reads too slowly" }]);
  // When it reads again, it gets the reason.
  peer.ws.resume();
  expect(await peer.closed).toEqual({ code: 1013, reason: "Too slow to read" });
  await ended;
  expect(
    GGWebSocketMetrics.outRequests.getValue({
      api: "Ext",
      path: "/ws/ext",
      method: "unknown",
      result: "SLOW_CONSUMER",
    }),
  ).toBe(1);
});

it("refuses to send a message above 16 MiB, and keeps the connection open", async () => {
  const { base, outgoings } = await serveExt();
  const client = ExtApi.createClient({ url: base, logger: recordingLogger() });
  onTestFinished(() => client.close());
  await client.connect();
  const outgoing = await outgoings.next();
  const large = "é".repeat(8 * 1024 * 1024);
  for (const call of [client.outgoing.echo(large), outgoing.ask(large), outgoing.news({ text: large })]) {
    const result = await call.asResult();
    expect(result).toMatchObject({ success: false, type: "SERVER_ERROR" });
    expect(displayed(result)).toContain("it is larger than 16 MiB");
  }
  expect(await client.outgoing.echo("x")).toBe("x");
});
