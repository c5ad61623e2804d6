import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished } from "vitest";
import { runningDeadlines } from "../../src/connection/deadlines.js";
import { Gate } from "../support/gate.js";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";
import { closeOf } from "../support/tcp.js";
import { watchTheProcess } from "./watch.js";

const Api = webSocketSchema(
  defineSocketContract("Linger", {
    clientToServer: { echo: { input: IsString, success: IsString } },
    serverToClient: {},
  }),
)
  .path("ws/linger")
  .done();

async function start(onConnection: () => void | Promise<void> = () => {}) {
  const sockets: Socket[] = [];
  const { http, url, server, base } = await serveApi(Api, (incoming) => {
    const done = onConnection();
    if (!done) incoming.on({ echo: (text) => text });
    return done;
  });
  http.httpServer.on("connection", (socket: Socket) => void sockets.push(socket));
  return { http, server, sockets, base, url };
}

async function tcp(url: string, text = ""): Promise<Socket> {
  const { port } = new URL(url);
  const socket = connectTcp(Number(port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  if (text) socket.write(text);
  return socket;
}

const UPGRADE = (more = "\r\n") =>
  [
    "GET /ws/linger HTTP/1.1",
    "Host: x",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    more,
  ].join("\r\n");

watchTheProcess();

describe("a socket that stalls", () => {
  it.each([
    ["says nothing at all", ""],
    ["stops in the middle of its upgrade request", UPGRADE("X-Half: ")],
    ["is upgraded and never shakes hands", UPGRADE()],
  ])("and %s is no connection, and does not delay a teardown", async (_what, text) => {
    const { http, server, url, sockets } = await start();
    const socket = await tcp(url, text);
    // It does not answer a close frame either.
    socket.pause();
    await (await RawPeer.connect(url)).close();
    expect(sockets).toHaveLength(2);
    expect(server.connectionCount).toBe(0);
    const ended = closeOf(sockets[0] as Socket);
    await http.teardown();
    await ended;
  });

  it("is released when its peer closes its half: before the upgrade, before the handshake, and after", async () => {
    const { server, url, sockets } = await start();
    for (const text of ["", UPGRADE("X-Half: "), UPGRADE()]) {
      const socket = await tcp(url, text);
      socket.resume();
      const ended = closeOf(socket);
      socket.end();
      await ended;
    }
    const peer = await RawPeer.connect(url);
    expect(server.connectionCount).toBe(1);
    (peer.ws as unknown as { _socket: Socket })._socket.end();
    await peer.closed;
    for (const socket of sockets) if (!socket.destroyed) await once(socket, "close");
    await (await RawPeer.connect(url)).close();
    expect(server.connectionCount).toBe(0);
  });

  it("is released when it is refused, with many at once", async () => {
    const { url, sockets } = await start();
    const before = runningDeadlines();
    for (let i = 0; i < 50; i++) {
      const socket = await tcp(url, UPGRADE().replace("/ws/linger", "/nowhere"));
      socket.resume();
      await closeOf(socket);
    }
    expect(sockets.filter(({ destroyed }) => !destroyed)).toEqual([]);
    expect(runningDeadlines()).toBe(before);
  });
});

it("lets a connection handler that never ends delay only its own messages, no others and no teardown", async () => {
  const begun = new Gate();
  let isFirst = true;
  const { url, http } = await start(() => {
    if (!isFirst) return;
    isFirst = false;
    begun.open();
    return new Promise(() => {});
  });
  const stuck = await RawPeer.connect(url);
  await begun.passed;
  for (let id = 1; id <= 300; id++) stuck.send(`r:Linger.echo:${id}:"x"`);
  const other = await RawPeer.connect(url);
  other.send('r:Linger.echo:1:"x"');
  expect(await other.next()).toContain('"data":"x"');
  expect(stuck.frames.unseen).toEqual([]);
  await http.teardown();
});
