/**
 * Text messages as the WebSocket frames of a server, one after the other in one buffer (RFC 6455 section 5.2: final
 * fragment, not masked). One buffer is one write; `ws` would make two of each message.
 */
export function encodeTextFrames(messages: readonly string[]): Buffer {
  const lengths = messages.map((message) => Buffer.byteLength(message));
  const size = lengths.reduce((sum, length) => sum + headerSize(length) + length, 0);
  const frames = Buffer.allocUnsafe(size);
  let at = 0;
  for (let i = 0; i < messages.length; i++) {
    at = writeHeader(frames, at, lengths[i] as number);
    at += frames.write(messages[i] as string, at);
  }
  return frames;
}

const FINAL_TEXT_FRAME = 0x81;

function headerSize(length: number): number {
  return length < 126 ? 2 : length < 0x10000 ? 4 : 10;
}

function writeHeader(frames: Buffer, at: number, length: number): number {
  frames[at] = FINAL_TEXT_FRAME;
  if (length < 126) {
    frames[at + 1] = length;
    return at + 2;
  }
  if (length < 0x10000) {
    frames[at + 1] = 126;
    return frames.writeUInt16BE(length, at + 2);
  }
  frames[at + 1] = 127;
  frames.writeUInt32BE(0, at + 2);
  return frames.writeUInt32BE(length, at + 6);
}
