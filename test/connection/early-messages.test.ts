import { once } from "node:events";
import type { Socket } from "node:net";
import { IsNumber, IsObject, IsString } from "@grest-ts/schema";
import {
  defineSocketContract,
  type WebSocketIncoming,
  type WebSocketOutgoing,
  webSocketSchema,
} from "@grest-ts/websocket";
import { describe, expect, it } from "vitest";
import { onFakeClock } from "../support/fakeClock.js";
import { Gate } from "../support/gate.js";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";

const contract = defineSocketContract("Early", {
  clientToServer: {
    count: { input: IsNumber, success: IsNumber },
    load: { input: IsObject({ n: IsNumber, padding: IsString }), success: IsNumber },
    note: { input: IsNumber },
  },
  serverToClient: { hello: {} },
});
type C2S = typeof contract.methods.clientToServer;
type S2C = typeof contract.methods.serverToClient;

/** Serves a connection handler; records what its handlers get. */
async function start(
  onConnection: (
    give: () => void,
    incoming: WebSocketIncoming<C2S>,
    outgoing: WebSocketOutgoing<S2C>,
  ) => void | Promise<void>,
  process?: () => Promise<void>,
) {
  const handled: string[] = [];
  const sockets: Socket[] = [];
  const { http, url, logger } = await serveApi(
    webSocketSchema(contract).path("ws/early").done(),
    (incoming, outgoing) => {
      const note = (text: string, n: number) => {
        handled.push(`${text} ${n}`);
        return n;
      };
      const give = () =>
        incoming.on({
          count: (n) => note("count", n),
          load: ({ n }) => note("load", n),
          note: (n) => void note("note", n),
        });
      return onConnection(give, incoming, outgoing);
    },
    process && { middlewares: [{ process }] },
  );
  http.httpServer.on("connection", (socket: Socket) => void sockets.push(socket));
  return { url, logger, handled, sockets };
}

const idOf = (frame: string) => Number(frame.split(":", 3)[2]);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("messages that come before handlers", () => {
  it("wait for an async connection handler that first loads a user, and are then handled in order", async () => {
    const userLoaded = new Gate();
    const { url, handled } = await start(async (give) => {
      await userLoaded.passed;
      give();
    });
    const peer = await RawPeer.connect(url);
    peer.send("r:Early.count:1:1", "m:Early.note::2", "r:Early.nope:3:", "r:Early.count:4:4");
    await peer.roundTrip();
    expect(handled).toEqual([]);
    expect(peer.frames.unseen).toEqual([]);
    userLoaded.open();
    expect((await peer.frames.take(3)).map(idOf)).toEqual([1, 3, 4]);
    expect(handled).toEqual(["count 1", "note 2", "count 4"]);
  });

  it("are delivered when they come in one chunk with the handshake message", async () => {
    const { url, handled } = await start(async (give) => {
      await Promise.resolve();
      give();
    });
    const peer = await RawPeer.open(url);
    peer.sendTogether("h:::{}", "r:Early.count:1:1", "m:Early.note::2", "r:Early.count:3:3");
    expect((await peer.frames.take(3)).map((frame) => frame.slice(0, 15))).toEqual([
      "k:::null",
      "s:Early.count:1",
      "s:Early.count:3",
    ]);
    expect(handled).toEqual(["count 1", "note 2", "count 3"]);
  });

  it("are delivered once all statements of the connection handler are through", async () => {
    const arrived = new Gate();
    const { url } = await start(async (_give, incoming) => {
      await arrived.passed;
      const replaced = () => {
        throw new Error("replaced before anything was delivered");
      };
      incoming.on({ count: replaced, load: replaced, note: replaced });
      incoming.on({ count: (n) => n, load: ({ n }) => n, note: () => {} });
    });
    const peer = await RawPeer.connect(url);
    peer.send("r:Early.count:1:7");
    await peer.roundTrip();
    arrived.open();
    expect(await peer.next()).toBe('s:Early.count:1:{"success":true,"type":"OK","data":7}');
  });

  it("come after what the connection handler itself sends first", async () => {
    const { url } = await start((give, _incoming, outgoing) => {
      outgoing.hello();
      give();
    });
    const peer = await RawPeer.open(url);
    peer.sendTogether("h:::{}", "r:Early.count:1:1");
    expect((await peer.frames.take(3)).map((frame) => frame.slice(0, 8))).toEqual(["k:::null", "m:Early.", "s:Early."]);
  });

  it("are not handled any more when the connection has closed meanwhile", async () => {
    const userLoaded = new Gate();
    const closed = new Gate();
    const { url, handled } = await start(async (give, _incoming, outgoing) => {
      outgoing.onClose(() => closed.open());
      await userLoaded.passed;
      give();
    });
    const peer = await RawPeer.connect(url);
    peer.send("m:Early.note::1");
    await peer.roundTrip();
    peer.ws.close();
    await closed.passed;
    userLoaded.open();
    const other = await RawPeer.connect(url);
    other.send("r:Early.count:2:2");
    await other.next();
    expect(handled).toEqual(["count 2"]);
  });
});

