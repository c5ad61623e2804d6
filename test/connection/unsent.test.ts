import type { GGSocket } from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished } from "vitest";
import { onFakeClock } from "../support/fakeClock.js";
import { Queue } from "../support/queue.js";
import { RawPeer, RawServer } from "../support/rawPeer.js";
import { SlowProxy, turns } from "../support/slowProxy.js";

/** The system itself takes some MB at once: what waits in this process is what exceeds them. */
const HUGE = "x".repeat(15 * 1024 * 1024);
/** How many bytes pass in a step, and how long it takes: the whole takes far longer than a close may take. */
const BYTES = 384 * 1024;
const STEP_MS = 500;

type Ended = Pick<GGSocket, "teardown" | "closed">;
type End = "client" | "raw socket" | "server" | "server's raw socket";

/** One end that can send and be ended in order, behind a slow proxy that leads to a raw peer. */
async function start(kind: End) {
  const clock = await onFakeClock();
  const { serveApi, recordingLogger } = await import("../support/server.js");
  const note = { input: clock.schema.IsString };
  const Api = clock
    .webSocketSchema(clock.defineSocketContract("Unsent", { clientToServer: { note }, serverToClient: { note } }))
    .path("ws/unsent")
    .done();
  const logger = recordingLogger();
  if (kind === "server" || kind === "server's raw socket") {
    const outgoings = new Queue<(text: string) => unknown>();
    const raws = new Queue<Ended>();
    const { http, url, server } = await serveApi(
      Api,
      (incoming, outgoing) => {
        outgoings.push(outgoing.note);
        incoming.on({ note() {} });
      },
      { logger },
    );
    server.onConnection((socket) => void raws.push(socket));
    const proxy = await SlowProxy.start(http.port ?? 0, 2);
    const peer = await proxy.until(RawPeer.connect(proxy.through(url)));
    const raw = await raws.next();
    const end = kind === "server" ? () => server.teardown() : () => endSocket(raw);
    return { clock, proxy, peer, logger, send: await outgoings.next(), end };
  }
  const server = await RawServer.start();
  const proxy = await SlowProxy.start(Number(new URL(server.url).port), 2);
  const accepted = server.accept();
  if (kind === "raw socket") {
    const socket = await proxy.until(clock.GGSocketPool.connect({ domain: proxy.through(server.url), path: "/" }));
    onTestFinished(() => socket.terminate());
    const send = (text: string) => socket.send("Unsent.note", text);
    return { clock, proxy, peer: await accepted, logger, send, end: () => endSocket(socket) };
  }
  const client = Api.createClient({ url: proxy.through(server.url), logger });
  onTestFinished(() => client.close());
  await proxy.until(client.connect());
  return { clock, proxy, peer: await accepted, logger, send: client.outgoing.note, end: () => client.disconnect() };
}

async function endSocket(socket: Ended): Promise<void> {
  await socket.teardown();
  await socket.closed();
}

/** Moves the clock until a promise has settled, while no byte passes. Gives how many ms it took. */
async function stallUntil(clock: { pass(ms: number): void }, promise: Promise<unknown>): Promise<number> {
  let isSettled = false;
  promise.finally(() => {
    isSettled = true;
  });
  let ms = 0;
  for (; !isSettled && ms < 200_000; ms += 50) {
    clock.pass(50);
    await turns(2);
  }
  return ms;
}

describe.each(["client", "raw socket"] as const)("a %s that is ended in order while bytes wait", (kind) => {
  it("stays until they are sent, however long that takes", async () => {
    const { clock, proxy, peer, logger, send, end } = await start(kind);
    await send(HUGE);
    const ended = end();
    let ms = 0;
    const text = await proxy.until(
      Promise.race([peer.next(), ended]),
      () => {
        ms += STEP_MS;
        clock.pass(STEP_MS);
      },
      BYTES,
    );
    expect(text?.length).toBe(`m:Unsent.note::"${HUGE}"`.length);
    expect(ms).toBeGreaterThan(15_000);
    await proxy.until(Promise.all([peer.closed, ended]), () => clock.pass(STEP_MS), BYTES);
    expect(await peer.closed).toMatchObject({ code: 1000 });
    expect(logger.entries).toEqual([]);
  });
});

describe.each(["client", "server", "server's raw socket"] as const)("a %s that is ended in order", (kind) => {
  it("gives up when its peer takes no bytes any more, and says how many were not sent", async () => {
    const { clock, logger, send, end } = await start(kind);
    await send(HUGE);
    expect(await stallUntil(clock, end())).toBeLessThan(25_000);
    expect(logger.entries).toMatchObject([{ level: "warn", message: expect.stringMatching(/^Unsent: .*not sent/) }]);
    const { bytes } = logger.entries[0]?.fields ?? {};
    expect(bytes).toBeGreaterThan(1_000_000);
    expect(bytes).toBeLessThan(16 * 1024 * 1024);
  });

  it("says how many bytes were not sent when its peer leaves meanwhile", async () => {
    const { clock, peer, logger, send, end } = await start(kind);
    await send(HUGE);
    const ended = end();
    clock.pass(100);
    await turns(4);
    peer.ws.terminate();
    await ended;
    expect(logger.entries).toMatchObject([{ level: "warn", fields: { bytes: expect.any(Number) } }]);
  });

  it("closes at once when nothing waits", async () => {
    const { clock, proxy, peer, logger, send, end } = await start(kind);
    await send("x");
    const ended = end();
    await proxy.until(peer.closed);
    await proxy.until(ended);
    expect(await peer.next()).toBe('m:Unsent.note::"x"');
    expect(logger.entries).toEqual([]);
    clock.pass(60_000);
    expect(logger.entries).toEqual([]);
  });
});

it("a peer that takes a few bytes now and then does not hold the shutdown of a server", async () => {
  const { clock, proxy, send, end } = await start("server");
  await send(HUGE);
  let ms = 0;
  await proxy.until(
    end(),
    () => {
      ms += STEP_MS;
      clock.pass(STEP_MS);
    },
    1_000,
  );
  expect(ms).toBeLessThan(15_000);
});
