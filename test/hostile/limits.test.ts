import { once } from "node:events";
import type { Socket } from "node:net";
import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { GG_NO_PERMISSIONS, IsObject, IsString, NOT_AUTHORIZED } from "@grest-ts/schema";
import {
  defineSocketContract,
  GG_WS_CONNECTION,
  GGSocketGroup,
  GGWebSocketMetrics,
  type WebSocketSchemaConfig,
  webSocketSchema,
} from "@grest-ts/websocket";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { Gate } from "../support/gate.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";
import { RUNS } from "./arbitraries.js";
import { watchTheProcess } from "./watch.js";

const contract = defineSocketContract("Lim", {
  clientToServer: {
    work: { success: IsString, permission: GG_NO_PERMISSIONS },
    echo: { input: IsString, success: IsString, permission: GG_NO_PERMISSIONS },
  },
  serverToClient: { news: { input: IsObject({ text: IsString }) }, ask: { success: IsString } },
});
const Api = webSocketSchema(contract).path("ws/lim").done();

beforeEach(() => GG_METRICS.overwrite(new GGMetricsStore()));
watchTheProcess();

/** Serves the API; its handshakes and its `work` wait for the gates that are in the queues. */
async function start(config: WebSocketSchemaConfig = {}) {
  const group = new GGSocketGroup(Api);
  const handshakes = new Queue<Gate>();
  const jobs = new Queue<Gate>();
  /** The most that one connection has ever been working on. */
  const most = { work: 0 };
  const sockets = new Map<number, Socket>();
  const served = await serveApi(
    Api,
    (incoming, outgoing) => {
      let working = 0;
      group.add(outgoing);
      incoming.on({
        async work() {
          const gate = new Gate();
          most.work = Math.max(most.work, ++working);
          jobs.push(gate);
          await gate.passed;
          working--;
          return "done";
        },
        echo: (text) => text,
      });
    },
    {
      addressOf: ({ headers }) => headers["x-address"] as string | undefined,
      middlewares: [
        {
          parseHandshake({ headers }) {
            if (headers.refuse) throw new NOT_AUTHORIZED();
            if (!headers.slow) return undefined;
            const gate = new Gate();
            handshakes.push(gate);
            return gate.passed as unknown as undefined;
          },
        },
      ],
      ...config,
    },
  );
  served.http.httpServer.on("connection", (socket: Socket) => {
    const port = socket.remotePort as number;
    sockets.set(port, socket);
    socket.on("close", () => sockets.delete(port));
  });
  return { ...served, group, handshakes, jobs, most, sockets };
}

const counted = (result: string) =>
  GGWebSocketMetrics.connections.getValue({ api: "Lim", path: "/ws/lim", result }) ?? 0;
const handled = (method: string, result: string) =>
  GGWebSocketMetrics.requests.getValue({ api: "Lim", path: "/ws/lim", method, result }) ?? 0;

/** Opens a peer, or resolves with the status that it was refused with. */
async function open(url: string, address = "a"): Promise<RawPeer | number> {
  const ws = new WebSocket(url, { headers: { "x-address": address }, perMessageDeflate: false });
  const peer = new RawPeer(ws);
  return new Promise((resolve) => {
    ws.on("open", () => resolve(peer)).on("unexpected-response", (_request, { statusCode }) => {
      ws.terminate();
      resolve(statusCode ?? 0);
    });
  });
}

async function opened(url: string, address?: string): Promise<RawPeer> {
  const peer = await open(url, address);
  if (!(peer instanceof RawPeer)) throw new Error(`refused with ${peer}`);
  return peer;
}

describe("a limit on requests", () => {
  it("holds for those that come in one segment with the handshake message", async () => {
    const { url, most, jobs } = await start({ limits: { maxRequestsInFlight: 5 } });
    const peer = await opened(url);
    peer.sendTogether("h:::{}", ...Array.from({ length: 4_000 }, (_, id) => `r:Lim.work:${id}:`));
    expect(await peer.next()).toBe("k:::null");
    const refused = await peer.frames.take(3_995);
    expect(new Set(refused.map((reply) => /"type":"(\w+)"/.exec(reply)?.[1]))).toEqual(new Set(["SERVER_ERROR"]));
    for (const gate of await jobs.take(5)) gate.open();
    expect((await peer.frames.take(5)).every((reply) => reply.includes('"data":"done"'))).toBe(true);
    expect(most.work).toBe(5);
    expect(handled("Lim.work", "TOO_MANY_REQUESTS")).toBe(3_995);
  });

  it("holds for those that waited for a connection handler", async () => {
    const ready = new Gate();
    const running: string[] = [];
    const { url } = await serveApi(
      Api,
      async (incoming) => {
        await ready.passed;
        incoming.on({
          work: () => new Promise<string>(() => running.push("work")),
          echo: (text) => text,
        });
      },
      { limits: { maxRequestsInFlight: 5 } },
    );
    const peer = await RawPeer.connect(url);
    peer.sendTogether(...Array.from({ length: 200 }, (_, id) => `r:Lim.work:${id}:`));
    await peer.roundTrip();
    ready.open();
    expect(await peer.frames.take(195)).toHaveLength(195);
    expect(running).toHaveLength(5);
  });
});

