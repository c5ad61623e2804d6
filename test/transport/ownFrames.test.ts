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

const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean }) => Writable };

/** The server's frames, which bypass the sender of `ws`, as other implementations read them. */

const LENGTHS = [0, 1, 125, 126, 127, 65_535, 65_536, 65_537];
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
function pieces(group: readonly string[]): Buffer[] {
  const frames = encodeTextFrames(group);
  const split = Math.min(frames.length, frames.length < 600 ? 600 : HEADER);
  return [...Array.from({ length: split }, (_, i) => frames.subarray(i, i + 1)), frames.subarray(split)];
}

const CLOSE_FRAME = Uint8Array.from([0x88, 0]);

/** A server that sends these groups in their pieces to each client, and then closes. */
async function serveFrames(groups: readonly (readonly string[])[]): Promise<string> {
  const server = createServer({ noDelay: true }, async (socket) => {
    onTestFinished(() => void socket.destroy());
    socket.on("error", () => {});
    const [request] = (await once(socket, "data")) as [Buffer];
    const key = /Sec-WebSocket-Key: (.*)\r\n/i.exec(request.toString())?.[1];
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    for (const piece of groups.flatMap(pieces)) await write(socket, piece);
    socket.on("data", () => socket.end());
    socket.write(CLOSE_FRAME);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const write = (socket: Socket, piece: Buffer) => new Promise((resolve) => socket.write(piece, resolve));

/** A text's length and its hash (FNV-1a over its UTF-16 units), for a page that would take long to send it back. */
function digest(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return `${text.length} ${hash >>> 0}`;
}

const digests = (groups: readonly (readonly string[])[]) => groups.flat().map((text) => digest(received(text)));

describe("frames of our own making", () => {
  function readWithWs(chunks: readonly Buffer[]): string[] {
    const receiver = new Receiver({ isServer: false });
    const messages: string[] = [];
    receiver.on("message", (data: Buffer, isBinary: boolean) => {
      expect(isBinary).toBe(false);
      messages.push(data.toString());
    });
    receiver.on("error", (error: Error) => {
      throw error;
    });
    for (const chunk of chunks) receiver.write(chunk);
    return messages;
  }

  /** The texts are too long for the report of a failure. */
  function expectSame(messages: readonly string[], texts: readonly string[]): void {
    expect(messages).toHaveLength(texts.length);
    for (const [i, text] of texts.entries()) expect(messages[i] === received(text)).toBe(true);
  }

  it("are read by ws, whole and in pieces", () => {
    for (const group of GROUPS) {
      expectSame(readWithWs([encodeTextFrames(group)]), group);
      expectSame(readWithWs(pieces(group)), group);
    }
  });

  it.each(Object.entries(ALPHABETS))("are read by ws at the largest size: %s", (_, alphabet) => {
    const texts = [textOf(alphabet, LARGEST), "after it"];
    expectSame(readWithWs(pieces(texts)), texts);
  });

  it("have the fewest bytes for a length, and no other bits", () => {
    const heads = [...LENGTHS, LARGEST].map((bytes) => {
      const frame = encodeTextFrames([textOf("a", bytes)]);
      return frame.subarray(0, frame.length - bytes).toString("hex");
    });
    expect(heads).toEqual([
      "8100",
      "8101",
      "817d",
      "817e007e",
      "817e007f",
      "817effff",
      "817f0000000000010000",
      "817f0000000000010001",
      "817f0000000001000000",
    ]);
  });

  it("are none without messages", () => expect(encodeTextFrames([])).toHaveLength(0));

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
