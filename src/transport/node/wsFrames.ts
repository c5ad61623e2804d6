import { randomFillSync } from "node:crypto";

/**
 * Text messages as WebSocket frames, one after the other in one buffer (RFC 6455 section 5.2: final fragment). One buffer is
 * one write; `ws` would make two of each message. Frames of a client are masked (section 5.3), each with a mask of its own.
 */
export function encodeTextFrames(messages: readonly string[], isMasked = false): Buffer {
  const maskSize = isMasked ? MASK_SIZE : 0;
  const lengths: number[] = [];
  let size = 0;
  for (const message of messages) {
    const length = Buffer.byteLength(message);
    lengths.push(length);
    size += headerSize(length) + maskSize + length;
  }
  const frames = Buffer.allocUnsafe(size);
  let at = 0;
  for (let i = 0; i < messages.length; i++) {
    const length = lengths[i] as number;
    at = writeHeader(frames, at, length, isMasked) + maskSize;
    frames.write(messages[i] as string, at);
    if (isMasked) mask(frames, at, length);
    at += length;
  }
  return frames;
}

const FINAL_TEXT_FRAME = 0x81;
const MASKED = 0x80;
const MASK_SIZE = 4;

function headerSize(length: number): number {
  return length < 126 ? 2 : length < 0x10000 ? 4 : 10;
}

function writeHeader(frames: Buffer, at: number, length: number, isMasked: boolean): number {
  const masked = isMasked ? MASKED : 0;
  frames[at] = FINAL_TEXT_FRAME;
  if (length < 126) {
    frames[at + 1] = masked | length;
    return at + 2;
  }
  if (length < 0x10000) {
    frames[at + 1] = masked | 126;
    return frames.writeUInt16BE(length, at + 2);
  }
  frames[at + 1] = masked | 127;
  frames.writeUInt32BE(0, at + 2);
  return frames.writeUInt32BE(length, at + 6);
}

/** Random bytes for masks, which a peer must not be able to predict (RFC 6455 section 10.3). */
const masks = Buffer.allocUnsafe(8_192);
let masksUsed = masks.length;

/** The bytes of a mask as one number, in the byte order of this machine. */
const word = new Uint32Array(1);
const wordBytes = new Uint8Array(word.buffer);

/** Below this many bytes it costs more to make a view of words than words save. */
const MIN_WORDS_SIZE = 128;

/** Masks a payload with a new mask, and writes that in front of it. */
function mask(frames: Buffer, start: number, length: number): void {
  if (masksUsed === masks.length) {
    randomFillSync(masks);
    masksUsed = 0;
  }
  const maskAt = start - MASK_SIZE;
  for (let i = 0; i < MASK_SIZE; i++) frames[maskAt + i] = masks[masksUsed++] as number;
  const end = start + length;
  if (length < MIN_WORDS_SIZE) return maskBytes(frames, start, start, end);
  // Four bytes at a time, from the first that begins a word.
  const wordsAt = start + (-(frames.byteOffset + start) & 3);
  const count = (end - wordsAt) >> 2;
  for (let i = 0; i < 4; i++) wordBytes[i] = frames[maskAt + ((wordsAt - start + i) & 3)] as number;
  const maskWord = word[0] as number;
  const words = new Uint32Array(frames.buffer, frames.byteOffset + wordsAt, count);
  maskBytes(frames, start, start, wordsAt);
  for (let i = 0; i < count; i++) (words[i] as number) ^= maskWord;
  maskBytes(frames, start, wordsAt + 4 * count, end);
}

/** Masks some bytes of the payload that begins at `start`. */
function maskBytes(frames: Buffer, start: number, from: number, to: number): void {
  const maskAt = start - MASK_SIZE;
  for (let i = from; i < to; i++) (frames[i] as number) ^= frames[maskAt + ((i - start) & 3)] as number;
}
