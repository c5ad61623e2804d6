import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { onFakeClock } from "../support/fakeClock.js";
import { Gate } from "../support/gate.js";
import { Queue } from "../support/queue.js";
import { RawPeer, RawServer } from "../support/rawPeer.js";
import { SlowProxy, turns } from "../support/slowProxy.js";

const HEARTBEAT = { intervalMs: 400, timeoutMs: 200 };
/** What it takes at most to detect a dead peer, with some ms for the timers themselves. */
const AT_MOST = 2 * HEARTBEAT.intervalMs + HEARTBEAT.timeoutMs + 30;

/** How far the clock moves with each step of the proxy. */
const STEP_MS = 20;
/** A message that takes far longer than a silent peer has, and how many of its bytes pass in a step. */
const LARGE = "x".repeat(4 * 1024 * 1024);
const FEW = 64 * 1024;
/** The system itself takes some MB at once: what is seen of a message that an end sends is what exceeds them. */
const HUGE = "x".repeat(15 * 1024 * 1024);
const MORE = 384 * 1024;
/** Enough messages for reading to pause. */
const MANY = 300;

type Kind = "server" | "client";

/** The package on a fake clock with an API whose only method goes both ways. */
async function loadApi() {
  const clock = await onFakeClock();
  const { serveApi } = await import("../support/server.js");
  const note = { input: clock.schema.IsString };
  const Api = clock
    .webSocketSchema(clock.defineSocketContract("Slow", { clientToServer: { note }, serverToClient: { note } }))
    .path("ws/slow")
    .done();
  return { clock, serveApi, Api };
}

/** One end with a quick heartbeat, and a raw peer behind a slow proxy. With `isHeld`, its handlers wait for the gate. */
async function start(kind: Kind, isHeld = false, capabilities = "") {
  const { clock, serveApi, Api } = await loadApi();
  const handlers = new Gate();
  if (!isHeld) handlers.open();
  const notes = new Queue<number>();
  const note = (text: string) => void notes.push(text.length);
  const ended = new Gate<string>();
  const common = { clock, handlers, notes, ended: ended.passed };
  if (kind === "server") {
    let send!: (text: string) => unknown;
    const { http, url } = await serveApi(
      Api,
      async (incoming, outgoing) => {
        send = outgoing.note;
        outgoing.onClose(() => ended.open("ended"));
        await handlers.passed;
        incoming.on({ note });
      },
      { heartbeat: HEARTBEAT },
    );
    const proxy = await SlowProxy.start(http.port ?? 0, 2);
    const { peer } = await proxy.until(RawPeer.connectWith(proxy.through(url), capabilities));
    return { ...common, proxy, peer, send };
  }
  const server = await RawServer.start();
  const proxy = await SlowProxy.start(Number(new URL(server.url).port), 2);
  const client = Api.createClient({ url: proxy.through(server.url) });
  client.onDisconnect(() => ended.open("ended"));
  onTestFinished(() => client.close());
  const set = new Gate();
  client
    .connect(async ({ incoming }) => {
      set.open();
      await handlers.passed;
      incoming.on({ note });
    })
    .catch(() => {});
  const peer = await proxy.until(server.connections.next());
  await proxy.until(peer.next());
  peer.send(`k:::{"ws-capabilities":"alive=${HEARTBEAT.intervalMs},${HEARTBEAT.timeoutMs}"}`);
  await proxy.until(set.passed);
  return { ...common, proxy, peer, send: client.outgoing.note };
}

type Rig = Awaited<ReturnType<typeof start>>;

/** What comes first: these events, or the end of the connection. Each step of the proxy takes its time. */
function pass<T>({ proxy, clock, ended }: Rig, events: Promise<T>, bytes: number): Promise<T | string> {
  return proxy.until(Promise.race([events, ended]), () => clock.pass(STEP_MS), bytes);
}

/** From here on the peer is dead: nothing passes any more. Gives the ms until the connection has ended. */
async function die({ clock, ended }: Rig): Promise<number> {
  let ms = 0;
  let isOver = false;
  ended.then(() => {
    isOver = true;
  });
  for (; !isOver && ms < 10 * AT_MOST; ms += 10) {
    clock.pass(10);
    await turns(4);
  }
  return ms;
}

