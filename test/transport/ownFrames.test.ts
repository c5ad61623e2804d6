import { createHash } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { Writable } from "node:stream";
import { chromium } from "playwright-core";
import { WebSocket as UndiciWebSocket } from "undici";
import { describe, expect, it, onTestFinished } from "vitest";
import * as ws from "ws";
import { encodeTextFrames } from "../../src/transport/node/wsFrames.js";
import { CHROMIUM_ARGS, findChromium } from "../support/chromium.js";
import { Gate } from "../support/gate.js";
import { ProbeApi } from "../support/probe.js";
import { encodeFrame, OPCODE } from "../support/rawWebSocket.js";
import { recordingLogger } from "../support/server.js";

const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean }) => Writable };

/** The frames of both ends in Node, which bypass the sender of `ws`, as other implementations read them. */

/** Where the form of the length changes, and where many bytes begin to be masked as words. */
const LENGTHS = [0, 1, 2, 3, 4, 5, 125, 126, 127, 128, 129, 130, 131, 65_535, 65_536, 65_537];
const LARGEST = 16 * 1024 * 1024;

const ALPHABETS: Readonly<Record<string, string>> = {
  ASCII: "a",
  "two bytes": "é",
  "three bytes": "€",
  "four bytes": "😀",
  "lone high surrogates": "\ud83d",
  "lone low surrogates": "\ude00",
  "surrogates in the wrong order": "\ude00\ud83d ",
  mixed: 'x é€😀"\\\ud83d',
  zeros: "\u0000",
  newlines: "\r\n",
  // Not first, where undici takes it away.
  "byte order marks": "ÿþ\ufeff",
};

/** A text of exactly these many bytes in UTF-8. */
function textOf(alphabet: string, bytes: number): string {
  const count = Math.floor(bytes / Buffer.byteLength(alphabet));
  const text = alphabet.repeat(count) + "-".repeat(bytes - count * Buffer.byteLength(alphabet));
  expect(Buffer.byteLength(text)).toBe(bytes);
  return text;
}

/** What arrives: UTF-8 has no lone surrogates. */
const received = (text: string) => text.replace(/\p{Surrogate}/gu, "\ufffd");

/** Each text alone, and then several in one buffer. */
const GROUPS: readonly (readonly string[])[] = Object.values(ALPHABETS).flatMap((alphabet) => {
  const texts = LENGTHS.map((bytes) => textOf(alphabet, bytes));
  return [...texts.map((text) => [text]), texts.slice(0, 2), texts.slice(0, 5), texts, [...texts].reverse()];
});

const HEADER = 14;

/** The frames of a group, with each byte of the first header on its own, and all bytes when they are few. */
function pieces(group: readonly string[], isMasked: boolean): Buffer[] {
  const frames = encodeTextFrames(group, isMasked);
  const split = Math.min(frames.length, frames.length < 600 ? 600 : HEADER);
  return [...Array.from({ length: split }, (_, i) => frames.subarray(i, i + 1)), frames.subarray(split)];
}

const CLOSE_FRAME = Uint8Array.from([0x88, 0]);

