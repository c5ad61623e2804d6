import { once } from "node:events";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";
import { onFakeClock } from "../support/fakeClock.js";
import { Queue } from "../support/queue.js";
import { RawPeer, RawServer } from "../support/rawPeer.js";
import { NETWORKS } from "../support/slowProxy.js";

const HEARTBEAT = { intervalMs: 400, timeoutMs: 200 };
const STEP_MS = 10;

describe.each(NETWORKS)("over %s", (_name, openNetwork) => {
  describe("a server's heartbeat", () => {
    async function start(heartbeat = HEARTBEAT) {
      const clock = await onFakeClock();
      const { serveExt } = await import("../support/extApi.js");
      const served = await serveExt({ heartbeat });
      const network = await openNetwork(served.http.port ?? 0);
      const url = network.through(served.url);
      /** Lets time pass until something has happened. */
      const until = <T>(event: Promise<T>) => network.until(event, () => clock.pass(STEP_MS));
      const nextEnd = async () => {
        const outgoing = await served.outgoings.next();
        return { ended: new Promise<void>((resolve) => outgoing.onClose(resolve)) };
      };
      return { ...served, clock, network, url, until, nextEnd };
    }

    it("asks once the silence has lasted for the interval, and not earlier", async () => {
      const { clock, network, url, until } = await start();
      const peer = await network.until(RawPeer.connect(url));
      let pings = 0;
      peer.ws.on("ping", () => pings++);
      for (let ms = STEP_MS; ms < HEARTBEAT.intervalMs; ms += STEP_MS) {
        clock.pass(STEP_MS);
        await network.step();
      }
      expect(pings).toBe(0);
      const { intervalMs } = HEARTBEAT;
      await until(once(peer.ws, "ping"));
      expect(performance.now()).toBeLessThanOrEqual(1.5 * intervalMs + 10 * STEP_MS);
      expect(pings).toBe(1);
    });

    it("cuts a peer that neither sends nor answers, and keeps one that answers", async () => {
      const { network, url, server, until, nextEnd } = await start();
      const dead = await network.until(RawPeer.connect(url));
      const { ended } = await nextEnd();
      const alive = await network.until(RawPeer.connect(url));
      dead.ws.pause();
      await until(ended);
      expect(server.connectionCount).toBe(1);
      await until(once(alive.ws, "ping"));
      await until(once(alive.ws, "ping"));
      alive.send('r:Ext.echo:1:"x"');
      expect(await until(alive.next())).toContain('"data":"x"');
    });

    it("takes any message for a sign of life, without an answer to its pings", async () => {
      const { network, url, server, until, nextEnd } = await start();
      const peer = new RawPeer(new WebSocket(url, { autoPong: false }));
      await network.until(once(peer.ws, "open"));
      peer.send("h:::{}");
      await network.until(peer.next());
      const { ended } = await nextEnd();
      for (let i = 0; i < 4; i++) {
        await until(once(peer.ws, "ping"));
        peer.send('m:Ext.note::"here"');
      }
      expect(server.connectionCount).toBe(1);
      // From here on it is silent.
      await until(ended);
    });

    it("answers a client that asks, once that was agreed on", async () => {
      const { network, url } = await start({ intervalMs: 1_000, timeoutMs: 500 });
      const { peer, accepted } = await network.until(RawPeer.connectWith(url, "alive"));
      expect(accepted).toBe('k:::{"ws-capabilities":"alive=1000,500"}');
      peer.send("p:::");
      expect(await network.until(peer.next())).toBe("o:::");
      const old = await network.until(RawPeer.connect(url));
      old.send("p:::");
      expect(await network.until(old.framesUntilAnswerTo('r:Ext.echo:1:"x"'))).toEqual([]);
    });
  });

  describe("a client's heartbeat", () => {
    /** A client that reconnects, on a server that a test plays and that announces a quick heartbeat. */
    async function start(webSocket?: typeof WebSocket, announced = "400,200") {
      const clock = await onFakeClock();
      const { ExtApi } = await import("../support/extApi.js");
      const { recordingLogger } = await import("../support/server.js");
      const server = await RawServer.start();
      const network = await openNetwork(Number(new URL(server.url).port));
      const client = ExtApi.createClient({
        url: network.through(server.url),
        reconnect: { initialDelayMs: 1 },
        webSocket: webSocket as unknown as new (url: string) => globalThis.WebSocket,
        logger: recordingLogger(),
      });
      onTestFinished(() => client.close());
      const until = <T>(event: Promise<T>) => network.until(event, () => clock.pass(STEP_MS));
      const accept = async () => {
        const peer = await server.connections.next();
        await peer.next();
        peer.send(`k:::{"ws-capabilities":"alive=${announced}"}`);
        return peer;
      };
      const accepted = accept();
      await network.until(client.connect());
      return { client, accept, until, peer: await accepted };
    }

    it("detects a dead server by protocol pings where it can send them, and connects anew", async () => {
      const { client, accept, until, peer } = await start();
      const reasons = new Queue<string>();
      client.onDisconnect((reason) => reasons.push(reason));
      await until(once(peer.ws, "ping"));
      await until(once(peer.ws, "ping"));
      expect(client.isConnected).toBe(true);
      peer.ws.pause();
      expect(await until(reasons.next())).toBe("drop");
      await until(accept());
      await until(client.connect());
    });

    it.each(["-1000,-1", "0,0", "x,", "1e-9,NaN"])(
      "stays usable with a server that announces %s",
      async (announced) => {
        const { client, until, peer } = await start(undefined, announced);
        const call = client.outgoing.echo("a");
        expect(await until(peer.next())).toBe('r:Ext.echo:1:"a"');
        peer.send('s:Ext.echo:1:{"success":true,"type":"OK","data":"A"}');
        expect(await until(call.then((text) => text))).toBe("A");
      },
    );

    it("asks by messages where it cannot, as in a browser, and counts any message as the answer", async () => {
      const { client, accept, until, peer } = await start(WebSocket);
      const reasons = new Queue<string>();
      client.onDisconnect((reason) => reasons.push(reason));
      for (const answer of ["o:::", 'm:Ext.news::{"text":"x"}', "z:::"]) {
        expect(await until(peer.next())).toBe("p:::");
        peer.send(answer);
      }
      expect(client.isConnected).toBe(true);
      expect(await until(peer.next())).toBe("p:::");
      expect(await until(reasons.next())).toBe("drop");
      await until(accept());
      await until(client.connect());
    });
  });
});

