import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { GGWebSocketMetrics } from "@grest-ts/websocket";
import { beforeEach, describe, expect, it } from "vitest";
import { serveExt } from "../../support/extApi.js";
import { RawPeer } from "../../support/rawPeer.js";
import { ofConnection } from "../../support/server.js";

const handled = (result: string) =>
  GGWebSocketMetrics.requests.getValue({ api: "Ext", path: "/ws/ext", method: "unknown", result });

beforeEach(() => GG_METRICS.overwrite(new GGMetricsStore()));

/** Raw bytes below the message level, which the peer's own `ws` would not send. */
const writeRaw = ({ ws }: RawPeer, bytes: Buffer) =>
  (ws as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(bytes);
const masked = (first: number, payload: Buffer) => {
  const mask = Buffer.from([0, 0, 0, 0]);
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length]), mask, payload]);
};

describe("a violation of the WebSocket protocol is counted and logged once, and others are served", () => {
  it.each<[string, number, (peer: RawPeer) => void]>([
    ["PAYLOAD_TOO_LARGE", 1009, (peer) => peer.send(`m:Ext.note::"${"x".repeat(2_000)}"`)],
    ["BINARY_MESSAGE", 1003, (peer) => peer.ws.send(Buffer.from("m:Ext.note::1"))],
    ["PROTOCOL_ERROR", 1002, (peer) => writeRaw(peer, masked(0x83, Buffer.alloc(1)))],
    ["PROTOCOL_ERROR", 1007, (peer) => writeRaw(peer, masked(0x81, Buffer.from([0xff, 0xfe])))],
    [
      "TOO_MANY_FRAGMENTS",
      1008,
      (peer) => {
        const fragment = masked(0x00, Buffer.alloc(0));
        writeRaw(peer, masked(0x01, Buffer.alloc(0)));
        writeRaw(peer, Buffer.concat(Array.from({ length: 200_000 }, () => fragment)));
      },
    ],
  ])("%s: close %i", async (result, code, breakRule) => {
    const { url, logger, events } = await serveExt({ limits: { maxPayloadBytes: 1_000 } });
    const [peer, other] = [await RawPeer.connect(url), await RawPeer.connect(url)];
    breakRule(peer);
    expect((await peer.closed).code).toBe(code);
    expect(handled(result)).toBe(1);
    expect(logger.entries).toEqual([
      { level: "warn", message: `Ext: a connection is closed, ${result}`, fields: { ...ofConnection, result } },
    ]);
    other.send('r:Ext.echo:1:"x"');
    expect(await other.next()).toContain('"data":"x"');
    expect(events.unseen).toEqual([]);
  });

  it("before the handshake too", async () => {
    const { url, logger } = await serveExt({ limits: { maxPayloadBytes: 1_000 } });
    const peer = await RawPeer.open(url);
    peer.send(`h:::{"a":"${"x".repeat(2_000)}"}`);
    expect((await peer.closed).code).toBe(1009);
    expect(handled("PAYLOAD_TOO_LARGE")).toBe(1);
    expect(logger.entries).toHaveLength(1);
  });

  it("does not count or log a connection that only drops", async () => {
    const { url, logger, outgoings } = await serveExt();
    const peer = await RawPeer.connect(url);
    const ended = new Promise<void>((resolve) => outgoings.next().then((outgoing) => outgoing.onClose(resolve)));
    (peer.ws as unknown as { _socket: { resetAndDestroy(): void } })._socket.resetAndDestroy();
    await ended;
    expect(logger.entries).toEqual([]);
    expect(handled("PROTOCOL_ERROR")).toBe(0);
  });
});

it("maxPayloadBytes is 16 MiB by default: accepts that size, and refuses a byte more", async () => {
  const { url, events } = await serveExt();
  const peer = await RawPeer.connect(url);
  const frame = (length: number) => `m:Ext.note::"${"x".repeat(length - 'm:Ext.note::""'.length)}"`;
  peer.send(frame(16 * 1024 * 1024));
  expect(await events.next()).toMatch(/^note x/);
  peer.send(frame(16 * 1024 * 1024 + 1));
  expect((await peer.closed).code).toBe(1009);
});
