import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished } from "vitest";
import { runningDeadlines } from "../../src/connection/deadlines.js";
import { Gate } from "../support/gate.js";
import { closeOf } from "../support/lines.js";
import { RawPeer } from "../support/rawPeer.js";
import { recordingLogger, serve } from "../support/server.js";
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
  const lines: Socket[] = [];
  const { http, url, server } = await serve((http) => {
    http.httpServer.on("connection", (line: Socket) => void lines.push(line));
    return Api.startServer(
      (incoming) => {
        const done = onConnection();
        if (!done) incoming.on({ echo: (text) => text });
        return done;
      },
      { http, logger: recordingLogger() },
    );
  });
  return { http, server, lines, base: url, url: `${url}/ws/linger` };
}

async function tcp(url: string, text = ""): Promise<Socket> {
  const { port } = new URL(url);
  const line = connectTcp(Number(port), "127.0.0.1");
  onTestFinished(() => void line.destroy());
  await once(line, "connect");
  if (text) line.write(text);
  return line;
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

describe("a line that goes no further", () => {
  it.each([
    ["says nothing at all", ""],
    ["stops in the middle of its upgrade request", UPGRADE("X-Half: ")],
    ["is upgraded and never shakes hands", UPGRADE()],
  ])("and %s is no connection, and does not hold up a teardown", async (_what, text) => {
    const { http, server, url, lines } = await start();
    const line = await tcp(url, text);
    // Does not answer a close frame either.
    line.pause();
    await (await RawPeer.connect(url)).close();
    expect(lines).toHaveLength(2);
    expect(server.connectionCount).toBe(0);
    const ended = closeOf(lines[0] as Socket);
    await http.teardown();
    await ended;
  });

  it("is let go when its peer closes its half: before the upgrade, before the handshake, and after", async () => {
    const { server, url, lines } = await start();
    for (const text of ["", UPGRADE("X-Half: "), UPGRADE()]) {
      const line = await tcp(url, text);
      line.resume();
      const ended = closeOf(line);
      line.end();
      await ended;
    }
    const peer = await RawPeer.connect(url);
    expect(server.connectionCount).toBe(1);
    (peer.ws as unknown as { _socket: Socket })._socket.end();
    await peer.closed;
    for (const line of lines) if (!line.destroyed) await once(line, "close");
    await (await RawPeer.connect(url)).close();
    expect(server.connectionCount).toBe(0);
  });

  it("leaves nothing behind when many are refused", async () => {
    const { url, lines } = await start();
    const before = runningDeadlines();
    for (let i = 0; i < 50; i++) {
      const line = await tcp(url, UPGRADE().replace("/ws/linger", "/nowhere"));
      line.resume();
      await closeOf(line);
    }
    expect(lines.filter(({ destroyed }) => !destroyed)).toEqual([]);
    expect(runningDeadlines()).toBe(before);
  });
});

it("a connection handler that never ends holds up its own messages, and neither others nor a teardown", async () => {
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