it("a limit on messages holds for those that only a raw handler takes", async () => {
  const begun = new Queue<Gate>();
  const { url, server } = await start({ limits: { maxRequestsInFlight: 1 } });
  server.onConnection((socket) => {
    socket.registerHandler({
      path: "Raw.slow",
      handler() {
        const gate = new Gate();
        begun.push(gate);
        return gate.passed;
      },
    });
  });
  const peer = await RawPeer.connect(url);
  peer.sendTogether(...Array.from({ length: 50 }, () => "m:Raw.slow::"));
  await peer.framesUntilAnswerTo('r:Lim.echo:1:"x"');
  expect(begun.unseen).toHaveLength(10);
  expect(handled("unknown", "TOO_MANY_REQUESTS")).toBe(40);
});

describe("a limit on connections", () => {
  it.each(["maxConnections", "maxHandshakes", "maxConnectionsPerAddress"])(
    "(%s) counts sockets, and not the work that is done for peers who have left",
    async (limit) => {
      const { url, handshakes } = await start({ limits: { [limit]: 3 } });
      const peers: RawPeer[] = [];
      for (let i = 0; i < 3; i++) {
        const peer = await opened(url);
        peer.send('h:::{"slow":"1"}');
        peers.push(peer);
      }
      const gates = await handshakes.take(3);
      expect(await open(url)).toBe(limit === "maxConnectionsPerAddress" ? 429 : 503);
      for (const peer of peers) peer.ws.terminate();
      for (const peer of peers) await peer.closed;
      for (let i = 0; i < 3; i++) {
        const peer = await opened(url);
        peer.send("h:::{}");
        expect(await peer.next()).toBe("k:::null");
      }
      // What the abandoned work does at its end changes no count.
      for (const gate of gates) gate.open();
      const last = await open(url);
      expect(last instanceof RawPeer).toBe(limit === "maxHandshakes");
    },
  );

  it.each(["maxConnections", "maxHandshakes"])("(%s) counts refused peers that do not close", async (limit) => {
    const { url } = await start({ limits: { [limit]: 10 } });
    const statuses: unknown[] = [];
    for (let i = 0; i < 30; i++) {
      const peer = await open(url);
      if (peer instanceof RawPeer) {
        peer.send('h:::{"refuse":"1"}');
        // It does not read the close frame.
        peer.ws.pause();
        while (counted("HANDSHAKE_FAILED") <= i) await open(`${url}/nowhere`);
      } else statuses.push(peer);
    }
    expect(statuses).toEqual(Array.from({ length: 20 }, () => 503));
  });

  it("signals middlewares and resolvers that their peer has left", async () => {
    const seen = new Queue<string>();
    const waitFor = async (what: string) => {
      const { signal } = GG_WS_CONNECTION.assert();
      seen.push(`${what} begins`);
      await once(signal as AbortSignal, "abort");
      seen.push(`${what} was aborted`);
    };
    const resolving = await start({
      permissionResolver: async () => {
        await waitFor("resolver");
        return null;
      },
    });
    const processing = await start({ middlewares: [{ process: () => waitFor("middleware") }] });
    for (const [what, { url }] of [["resolver", resolving] as const, ["middleware", processing] as const]) {
      const peer = await opened(url);
      peer.send("h:::{}");
      expect(await seen.next()).toBe(`${what} begins`);
      peer.ws.terminate();
      expect(await seen.next()).toBe(`${what} was aborted`);
    }
  });
});