describe.each(["server", "client"] as const)("the %s's end of a slow connection", (kind) => {
  it("stays while a large message arrives", async () => {
    const rig = await start(kind);
    rig.peer.send(`m:Slow.note::"${LARGE}"`);
    expect(await pass(rig, rig.notes.next(), FEW)).toBe(LARGE.length);
  });

  it("ends when the peer dies within a large message that it sends", async () => {
    const rig = await start(kind);
    rig.peer.send(`m:Slow.note::"${LARGE}"`);
    for (let i = 0; i < 20; i++) await rig.proxy.step(FEW);
    expect(await die(rig)).toBeLessThan(AT_MOST);
    expect(rig.notes.unseen).toEqual([]);
  });

  it("stays while the peer reads large messages", async () => {
    const rig = await start(kind);
    rig.send(HUGE);
    rig.send(HUGE);
    const lengths = rig.peer.frames.take(2).then((frames) => frames.map(({ length }) => length));
    const { length } = `m:Slow.note::"${HUGE}"`;
    expect(await pass(rig, lengths, MORE)).toEqual([length, length]);
  });

  it("ends when the peer dies within a large message that it reads", async () => {
    const rig = await start(kind);
    rig.send(HUGE);
    rig.send(HUGE);
    await pass(rig, rig.peer.next(), MORE);
    expect(await die(rig)).toBeLessThan(AT_MOST);
  });

  it("ends when the peer dies, though this end goes on sending", async () => {
    const rig = await start(kind);
    let ms = 0;
    const isOver = rig.ended.then(() => true);
    while (ms < 10 * AT_MOST && !(await Promise.race([isOver, turns(4)]))) {
      rig.send("x".repeat(10_000));
      rig.clock.pass(10);
      ms += 10;
    }
    expect(ms).toBeLessThan(AT_MOST);
  });

  it("stays while it does not read itself, and handles what waited", async () => {
    const rig = await start(kind, true);
    rig.peer.send(...Array.from({ length: MANY }, (_, i) => `m:Slow.note::"${"x".repeat(i)}"`));
    await rig.proxy.untilPaused(FEW);
    for (let ms = 0; ms < 10 * AT_MOST; ms += STEP_MS) {
      await rig.proxy.step(FEW);
      rig.clock.pass(STEP_MS);
    }
    rig.handlers.open();
    expect(await pass(rig, rig.notes.take(MANY), FEW)).toEqual(Array.from({ length: MANY }, (_, i) => i));
  });

  it("ends when the peer died while this end did not read", async () => {
    const rig = await start(kind, true);
    rig.peer.send(...Array.from({ length: MANY }, () => 'm:Slow.note::""'));
    await rig.proxy.untilPaused(FEW);
    for (let ms = 0; ms < 2 * AT_MOST; ms += 10) rig.clock.pass(10);
    rig.handlers.open();
    expect(await die(rig)).toBeLessThan(AT_MOST);
    expect(rig.notes.unseen).toHaveLength(MANY);
  });
});

describe.each([
  ["in a page", "alive", "o:::"],
  ["without capabilities", "", "ping"],
])("a peer %s that waits for its server", (_name, capabilities, sign) => {
  /** A server and what it sends besides answers. */
  async function startAsked(isHeld: boolean) {
    const rig = await start("server", isHeld, capabilities);
    const signs = new Queue<string>();
    rig.peer.ws.on("message", (data) => signs.push(data.toString()));
    if (!capabilities) rig.peer.ws.on("ping", () => signs.push("ping"));
    return { ...rig, signs };
  }

  it("gets signs of life while its large message arrives", async () => {
    const rig = await startAsked(false);
    rig.peer.send(`m:Slow.note::"${LARGE}"`);
    expect(await pass(rig, rig.signs.take(5), FEW)).toEqual(Array(5).fill(sign));
    expect(rig.notes.unseen).toEqual([]);
  });

  it("gets signs of life while the server does not read", async () => {
    const rig = await startAsked(true);
    rig.peer.send(...Array.from({ length: MANY }, () => 'm:Slow.note::""'));
    await rig.proxy.untilPaused(FEW);
    expect(await pass(rig, rig.signs.take(5), FEW)).toEqual(Array(5).fill(sign));
  });

  it("gets none while its messages are whole", async () => {
    const rig = await startAsked(false);
    for (let i = 0; i < 60; i++) {
      rig.peer.send('m:Slow.note::""');
      await pass(rig, rig.notes.next(), FEW);
    }
    expect(rig.signs.unseen).toEqual([]);
  });
});

describe.each([
  ["`ws`", undefined],
  ["a native WebSocket", WebSocket as unknown as new (url: string) => globalThis.WebSocket],
])("a server and a client on %s, each with a heartbeat", (_name, webSocket) => {
  async function startBoth(isHeld: boolean) {
    const { clock, serveApi, Api } = await loadApi();
    const handlers = new Gate();
    if (!isHeld) handlers.open();
    const notes = new Queue<number>();
    const ended = new Gate<string>();
    const { http, url } = await serveApi(
      Api,
      async (incoming, outgoing) => {
        outgoing.onClose(() => ended.open("ended"));
        await handlers.passed;
        incoming.on({ note: (text) => void notes.push(text.length) });
      },
      { heartbeat: HEARTBEAT },
    );
    const proxy = await SlowProxy.start(http.port ?? 0, 2);
    const base = new URL(proxy.through(url)).origin;
    const client = Api.createClient(webSocket ? { url: base, webSocket } : { url: base });
    client.onDisconnect(() => ended.open("ended"));
    client.incoming.on({ note: () => {} });
    onTestFinished(() => client.close());
    await proxy.until(client.connect());
    return { clock, proxy, client, handlers, notes, ended: ended.passed };
  }

  it("stay connected while a large message passes", async () => {
    const { clock, proxy, client, notes, ended } = await startBoth(false);
    client.outgoing.note(HUGE);
    const first = Promise.race([notes.next(), ended]);
    expect(await proxy.until(first, () => clock.pass(STEP_MS), 2 * FEW)).toBe(HUGE.length);
  });

  it("stay connected while the server does not read", async () => {
    const { clock, proxy, client, handlers, notes, ended } = await startBoth(true);
    for (let i = 0; i < MANY; i++) {
      client.outgoing.note("x");
      // Not in one batch.
      await turns(1);
    }
    await proxy.untilPaused(FEW);
    for (let ms = 0; ms < 10 * AT_MOST; ms += STEP_MS) {
      await proxy.step(FEW);
      clock.pass(STEP_MS);
    }
    handlers.open();
    const all = Promise.race([notes.take(MANY), ended]);
    expect(await proxy.until(all, () => clock.pass(STEP_MS), FEW)).toHaveLength(MANY);
  });
});
