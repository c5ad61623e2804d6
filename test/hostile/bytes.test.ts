import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";
import { RUNS } from "./arbitraries.js";
import { watchTheProcess } from "./watch.js";

const Api = webSocketSchema(
  defineSocketContract("Byte", {
    clientToServer: { echo: { input: IsString, success: IsString } },
    serverToClient: { news: { input: IsString } },
  }),
)
  .path("ws/byte")
  .done();
const SILENT = { debug() {}, warn() {}, error() {} };

watchTheProcess();

/** One WebSocket frame (RFC 6455 section 5.2), with every field as given. */
function frame(first: number, payload: Uint8Array, isMasked: boolean, claimed = payload.length): Buffer {
  const length =
    claimed < 126
      ? Buffer.from([claimed])
      : claimed < 65_536
        ? Buffer.from([126, claimed >> 8, claimed & 255])
        : Buffer.concat([Buffer.from([127]), u64(claimed)]);
  if (!isMasked) return Buffer.concat([Buffer.from([first]), length, payload]);
  length[0] = (length[0] ?? 0) | 0x80;
  const mask = Buffer.from([1, 2, 3, 4]);
  return Buffer.concat([Buffer.from([first]), length, mask, payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0))]);
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

const anyWebSocketFrame = (isMasked: boolean) =>
  fc
    .record({
      // Mostly text, and every opcode, reserved bit and fragment.
      first: fc.oneof(
        fc.constantFrom(0x81, 0x81, 0x01, 0x80, 0x88, 0x89, 0x8a, 0x82),
        fc.integer({ min: 0, max: 255 }),
      ),
      payload: fc.oneof(
        fc.string({ maxLength: 50 }).map((text) => Buffer.from(`r:Byte.echo:1:${JSON.stringify(text)}`)),
        fc.uint8Array({ maxLength: 150 }).map((bytes) => Buffer.from(bytes)),
      ),
      isMasked: fc.oneof(
        { weight: 9, arbitrary: fc.constant(isMasked) },
        { weight: 1, arbitrary: fc.constant(!isMasked) },
      ),
      claimed: fc.option(fc.constantFrom(0, 1, 125, 126, 70_000, 2 ** 31, 2 ** 52), { nil: undefined, freq: 8 }),
    })
    .map(({ first, payload, isMasked: masked, claimed }) => frame(first, payload, masked, claimed ?? payload.length));

/** Bytes of frames, some of them damaged, split into arbitrary chunks. */
const anyBytes = (isMasked: boolean) =>
  fc
    .tuple(
      fc.array(anyWebSocketFrame(isMasked), { minLength: 1, maxLength: 12, size: "max" }),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
    )
    .map(([frames, damages]) => {
      const bytes = Buffer.concat(frames);
      for (const [at, value] of damages) bytes[at % bytes.length] = value;
      return bytes;
    });

const REQUEST = (path: string, host: string) =>
  [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "",
    "",
  ].join("\r\n");