describe("a limit on bytes", () => {
  it("is what a handshake needs before the handshake, and maxPayloadBytes afterwards", async () => {
    const { url, sockets, server } = await start();
    for (const frame of [`h:::{"a":"${"x".repeat(300_000)}"}`, `m:Lim.work::${"x".repeat(300_000)}`]) {
      const stranger = await opened(url);
      stranger.send(frame);
      expect(await stranger.closed).toMatchObject({ code: 1009 });
    }
    const slow = await opened(url);
    slow.send("h:::{}");
    expect(await slow.next()).toBe("k:::null");
    const large = "x".repeat(15 * 1024 * 1024);
    slow.send(`r:Lim.echo:1:"${large}"`);
    expect(await slow.next()).toContain(large);
    expect(server.connectionCount).toBe(1);
    expect(sockets.size).toBe(1);
  });

  it("refuses a large message of a stranger at its first bytes", async () => {
    const { url } = await start();
    const stranger = await opened(url);
    // The header of a masked text frame of 16 MiB - 1.
    const header = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 1, 2, 3, 4]);
    (stranger.ws as unknown as { _socket: Socket })._socket.write(header);
    expect(await stranger.closed).toMatchObject({ code: 1009 });
  });

  it("counts bytes and not characters, also of what one tick sends", async () => {
    const { url, group, sockets, server } = await start({ limits: { maxOutboxBytes: 3_000_000 } });
    const peer = await RawPeer.connect(url);
    peer.ws.pause();
    // Three bytes each: the characters alone would fit.
    for (let i = 0; i < 70; i++) group.news({ text: "愛".repeat(100_000) }, { droppable: true });
    await new Promise((resolve) => setImmediate(resolve));
    for (const { writableLength } of sockets.values()) expect(writableLength).toBeLessThanOrEqual(3_000_100);
    expect(server.connectionCount).toBe(1);
  });

  it("for all readers together drops the slowest first, and tells why in log and metrics", async () => {
    const { url, group, logger, sockets } = await start({
      limits: { maxTotalOutboxBytes: 4_000_000 },
    });
    const [reader, slow, slower] = [await RawPeer.connect(url), await RawPeer.connect(url), await RawPeer.connect(url)];
    slower.ws.pause();
    const text = "x".repeat(200_000);
    const waiting = () => [...sockets.values()].reduce((sum, { writableLength }) => sum + writableLength, 0);
    let pushed = 0;
    while (sockets.size === 3) {
      if (waiting() > 1_500_000) slow.ws.pause();
      group.news({ text });
      pushed++;
      await reader.next();
      expect(waiting()).toBeLessThanOrEqual(4_000_000 + text.length);
    }
    // The one that fell behind first was dropped, the other two remain.
    slower.ws.resume();
    expect((await slower.closed).code).toBe(1006);
    expect(logger.entries).toMatchObject([{ message: "Lim: a connection is closed, since its peer reads too slowly" }]);
    slow.ws.resume();
    expect(await slow.frames.take(pushed)).toHaveLength(pushed);
  });
});

describe("a limit on the rate", () => {
  it.each([
    ["stray replies", "s:Lim.ask:99:{}"],
    ["unknown types", "zz:Lim.echo:1:x"],
    ["empty frames", ""],
    ["frames without a path", "r::1:"],
    ["second handshakes", "h:::{}"],
    ["answers to no ping", "o:::"],
    ["drain notices", "d:::0"],
    ["cancellations", "c:Lim.work:1:"],
    ["messages to unknown methods", "m:Lim.nope::"],
  ])("counts %s", async (_what, frame) => {
    const { url, logger } = await start({ limits: { messagesPerSecond: 10 } });
    const peer = await RawPeer.connectWith(url, "cancel");
    peer.peer.sendTogether(...Array.from({ length: 1_000 }, () => frame));
    expect(await peer.peer.closed).toEqual({ code: 1008, reason: "Too many messages" });
    expect(handled("unknown", "RATE_LIMITED")).toBeGreaterThanOrEqual(20);
    expect(logger.entries.filter(({ fields }) => fields.result === "RATE_LIMITED")).toHaveLength(1);
  });

  it("counts pings and pongs of the WebSocket layer", async () => {
    for (const flood of ["ping", "pong"] as const) {
      const { url } = await start({ limits: { messagesPerSecond: 10 } });
      const peer = await RawPeer.connect(url);
      for (let i = 0; i < 100 && peer.ws.readyState === peer.ws.OPEN; i++) {
        peer.ws[flood]();
        // Not in one segment: `ws` itself terminates a peer that sends many pings at once.
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(await peer.closed).toEqual({ code: 1008, reason: "Too many messages" });
    }
  });

  it("does not count the answers that the server asked for", async () => {
    const answers = new Queue<unknown>();
    const { url } = await serveApi(
      Api,
      async (incoming, outgoing) => {
        incoming.on({ work: () => "", echo: (text) => text });
        for (let i = 0; i < 100; i++) answers.push(await outgoing.ask().asResult());
      },
      { limits: { messagesPerSecond: 2 } },
    );
    const peer = await RawPeer.connect(url);
    for (let id = 1; id <= 100; id++) {
      expect(await peer.next()).toBe(`r:Lim.ask:${id}:`);
      peer.send(`s:Lim.ask:${id}:{"success":true,"type":"OK","data":"x"}`);
      expect(await answers.next()).toMatchObject({ success: true });
    }
    peer.send('r:Lim.echo:1:"x"');
    expect(await peer.next()).toContain('"data":"x"');
  });
});

const LIMITS = {
  maxConnections: 8,
  maxConnectionsPerAddress: 5,
  maxHandshakes: 4,
  maxRequestsInFlight: 3,
  maxOutboxBytes: 400_000,
  maxTotalOutboxBytes: 1_000_000,
  maxPayloadBytes: 100_000,
} as const;

type Step =
  | { readonly do: "open"; readonly address: string; readonly how: "quick" | "slow" | "silent" | "refused" | "burst" }
  | { readonly do: "pass" | "finish" | "push" }
  | { readonly do: "work" | "pause" | "resume" | "leave" | "close" | "stray"; readonly peer: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("open" as const),
      address: fc.constantFrom("a", "b", "c"),
      how: fc.constantFrom("quick", "quick", "slow", "silent", "refused", "burst"),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("pass", "finish", "push", "push") }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("work", "pause", "pause", "resume", "leave", "close", "stray"),
      peer: fc.nat(20),
    }),
  },
);