describe("a heartbeat", () => {
  /** Stands for a connection: its signs of life, and what the heartbeat did. */
  function connection() {
    return {
      signsOfLife: 0,
      ping: vi.fn(() => true),
      terminate: vi.fn(),
    };
  }

  /** The heartbeat of one such connection, on a fake clock. */
  async function watch(intervalMs?: number, timeoutMs?: number) {
    await onFakeClock();
    const { Heartbeat } = await import("../../src/connection/heartbeat.js");
    const heartbeat = new Heartbeat(intervalMs, timeoutMs);
    const peer = connection();
    heartbeat.add(peer as never);
    onTestFinished(() => heartbeat.delete(peer as never));
    return { heartbeat, peer };
  }

  it.each([
    [600_000, 0],
    [0, 1],
  ])("does not cut peers whose answers it had no time to read (%i ms late: cuts %i)", async (lateMs, cuts) => {
    const { peer } = await watch(1_000, 400);
    vi.advanceTimersByTime(1_000);
    expect(peer.ping).not.toHaveBeenCalled();
    vi.advanceTimersByTime(250);
    expect(peer.ping).toHaveBeenCalledTimes(1);
    // As when a laptop wakes up.
    const now = vi.spyOn(performance, "now");
    onTestFinished(() => now.mockRestore());
    now.mockReturnValue(performance.now() + 410 + lateMs);
    vi.advanceTimersByTime(410);
    now.mockReturnValue(performance.now() + 20);
    vi.advanceTimersByTime(20);
    expect(peer.terminate).toHaveBeenCalledTimes(cuts);
  });

  it("pings silent connections at once when it is asked to check", async () => {
    const { heartbeat, peer: silent } = await watch(1_000, 500);
    const talking = connection();
    heartbeat.add(talking as never);
    talking.signsOfLife++;
    heartbeat.look();
    expect(silent.ping).toHaveBeenCalledTimes(1);
    expect(talking.ping).not.toHaveBeenCalled();
    heartbeat.delete(talking as never);
  });

  it("asks within one and a half intervals of the last sign of life, and cuts a timeout later", async () => {
    const { peer } = await watch(1_000, 400);
    vi.advanceTimersByTime(901);
    peer.signsOfLife++;
    vi.advanceTimersByTime(1_000);
    expect(peer.ping).not.toHaveBeenCalled();
    vi.advanceTimersByTime(490);
    expect(peer.ping).toHaveBeenCalled();
    expect(peer.terminate).not.toHaveBeenCalled();
    vi.advanceTimersByTime(430);
    expect(peer.terminate).toHaveBeenCalled();
  });

  it("cuts by default too, where answers may take far longer than a timer may be late", async () => {
    const { peer } = await watch();
    vi.advanceTimersByTime(25_000 + 6_250 + 9_990);
    expect(peer.ping).toHaveBeenCalled();
    expect(peer.terminate).not.toHaveBeenCalled();
    vi.advanceTimersByTime(50);
    expect(peer.terminate).toHaveBeenCalled();
  });

  it("judges again after each timeout without any progress", async () => {
    const { peer } = await watch(1_000, 400);
    vi.advanceTimersByTime(1_250);
    expect(peer.ping).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(399);
    peer.signsOfLife++;
    vi.advanceTimersByTime(1_000);
    expect(peer.terminate).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(peer.terminate).toHaveBeenCalled();
  });
});
