import { RawTcp } from "./rawTcp.js";

/** A WebSocket frame (RFC 6455 section 5.2), with every field as given. */
export interface FrameFields {
  readonly isFinal?: boolean;
  /** The three reserved bits. */
  readonly reserved?: number;
  readonly opcode: number;
  readonly payload?: Uint8Array | string;
  readonly isMasked?: boolean;
  /** The bits that the length is written with. Default: the fewest. */
  readonly lengthBits?: 7 | 16 | 64;
  /** Default: the length of the payload. */
  readonly claimedLength?: bigint;
}

export interface Frame {
  readonly isFinal: boolean;
  readonly reserved: number;
  readonly opcode: number;
  readonly payload: Buffer;
}

const MASK = [0x37, 0xfa, 0x21, 0x3d];

export function encodeFrame({
  isFinal = true,
  reserved = 0,
  opcode,
  payload = "",
  isMasked = true,
  lengthBits,
  claimedLength,
}: FrameFields): Buffer {
  const bytes = Buffer.from(payload as string);
  const claimed = claimedLength ?? BigInt(bytes.length);
  const bits = lengthBits ?? (claimed < 126n ? 7 : claimed < 65_536n ? 16 : 64);
  const length = Buffer.alloc(bits === 7 ? 1 : 1 + bits / 8);
  length[0] = bits === 7 ? Number(claimed) : bits === 16 ? 126 : 127;
  if (bits === 16) length.writeUInt16BE(Number(claimed), 1);
  if (bits === 64) length.writeBigUInt64BE(claimed, 1);
  if (isMasked) {
    length[0] = (length[0] as number) | 0x80;
    for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] as number) ^ (MASK[i % 4] as number);
  }
  const first = (isFinal ? 0x80 : 0) | (reserved << 4) | opcode;
  return Buffer.concat([Buffer.from([first]), length, Buffer.from(isMasked ? MASK : []), bytes]);
}

export const OPCODE = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;

/** The head of an upgrade request, with these fields in place of its own, or without those that are `undefined`. */
export function upgradeRequest(path: string, fields: Readonly<Record<string, string | undefined>> = {}): string {
  const all = {
    Host: "x",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...fields,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return [`GET ${path} HTTP/1.1`, ...lines, "", ""].join("\r\n");
}

/** A WebSocket client that sends frames with any fields, and reads each frame as it comes. */
export class RawWebSocket {
  private constructor(readonly tcp: RawTcp) {}

  static async open(url: string): Promise<RawWebSocket> {
    const { port, pathname } = new URL(url);
    const tcp = await RawTcp.open(Number(port));
    tcp.write(upgradeRequest(pathname));
    const { status } = await tcp.answer();
    if (status !== 101) throw new Error(`not upgraded: ${status}`);
    return new RawWebSocket(tcp);
  }

  /** Sends frames in one write. */
  send(...frames: readonly (FrameFields | string)[]): void {
    const bytes = frames.map((one) =>
      encodeFrame(typeof one === "string" ? { opcode: OPCODE.TEXT, payload: one } : one),
    );
    this.tcp.write(Buffer.concat(bytes));
  }

  async next(): Promise<Frame> {
    const [first = 0, second = 0] = await this.tcp.take(2);
    if (second & 0x80) throw new Error("a server's frames must not be masked (RFC 6455 section 5.1)");
    let length = second;
    if (length === 126) length = (await this.tcp.take(2)).readUInt16BE();
    else if (length === 127) length = Number((await this.tcp.take(8)).readBigUInt64BE());
    const payload = await this.tcp.take(length);
    return { isFinal: first >= 0x80, reserved: (first >> 4) & 7, opcode: first & 15, payload };
  }
}