async function tcp(url: string): Promise<Socket> {
  const { port, hostname } = new URL(url);
  const socket = connectTcp(Number(port), hostname);
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** Ends the socket, and waits until it is closed. */
async function ending(socket: Socket): Promise<void> {
  socket.end();
  socket.resume();
  if (!socket.destroyed) await once(socket, "close");
}

describe("a server that gets random bytes", () => {
  const start = () => serveApi(Api, (incoming) => incoming.on({ echo: (text) => text }), { logger: SILENT });

  it("stays up, serves others, and keeps nothing", async () => {
    const { url, server } = await start();
    const good = await RawPeer.connect(url);
    await fc.assert(
      fc.asyncProperty(anyBytes(true), fc.boolean(), async (bytes, hasHandshake) => {
        const socket = await tcp(url);
        socket.write(REQUEST("/ws/byte", new URL(url).host));
        await once(socket, "data");
        if (hasHandshake) socket.write(frame(0x81, Buffer.from("h:::{}"), true));
        socket.write(bytes);
        await ending(socket);
        good.send('r:Byte.echo:1:"still here"');
        expect(await good.next()).toContain("still here");
      }),
      RUNS,
    );
    await good.close();
    while (server.connectionCount > 0) await new Promise((resolve) => setImmediate(resolve));
  }, 30_000);

  it("closes a connection that sends 200,000 empty fragments, and releases its memory", async () => {
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc") as () => void;
    const { url, server } = await start();
    const flood = async () => {
      const socket = await tcp(url);
      socket.write(REQUEST("/ws/byte", new URL(url).host));
      await once(socket, "data");
      socket.write(frame(0x81, Buffer.from("h:::{}"), true));
      const chunks: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => chunks.push(chunk));
      socket.write(frame(0x01, Buffer.alloc(0), true));
      socket.write(Buffer.concat(Array.from({ length: 200_000 }, () => frame(0x00, Buffer.alloc(0), true))));
      if (!socket.destroyed) await once(socket, "close");
      return Buffer.concat(chunks);
    };
    const received = await flood();
    // A close frame with 1008 (0x03f0), from `ws` 8.21 on.
    expect(received.includes(Buffer.from([0x03, 0xf0]))).toBe(true);
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 3; i++) await flood();
    while (server.connectionCount > 0) await new Promise((resolve) => setImmediate(resolve));
    gc();
    // One fragment kept per connection would add about 20 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000);
  }, 30_000);

  it("refuses or ignores garbage in place of an upgrade", async () => {
    const { url } = await start();
    const host = new URL(url).host;
    const line = fc.oneof(
      fc.string({ unit: "binary", maxLength: 80 }),
      fc.constantFrom(
        "Host:",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: x",
        "Sec-WebSocket-Version: 99",
        "Content-Length: 5",
      ),
    );
    const garbage = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(fc.webPath(), fc.array(line, { maxLength: 8 }))
        .map(([path, lines]) => Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`)),
      fc
        .constantFrom(
          REQUEST("/ws/byte", host).replace("13", "7"),
          REQUEST("/ws/byte", host).replace("GET", "POST"),
          REQUEST("/ws/byte", host).replace(/Host.*\r\n/, ""),
          REQUEST("/ws/byte?%E0%A4%A", host),
          REQUEST("//ws/byte", host),
          REQUEST("http://[::1/ws/byte", host),
          REQUEST("*", host),
          REQUEST(`/${"x".repeat(20_000)}`, host),
          REQUEST("/ws/byte", host).replace("Host", `${"x: y\r\n".repeat(2_000)}Host`),
        )
        .map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(garbage, async (bytes) => {
        const peer = await tcp(url);
        peer.write(bytes);
        await ending(peer);
      }),
      RUNS,
    );
    const good = await RawPeer.connect(url);
    good.send('r:Byte.echo:1:"still here"');
    expect(await good.next()).toContain("still here");
  }, 30_000);
});

describe("a client that gets random bytes", () => {
  it("settles its calls, and its connection ends", async () => {
    const sockets: Socket[] = [];
    let answer: (socket: Socket) => void = () => {};
    const listener = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => {});
      socket.once("data", (head) => {
        const key = /Sec-WebSocket-Key: (.*)\r\n/i.exec(head.toString())?.[1];
        const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
        );
        answer(socket);
      });
    }).listen(0, "127.0.0.1");
    await once(listener, "listening");
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      listener.close();
    });
    const url = `ws://127.0.0.1:${(listener.address() as AddressInfo).port}`;

    await fc.assert(
      fc.asyncProperty(anyBytes(false), fc.boolean(), async (bytes, hasHandshake) => {
        const client = Api.createClient({ url, logger: SILENT });
        onTestFinished(() => client.close());
        client.incoming.on({ news: () => {} });
        answer = (socket) => {
          if (hasHandshake) socket.write(frame(0x81, Buffer.from("k:::null"), false));
          socket.write(bytes);
          socket.end();
        };
        const ended = new Promise((resolve) => client.onClose(resolve));
        const connected = await client.connect().then(
          () => true,
          () => false,
        );
        const call = await client.outgoing.echo("x").asResult();
        expect(typeof call.success).toBe("boolean");
        if (connected) await ended;
        expect(client.isConnected).toBe(false);
      }),
      RUNS,
    );
  }, 30_000);
});
