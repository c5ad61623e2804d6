import { expect, it, onTestFinished, vi } from "vitest";
import { TokenBucket } from "../../../src/server/connection/tokenBucket.js";
import { resolveLimits } from "../../../src/server/limits.js";
import { serveExt } from "../../support/extApi.js";
import { RawPeer } from "../../support/rawPeer.js";

/** A clock for rates that only the test moves; timers run as usual. */
function stoppedClock() {
  // A whole number, so that one second later is exact.
  let now = Math.ceil(performance.now());
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now);
  onTestFinished(() => clock.mockRestore());
  return (ms: number) => {
    now += ms;
  };
}

it("has the documented defaults", () => {
  expect(resolveLimits("Any")).toEqual({
    maxPayloadBytes: 16 * 1024 * 1024,
    maxDepth: 128,
    maxValues: 1_000_000,
    maxRequestsInFlight: 1_000,
    messagesPerSecond: Number.POSITIVE_INFINITY,
    messageBurst: Number.POSITIVE_INFINITY,
    maxOutboxBytes: 64 * 1024 * 1024,
    maxTotalOutboxBytes: 512 * 1024 * 1024,
    maxHandshakes: 5_000,
    maxConnections: Number.POSITIVE_INFINITY,
    maxConnectionsPerAddress: Number.POSITIVE_INFINITY,
  });
  expect(resolveLimits("Any", { messagesPerSecond: 7 }).messageBurst).toBe(7);
});

it("fills a bucket at its rate, and never above its burst", () => {
  const pass = stoppedClock();
  const bucket = new TokenBucket(10, 3);
  const taken = () => {
    let count = 0;
    while (bucket.take()) count++;
    return count;
  };
  expect(taken()).toBe(3);
  pass(99);
  expect(taken()).toBe(0);
  pass(101);
  expect(taken()).toBe(2);
  pass(3_600_000);
  expect(taken()).toBe(3);
});

it("does not close a peer for occasional bursts, however often they come", async () => {
  const pass = stoppedClock();
  const { url } = await serveExt({ limits: { messagesPerSecond: 1, messageBurst: 2 } });
  const peer = await RawPeer.connect(url);
  for (let second = 0; second < 10; second++) {
    peer.send('r:Ext.echo:1:"x"', 'r:Ext.echo:2:"x"', 'r:Ext.echo:3:"x"', 'r:Ext.echo:4:"x"');
    const replies = await peer.frames.take(4);
    const refused = replies.filter((reply) => reply.includes("more than 1 messages in a second"));
    expect(refused).toHaveLength(second === 0 ? 2 : 3);
    pass(1_000);
  }
  expect(peer.ws.readyState).toBe(peer.ws.OPEN);
});