it("keeps all limits at every moment, however peers and work interleave, and frees every place", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60, size: "max" }), async (steps) => {
      const { url, group, handshakes, jobs, most, sockets, http } = await start({ limits: LIMITS });
      const control = await serveApi(Api, (incoming) => incoming.on({ work: () => "", echo: (text) => text }));
      const observer = await RawPeer.connect(control.url);
      let peers: { readonly peer: RawPeer; readonly address: string; readonly port: number; isAccepted: boolean }[] =
        [];
      const run = async (one: Step) => {
        const target = "peer" in one ? peers[one.peer % Math.max(peers.length, 1)] : undefined;
        if (one.do === "open") {
          const peer = await open(url, one.address);
          if (!(peer instanceof RawPeer)) return;
          const { localPort } = (peer.ws as unknown as { _socket: Socket })._socket;
          const entry = { peer, address: one.address, port: localPort as number, isAccepted: false };
          peers.push(entry);
          peer.ws.on("message", (data) => {
            entry.isAccepted ||= data.toString() === "k:::null";
          });
          if (one.how === "silent") return;
          const burst = one.how === "burst" ? Array.from({ length: 50 }, (_, id) => `r:Lim.work:${id}:`) : [];
          peer.sendTogether(`h:::{"${one.how}":"1"}`.replace('"refused"', '"refuse"'), ...burst);
        } else if (one.do === "pass") handshakes.unseen[0] && (await handshakes.next()).open();
        else if (one.do === "finish") jobs.unseen[0] && (await jobs.next()).open();
        else if (one.do === "push") for (let i = 0; i < 4; i++) group.news({ text: "x".repeat(90_000) });
        else if (!target) return;
        else if (one.do === "work")
          target.peer.sendTogether(...Array.from({ length: 8 }, (_, id) => `r:Lim.work:${id}:`));
        else if (one.do === "pause") target.peer.ws.pause();
        else if (one.do === "resume") target.peer.ws.resume();
        else if (one.do === "leave") target.peer.ws.terminate();
        else if (one.do === "close") target.peer.ws.close();
        else if (one.do === "stray") target.peer.ws.send("z:::");
      };
      const settle = async () => {
        for (let i = 0; i < 4; i++) await observer.roundTrip();
        peers = peers.filter(({ port }) => sockets.has(port));
      };
      const check = () => {
        const isOpen = peers.filter(({ port }) => sockets.has(port));
        const of = (address: string) => isOpen.filter((one) => one.address === address).length;
        expect(isOpen.length).toBeLessThanOrEqual(LIMITS.maxConnections);
        for (const address of ["a", "b", "c"]) expect(of(address)).toBeLessThanOrEqual(LIMITS.maxConnectionsPerAddress);
        const reading = isOpen.filter(({ peer }) => !peer.ws.isPaused);
        expect(reading.filter(({ isAccepted }) => !isAccepted).length).toBeLessThanOrEqual(LIMITS.maxHandshakes);
        expect(most.work).toBeLessThanOrEqual(LIMITS.maxRequestsInFlight);
        const waiting = [...sockets.values()].map(({ writableLength }) => writableLength);
        expect(Math.max(0, ...waiting)).toBeLessThanOrEqual(LIMITS.maxOutboxBytes + 100);
        expect(waiting.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(LIMITS.maxTotalOutboxBytes + 1_000);
      };
      for (const one of steps) {
        await run(one);
        await settle();
        check();
      }
      for (const { peer } of peers) peer.ws.terminate();
      while (peers.length > 0) await settle();
      // Every place is free again, though handshakes and jobs of those who left are still running.
      for (const address of ["a", "b", "a", "b", "c", "c", "a", "b"]) {
        const peer = await opened(url, address);
        peer.send("h:::{}");
        expect(await peer.next()).toBe("k:::null");
      }
      expect(await open(url, "d")).toBe(503);
      for (const socket of sockets.values()) socket.destroy();
      await http.teardown();
    }),
    { ...RUNS, numRuns: Math.ceil((RUNS.numRuns ?? 40) / 4) },
  );
}, 60_000);
