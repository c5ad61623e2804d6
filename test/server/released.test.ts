import { getEventListeners } from "node:events";
import { NOT_AUTHORIZED } from "@grest-ts/schema";
import { describe, expect, it } from "vitest";
import { runningDeadlines } from "../../src/connection/deadlines.js";
import { throttledLogger } from "../../src/connection/throttledLogger.js";
import { ExtApi, serveExt } from "../support/extApi.js";
import { Gate } from "../support/gate.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { recordingLogger, serveApi } from "../support/server.js";

/** Handlers for the methods that a test does not call. */
const others = { echo: (text: string) => text, wait: (text: string) => text, note: () => {}, nest: () => "fine" };

/** Serves a connection handler that waits for a gate, and says when each of its connections has closed. */
async function serveWaiting(gate: Gate) {
  const closed = new Queue<void>();
  const begun = new Queue<void>();
  const served = await serveApi(ExtApi, async (incoming, outgoing) => {
    outgoing.onClose(() => closed.push());
    begun.push();
    await gate.passed;
    incoming.on(others);
  });
  return { ...served, begun, closed };
}

describe("a server keeps nothing of", () => {
  it("the time-out of a handshake that is done", async () => {
    const { url } = await serveExt({ heartbeat: false });
    const before = runningDeadlines();
    const silent = await RawPeer.open(url);
    await silent.roundTrip();
    expect(runningDeadlines()).toBe(before + 1);
    silent.send("h:::{}");
    await silent.next();
    expect(runningDeadlines()).toBe(before);
  });

  it("connections that its heartbeat has watched", async () => {
    const { url, outgoings } = await serveExt();
    const before = runningDeadlines();
    const closed = new Queue<void>();
    const peers = [await RawPeer.connect(url), await RawPeer.connect(url)];
    for (const outgoing of await outgoings.take(2)) outgoing.onClose(() => closed.push());
    expect(runningDeadlines()).toBe(before + 1);
    peers[0]?.ws.terminate();
    await closed.next();
    expect(runningDeadlines()).toBe(before + 1);
    peers[1]?.ws.terminate();
    await closed.next();
    expect(runningDeadlines()).toBe(before);
  });

  it("connections that it has closed twice", async () => {
    const { url, server, outgoings } = await serveExt();
    const before = runningDeadlines();
    const peer = await RawPeer.connect(url);
    const outgoing = await outgoings.next();
    const closed = new Promise<void>((resolve) => outgoing.onClose(resolve));
    for (let i = 0; i < 2; i++) server.closeConnections(() => true);
    await peer.closed;
    await closed;
    expect(runningDeadlines()).toBe(before);
  });

  it("calls that have settled, on the signal that they share", async () => {
    const { url, outgoings } = await serveExt();
    const { signal } = new AbortController();
    const peer = await RawPeer.connect(url);
    const outgoing = await outgoings.next();
    const answers = Array.from({ length: 3 }, () => outgoing.ask("you", { signal }));
    expect(getEventListeners(signal, "abort")).toHaveLength(3);
    for (let id = 1; id <= 3; id++) peer.send(`s:Ext.ask:${id}:{"success":true,"type":"OK","data":"me"}`);
    expect(await Promise.all(answers)).toEqual(["me", "me", "me"]);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("a flood of warnings but one timer", () => {
    const before = runningDeadlines();
    const log = recordingLogger();
    const throttled = throttledLogger(log);
    for (let i = 0; i < 1_000; i++) throttled.warn("again");
    expect(log.entries).toHaveLength(10);
    expect(runningDeadlines()).toBe(before + 1);
  });

  it("handshakes that it has revoked", async () => {
    const entered = new Gate();
    const release = new Gate();
    const process = async () => {
      entered.open();
      await release.passed;
    };
    const { url, server } = await serveExt({ middlewares: [{ process }] });
    const peer = await RawPeer.open(url);
    peer.send("h:::{}");
    await entered.passed;
    expect(server.closeConnections(() => true)).toBe(1);
    expect(server.closeConnections(() => true)).toBe(0);
    release.open();
    expect((await peer.closed).code).toBe(1008);
    expect(peer.frames.unseen).toEqual([]);
  });

  it("handshakes that it has refused", async () => {
    const refuse = () => {
      throw new NOT_AUTHORIZED();
    };
    const { url, server } = await serveExt({ middlewares: [{ process: refuse }] });
    const peer = await RawPeer.open(url);
    peer.send("h:::{}");
    expect((await peer.closed).code).toBe(4001);
    expect(server.closeConnections(() => true)).toBe(0);
  });
});

describe("while its connection handler is running, a connection", () => {
  it("is revoked once, and not once more as a handshake", async () => {
    const gate = new Gate();
    const { url, server, begun, closed } = await serveWaiting(gate);
    const peer = await RawPeer.connect(url);
    await begun.next();
    expect(server.closeConnections(() => true, { code: 4321 })).toBe(1);
    expect((await peer.closed).code).toBe(4321);
    await closed.next();
    expect(server.closeConnections(() => true)).toBe(0);
    gate.open();
  });

  it("gets what it has asked before the server closes it", async () => {
    const gate = new Gate();
    const job = new Gate();
    const begun = new Gate();
    const { url, server } = await serveApi(ExtApi, async (incoming) => {
      incoming.on({
        ...others,
        async wait(text) {
          begun.open();
          await job.passed;
          return text;
        },
      });
      await gate.passed;
    });
    const peer = await RawPeer.connect(url);
    peer.send('r:Ext.wait:1:"x"');
    await begun.passed;
    const down = server.teardown();
    await peer.roundTrip();
    job.open();
    expect(await peer.next()).toBe('s:Ext.wait:1:{"success":true,"type":"OK","data":"x"}');
    expect((await peer.closed).code).toBe(1001);
    await down;
    gate.open();
  });
});

it("runs no middleware for a peer that leaves before its handshake message", async () => {
  const ran = new Queue<string>();
  const process = async () => {
    ran.push("process");
  };
  const { url, http } = await serveExt({ middlewares: [{ process }] });
  const gone = new Promise((resolve) => http.httpServer.once("connection", (socket) => socket.on("close", resolve)));
  const stranger = await RawPeer.open(url);
  stranger.ws.terminate();
  await gone;
  await RawPeer.connect(url);
  expect(ran.unseen).toEqual(["process"]);
});

it("takes nothing that arrives after it has begun to close", async () => {
  const { url, server, logger } = await serveApi(ExtApi, (incoming) => {
    incoming.on({
      ...others,
      note() {
        server.closeConnections(() => true);
      },
    });
  });
  const peer = await RawPeer.connect(url);
  // In one chunk, so that the second message is there when the first one closes the connection.
  const socket = (peer.ws as unknown as { _socket: { cork(): void; uncork(): void } })._socket;
  socket.cork();
  peer.send('m:Ext.note::"close"');
  peer.ws.send(Buffer.from("binary"));
  socket.uncork();
  expect(await peer.closed).toEqual({ code: 1008, reason: "Revoked" });
  expect(logger.entries).toEqual([]);
});
