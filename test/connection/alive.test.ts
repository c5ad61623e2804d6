import { once } from "node:events";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";
import { Heartbeat } from "../../src/connection/heartbeat.js";
import { ExtApi, serveExt } from "../support/extApi.js";
import { Queue } from "../support/queue.js";
import { RawPeer, RawServer } from "../support/rawPeer.js";
import { recordingLogger } from "../support/server.js";

const QUICK = { intervalMs: 30, timeoutMs: 30 };

describe("a server's heartbeat", () => {
  it("cuts a peer that neither sends nor answers, and keeps one that answers", async () => {
    const { url, outgoings, server } = await serveExt({ heartbeat: QUICK });
    const dead = await RawPeer.connect(url);
    const ended = new Promise<void>((resolve) => outgoings.next().then((outgoing) => outgoing.onClose(resolve)));
    const alive = await RawPeer.connect(url);
    dead.ws.pause();
    await ended;
    expect(server.connectionCount).toBe(1);
    await once(alive.ws, "ping");
    alive.send('r:Ext.echo:1:"x"');
    expect(await alive.next()).toContain('"data":"x"');
  });

  it("takes any message for a sign of life, without an answer to its pings", async () => {
    const { url, server, outgoings } = await serveExt({ heartbeat: QUICK });
    const ws = new WebSocket(url, { autoPong: false });
    const peer = new RawPeer(ws);
    await once(ws, "open");
    peer.send("h:::{}");
    await peer.next();
    const ended = new Promise<void>((resolve) => outgoings.next().then((outgoing) => outgoing.onClose(resolve)));
    for (let i = 0; i < 4; i++) {
      await once(ws, "ping");
      peer.send('m:Ext.note::"here"');
    }
    expect(server.connectionCount).toBe(1);
    // From here on it is silent.
    await ended;
  });

  it("answers a client that asks, once that was agreed on", async () => {
    const { url } = await serveExt({ heartbeat: { intervalMs: 1_000, timeoutMs: 500 } });
    const { peer, accepted } = await RawPeer.connectWith(url, "alive");
    expect(accepted).toBe('k:::{"ws-capabilities":"alive=1000,500"}');
    peer.send("p:::");
    expect(await peer.next()).toBe("o:::");
    const old = await RawPeer.connect(url);
    old.send("p:::");
    expect(await old.framesUntilAnswerTo('r:Ext.echo:1:"x"')).toEqual([]);
  });
});

describe("a client's heartbeat", () => {
  /** A client that reconnects, on a server that a test plays and that announces a quick heartbeat. */
  async function start(webSocket?: typeof WebSocket, announced = "30,30") {
    const server = await RawServer.start();
    const client = ExtApi.createClient({
      url: server.url,
      reconnect: { initialDelayMs: 1 },
      webSocket: webSocket as unknown as new (url: string) => globalThis.WebSocket,
      logger: recordingLogger(),
    });
    onTestFinished(() => client.close());
    const accept = async () => {
      const peer = await server.connections.next();
      await peer.next();
      peer.send(`k:::{"ws-capabilities":"alive=${announced}"}`);
      return peer;
    };
    const accepted = accept();
    await client.connect();
    return { client, accept, peer: await accepted };
  }

  it("detects a dead server by protocol pings where it can send them, and connects anew", async () => {
    const { client, accept, peer } = await start();
    const reasons = new Queue<string>();
    client.onDisconnect((reason) => reasons.push(reason));
    await once(peer.ws, "ping");
    expect(client.isConnected).toBe(true);
    peer.ws.pause();
    expect(await reasons.next()).toBe("drop");
    await accept();
    await client.connect();
  });

  it.each(["-1000,-1", "0,0", "x,", "1e-9,NaN"])("stays usable with a server that announces %s", async (announced) => {
    const { client, peer } = await start(undefined, announced);
    const call = client.outgoing.echo("a");
    expect(await peer.next()).toBe('r:Ext.echo:1:"a"');
    peer.send('s:Ext.echo:1:{"success":true,"type":"OK","data":"A"}');
    expect(await call).toBe("A");
  });

  it("asks by messages where it cannot, as in a browser, and counts any message as the answer", async () => {
    const { client, accept, peer } = await start(WebSocket);
    const reasons = new Queue<string>();
    client.onDisconnect((reason) => reasons.push(reason));
    for (const answer of ["o:::", 'm:Ext.news::{"text":"x"}', "z:::"]) {
      expect(await peer.next()).toBe("p:::");
      peer.send(answer);
    }
    expect(client.isConnected).toBe(true);
    expect(await peer.next()).toBe("p:::");
    expect(await reasons.next()).toBe("drop");
    await accept();
    await client.connect();
  });
});

describe("a process that was asleep", () => {
  afterEach(() => void vi.useRealTimers());

  /** Stands for a connection: what it got from its peer, and what the heartbeat did. */
  function connection() {
    return { received: 0, ping: vi.fn(() => true), terminate: vi.fn() };
  }

  it.each([
    [600_000, 0],
    [0, 1],
  ])("does not cut peers whose answers it had no time to read (%i ms late: cuts %i)", (lateMs, cuts) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const heartbeat = new Heartbeat(1_000, 400);
    const peer = connection();
    heartbeat.add(peer as never);
    vi.advanceTimersByTime(500);
    expect(peer.ping).toHaveBeenCalledTimes(1);
    // As when a laptop wakes up.
    const now = vi.spyOn(performance, "now");
    now.mockReturnValue(performance.now() + 410 + lateMs);
    vi.advanceTimersByTime(410);
    now.mockReturnValue(performance.now() + 20);
    vi.advanceTimersByTime(20);
    expect(peer.terminate).toHaveBeenCalledTimes(cuts);
    heartbeat.delete(peer as never);
    now.mockRestore();
  });

  it("pings silent connections at once when it is asked to check", () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const heartbeat = new Heartbeat(1_000, 500);
    const [silent, talking] = [connection(), connection()];
    for (const one of [silent, talking]) heartbeat.add(one as never);
    talking.received++;
    heartbeat.look();
    expect(silent.ping).toHaveBeenCalledTimes(1);
    expect(talking.ping).not.toHaveBeenCalled();
    for (const one of [silent, talking]) heartbeat.delete(one as never);
  });
});