/** A server that answers the upgrade requests, and leaves the TCP connections to its caller. */
async function serveTcp(onUpgraded: (socket: Socket) => void): Promise<{ readonly url: string }> {
  const server = createServer({ noDelay: true }, async (socket) => {
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => {});
    const [request] = (await once(socket, "data")) as [Buffer];
    const key = /Sec-WebSocket-Key: (.*)\r\n/i.exec(request.toString())?.[1];
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    onUpgraded(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A server that sends these groups in their pieces to each client, and then closes. */
async function serveFrames(groups: readonly (readonly string[])[]): Promise<string> {
  const { url } = await serveTcp(async (socket) => {
    for (const piece of groups.flatMap((group) => pieces(group, false))) await write(socket, piece);
    socket.on("data", () => socket.end());
    socket.write(CLOSE_FRAME);
  });
  return url;
}

const write = (socket: Socket, piece: Buffer) => new Promise((resolve) => socket.write(piece, resolve));

/** A text's length and its hash (FNV-1a over its UTF-16 units), for a page that would take long to send it back. */
function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return `${text.length} ${hash >>> 0}`;
}

const digests = (groups: readonly (readonly string[])[]) => groups.flat().map((text) => digest(received(text)));

interface DecodedFrame {
  readonly first: number;
  readonly mask: string | undefined;
  readonly payload: Buffer;
}

/** The whole frames of a stream, read step by step as RFC 6455 section 5 says, and what is left of it. */
function decodeFrames(bytes: Buffer): { frames: DecodedFrame[]; rest: Buffer } {
  const frames: DecodedFrame[] = [];
  let rest = bytes;
  for (;;) {
    const [first = 0, second = 0] = rest;
    const lengthBytes = [2, 8][(second & 0x7f) - 126] ?? 0;
    const maskAt = 2 + lengthBytes;
    const payloadAt = maskAt + (second >= 0x80 ? 4 : 0);
    if (rest.length < payloadAt) return { frames, rest };
    const length = lengthBytes ? Number(`0x${rest.toString("hex", 2, maskAt)}`) : second & 0x7f;
    if (rest.length < payloadAt + length) return { frames, rest };
    const mask = rest.subarray(maskAt, payloadAt);
    const payload = Buffer.from(rest.subarray(payloadAt, payloadAt + length));
    if (mask.length) for (const [i, byte] of payload.entries()) payload[i] = byte ^ (mask[i % 4] as number);
    frames.push({ first, mask: mask.length ? mask.toString("hex") : undefined, payload });
    rest = rest.subarray(payloadAt + length);
  }
}

/** The texts are too long for the report of a failure. */
function expectSame(messages: readonly string[], texts: readonly string[]): void {
  expect(messages).toHaveLength(texts.length);
  for (const [i, text] of texts.entries()) if (messages[i] !== received(text)) expect.fail(`number ${i} differs`);
}

describe.each([
  ["server", false],
  ["client", true],
])("frames that a %s makes", (_end, isMasked) => {
  function readWithWs(chunks: readonly Buffer[]): string[] {
    const receiver = new Receiver({ isServer: isMasked });
    const messages: string[] = [];
    receiver.on("message", (data: Buffer, isBinary: boolean) => {
      expect(isBinary).toBe(false);
      messages.push(data.toString());
    });
    receiver.on("error", (error: Error) => {
      throw error;
    });
    // It unmasks in place.
    for (const chunk of chunks) receiver.write(Buffer.from(chunk));
    return messages;
  }

  /** Decodes frames that are whole, final and of text. */
  function readByHand(bytes: Buffer): string[] {
    const { frames, rest } = decodeFrames(bytes);
    expect(rest).toHaveLength(0);
    for (const { first, mask } of frames) if (first !== 0x81 || !mask === isMasked) expect.fail(`${first} ${mask}`);
    return frames.map(({ payload }) => payload.toString());
  }

  it("are read by ws, whole and in pieces", () => {
    for (const group of GROUPS) {
      const frames = encodeTextFrames(group, isMasked);
      expectSame(readByHand(frames), group);
      expectSame(readWithWs([frames]), group);
      expectSame(readWithWs(pieces(group, isMasked)), group);
    }
  });

  it("are read wherever in the buffer a payload begins", () => {
    const lengths = [
      0,
      1,
      7,
      118,
      ...Array.from({ length: 24 }, (_, i) => 120 + i),
      1_000,
      1_001,
      1_002,
      1_003,
      70_000,
    ];
    const before = Array.from({ length: 13 }, (_, bytes) => textOf("é", bytes));
    for (const alphabet of [ALPHABETS.ASCII, ALPHABETS.mixed, ALPHABETS.zeros] as string[]) {
      for (const bytes of lengths) {
        const text = textOf(alphabet, bytes);
        // All of a text, and what is behind it.
        for (const first of before) {
          const group = [first, text, first, text, text, "end"];
          const frames = encodeTextFrames(group, isMasked);
          expectSame(readByHand(frames), group);
          expectSame(readWithWs([frames]), group);
        }
      }
    }
  });

  // Masking is the same for all.
  const largest = Object.entries(ALPHABETS).filter(([name]) => !isMasked || name === "mixed");
  it.each(largest)("are read by ws at the largest size: %s", (_, alphabet) => {
    const texts = [textOf(alphabet, LARGEST), "after it"];
    expectSame(readWithWs(pieces(texts, isMasked)), texts);
  });

  it("have the fewest bytes for a length, and no other bits", () => {
    const maskSize = isMasked ? 4 : 0;
    const heads = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537, LARGEST].map((bytes) => {
      const frame = encodeTextFrames([textOf("a", bytes)], isMasked);
      return frame.subarray(0, frame.length - bytes - maskSize).toString("hex");
    });
    const maskBit = (hex: string) => (isMasked ? (Number(`0x${hex}`) | 0x80).toString(16) : hex);
    expect(heads).toEqual([
      `81${maskBit("00")}`,
      `81${maskBit("01")}`,
      `81${maskBit("7d")}`,
      `81${maskBit("7e")}007e`,
      `81${maskBit("7e")}007f`,
      `81${maskBit("7e")}ffff`,
      `81${maskBit("7f")}0000000000010000`,
      `81${maskBit("7f")}0000000000010001`,
      `81${maskBit("7f")}0000000001000000`,
    ]);
  });

  it("are none without messages", () => expect(encodeTextFrames([], isMasked)).toHaveLength(0));
});

describe("the masks of a client's frames", () => {
  /** Masks that nobody can predict are all different, and each of their bytes takes nearly all values. */
  function expectUnpredictable(masks: readonly (string | undefined)[]): void {
    const count = masks.length;
    expect(masks).not.toContain(undefined);
    for (const [i, mask] of masks.entries()) if (mask === masks[i + 1]) expect.fail(`number ${i} is there again`);
    // By chance two of some thousand may be the same.
    expect(new Set(masks).size).toBeGreaterThan(count - 5);
    for (const place of [0, 2, 4, 6]) {
      const bytes = new Set(masks.map((mask) => mask?.slice(place, place + 2)));
      expect(bytes.size).toBeGreaterThan(240);
    }
  }

  it.each([
    ["alone", 1, 3_000],
    ["with others in one buffer", 3_000, 1],
    ["in buffers of several", 7, 500],
  ])("are each random, for frames %s", (_, together, times) => {
    const masks = Array.from({ length: times }, () =>
      decodeFrames(encodeTextFrames(Array(together).fill("the same text"), true)).frames.map(({ mask }) => mask),
    );
    expectUnpredictable(masks.flat());
  });

  it("are on all that it sends over TCP, its own frames and those of ws, in their order", async () => {
    let frames: DecodedFrame[] = [];
    let unread = Buffer.alloc(0);
    const ended = new Gate();
    const { url } = await serveTcp((socket) => {
      socket.on("data", (chunk) => {
        const decoded = decodeFrames(Buffer.concat([unread, chunk]));
        unread = Buffer.from(decoded.rest);
        if (frames.length === 0 && decoded.frames.length > 0)
          socket.write(encodeFrame({ opcode: OPCODE.TEXT, payload: "k:::null", isMasked: false }));
        frames = frames.concat(decoded.frames);
        if (frames.at(-1)?.first === 0x88) socket.end(CLOSE_FRAME);
      });
      socket.on("close", () => ended.open());
    });
    const client = ProbeApi.createClient({ url, logger: recordingLogger() });
    onTestFinished(() => client.close());
    await client.connect();
    // Of JSON, which escapes lone surrogates.
    const texts = Object.values(ALPHABETS).flatMap((alphabet) => LENGTHS.map((bytes) => textOf(alphabet, bytes)));
    for (const [i, text] of texts.entries()) {
      client.outgoing.note({ text });
      // Alone, and with others of the same tick.
      if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    for (let i = 0; i < 3_000; i++) client.outgoing.ping();
    client.close();
    await ended.passed;

    expect(unread).toHaveLength(0);
    expectUnpredictable(frames.map(({ mask }) => mask));
    const [handshake, ...sent] = frames.map(({ payload }) => payload.toString());
    expect(handshake).toMatch(/^h:::/);
    expectSame(
      sent.slice(0, texts.length),
      texts.map((text) => `m:Probe.note::${JSON.stringify({ text })}`),
    );
    expect(sent.slice(texts.length, -1)).toEqual(Array(3_000).fill("m:Probe.ping::"));
    expect(frames.map(({ first }) => first)).toEqual([...Array(frames.length - 1).fill(0x81), 0x88]);
  });
});

describe("frames that a server makes", () => {
  const all = [...GROUPS, [textOf(ALPHABETS.mixed as string, LARGEST), "after it"]];

  it("are read by undici", { timeout: 30_000 }, async () => {
    const client = new UndiciWebSocket(await serveFrames(all));
    const messages: string[] = [];
    client.addEventListener("message", ({ data }) => messages.push(digest(data)));
    await new Promise((resolve) => client.addEventListener("close", resolve));
    expect(messages).toEqual(digests(all));
  });

  const executablePath = findChromium();
  it.skipIf(!executablePath)("are read by Chromium", { timeout: 30_000 }, async () => {
    const browser = await chromium.launch({ executablePath: executablePath as string, args: CHROMIUM_ARGS });
    onTestFinished(() => browser.close());
    const page = await browser.newPage();
    const script = `new Promise((resolve) => {
      const digest = ${digest};
      const messages = [];
      const ws = new WebSocket(${JSON.stringify(await serveFrames(all))});
      ws.onmessage = ({ data }) => messages.push(digest(data));
      ws.onclose = () => resolve(messages);
    })`;
    expect(await page.evaluate(script)).toEqual(digests(all));
  });
});