describe.each([
  ["the connection handler", "handler"],
  ["a middleware", "middleware"],
] as const)("while %s is slow, the queue", (_who, who) => {
  const startSlow = (gate: Gate) =>
    who === "handler"
      ? start(async (give) => {
          await gate.passed;
          give();
        })
      : start(
          (give) => give(),
          () => gate.passed,
        );

  const open = async (url: string) => {
    const peer = await RawPeer.open(url);
    peer.send("h:::{}");
    if (who === "handler") await peer.next();
    return peer;
  };

  it("holds 255 messages with the socket open, pauses it at 256, and then reads at most one more chunk", async () => {
    const gate = new Gate();
    const { url, handled, sockets } = await startSlow(gate);
    const peer = await open(url);
    const socket = sockets[0] as Socket;
    for (const n of upTo(255)) peer.send(`r:Early.count:${n}:${n}`);
    await peer.roundTrip();
    expect(socket.isPaused()).toBe(false);

    const paused = once(socket, "pause");
    peer.send("r:Early.count:255:255");
    await paused;
    const { bytesRead } = socket;
    const padding = "x".repeat(1024 * 1024);
    for (const n of upTo(32)) peer.send(`r:Early.load:${256 + n}:{"n":${256 + n},"padding":"${padding}"}`);
    const other = await RawPeer.open(url);
    for (let i = 0; i < 20; i++) await other.roundTrip();
    // Node reads one chunk ahead, and no more of the 32 MiB that wait.
    expect(socket.bytesRead - bytesRead).toBeLessThan(padding.length);
    expect(handled).toEqual([]);

    gate.open();
    if (who === "middleware") expect(await peer.next()).toBe("k:::null");
    expect((await peer.frames.take(288)).map(idOf)).toEqual(upTo(288));
    expect(handled).toEqual(upTo(288).map((n) => (n < 256 ? `count ${n}` : `load ${n}`)));
    expect(socket.isPaused()).toBe(false);
  });

  it("is paused by few messages too when they are large, and loses none of them", async () => {
    const gate = new Gate();
    const { url, handled, sockets } = await startSlow(gate);
    const peer = await open(url);
    const socket = sockets[0] as Socket;
    const paused = once(socket, "pause");
    // Before the handshake is done a message may be no larger than a handshake needs.
    const padding = "x".repeat((who === "middleware" ? 64 : 256) * 1024);
    for (const n of upTo(64)) peer.send(`r:Early.load:${n}:{"n":${n},"padding":"${padding}"}`);
    await paused;
    const other = await RawPeer.open(url);
    for (let i = 0; i < 20; i++) await other.roundTrip();
    // Of 16 MiB it has read the one that it may hold, and what was in transit.
    expect(socket.bytesRead).toBeLessThan(12 * padding.length);

    gate.open();
    if (who === "middleware") expect(await peer.next()).toBe("k:::null");
    expect((await peer.frames.take(64)).map(idOf)).toEqual(upTo(64));
    expect(handled).toEqual(upTo(64).map((n) => `load ${n}`));
    expect(socket.isPaused()).toBe(false);
  });

  it("loses nothing of a flood that comes in one chunk", async () => {
    const gate = new Gate();
    const { url, handled, sockets } = await startSlow(gate);
    const peer = await open(url);
    const paused = once(sockets[0] as Socket, "pause");
    peer.sendTogether(...upTo(3000).map((n) => `r:Early.count:${n}:${n}`));
    await paused;
    gate.open();
    if (who === "middleware") expect(await peer.next()).toBe("k:::null");
    expect((await peer.frames.take(3000)).map(idOf)).toEqual(upTo(3000));
    expect(handled).toEqual(upTo(3000).map((n) => `count ${n}`));
  });

  it("of one connection does not delay another", async () => {
    const gate = new Gate();
    let isFirst = true;
    const slowOnce = () => {
      const wait = isFirst;
      isFirst = false;
      return wait ? gate.passed : Promise.resolve();
    };
    const { url } =
      who === "handler"
        ? await start(async (give) => {
            await slowOnce();
            give();
          })
        : await start((give) => give(), slowOnce);
    const slow = await open(url);
    slow.send("r:Early.count:1:1");
    await slow.roundTrip();
    const quick = await RawPeer.connect(url);
    quick.send("r:Early.count:2:2");
    expect(idOf(await quick.next())).toBe(2);
    expect(slow.frames.unseen).toEqual([]);
  });
});

it("reads a socket again after the handshake that was paused for invalid frames", async () => {
  const gate = new Gate();
  const { url, sockets } = await start(
    (give) => give(),
    () => gate.passed,
  );
  const peer = await RawPeer.open(url);
  const paused = once(sockets[0] as Socket, "pause");
  peer.send("h:::{}", ...upTo(256).map((n) => `s:Early.stray:${n}:{}`));
  await paused;
  peer.send("r:Early.count:1:1");
  gate.open();
  expect((await peer.frames.take(2)).map((frame) => frame.slice(0, 15))).toEqual(["k:::null", "s:Early.count:1"]);
});

it("answers declared methods with a SERVER_ERROR 1 s after a connection handler without handlers", async () => {
  const clock = await onFakeClock();
  const Api = clock
    .webSocketSchema(
      clock.defineSocketContract("Mute", {
        clientToServer: { say: { success: clock.schema.IsString } },
        serverToClient: {},
      }),
    )
    .path("ws/mute")
    .done();
  const { url } = await clock.start((http) => Api.register(() => {}, { http }));
  const peer = await RawPeer.connect(`${url}/ws/mute`);
  peer.send("r:Mute.say:1:");
  await peer.roundTrip();
  clock.pass(999);
  await peer.roundTrip();
  expect(peer.frames.unseen).toEqual([]);
  clock.pass(2);
  const reply = await peer.next();
  expect(reply).toMatch(/^s:Mute\.say:1:.*"type":"SERVER_ERROR".*"displayMessage":"Mute\.say has no handler/);
  peer.send("r:Mute.say:2:", "r:Mute.nope:3:");
  expect(await peer.next()).toMatch(/^s:Mute\.say:2:.*Mute\.say has no handler/);
  expect(await peer.next()).toMatch(/^s:Mute\.nope:3:.*ROUTE_NOT_FOUND/);
});
