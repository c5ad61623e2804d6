import { IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { describe, expect, it } from "vitest";
import { watchTheProcess } from "../hostile/watch.js";
import { encodeFrame, type Frame, type FrameFields, OPCODE, RawWebSocket } from "../support/rawWebSocket.js";
import { serveApi } from "../support/server.js";

watchTheProcess();

const Api = webSocketSchema(
  defineSocketContract("Rfc", {
    clientToServer: { echo: { input: IsString, success: IsString } },
    serverToClient: {},
  }),
)
  .path("ws/rfc")
  .done();

const { CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG } = OPCODE;
const bytes = (...values: number[]) => Uint8Array.from(values);
const part = (opcode: number, payload: string | Uint8Array = "", isFinal = false): FrameFields => ({
  opcode,
  payload,
  isFinal,
});
const close = (code: number, reason: string | Uint8Array = "") => ({
  opcode: CLOSE,
  payload: Buffer.concat([bytes(code >> 8, code & 255), Buffer.from(reason as string)]),
});

const REQUEST = 'r:Rfc.echo:1:"žluťoučký kůň 😀"';
const REPLY = { opcode: TEXT, payload: 's:Rfc.echo:1:{"success":true,"type":"OK","data":"žluťoučký kůň 😀"}' };
const raw = Buffer.from(REQUEST);
const pong = (payload: string) => ({ opcode: PONG, payload });

/** The request in these many fragments, with frames between them. */
function fragmented(count: number, ...between: FrameFields[]): FrameFields[] {
  const size = Math.ceil(raw.length / count);
  return Array.from({ length: count }, (_, i) =>
    part(i === 0 ? TEXT : CONTINUATION, raw.subarray(i * size, (i + 1) * size), i === count - 1),
  ).flatMap((frame, i) => (i === 0 ? [frame, ...between] : [frame]));
}

interface Legal {
  readonly sends: readonly FrameFields[];
  readonly gets: readonly { readonly opcode: number; readonly payload: string }[];
}

const LEGAL: Readonly<Record<string, Legal>> = {
  "a message in one frame": { sends: [part(TEXT, REQUEST, true)], gets: [REPLY] },
  "a message in two fragments": { sends: fragmented(2), gets: [REPLY] },
  "a message in a fragment for each byte, which splits its characters": {
    sends: fragmented(raw.length),
    gets: [REPLY],
  },
  "empty fragments around a message": {
    sends: [part(TEXT), part(CONTINUATION, raw), part(CONTINUATION), part(CONTINUATION, "", true)],
    gets: [REPLY],
  },
  "a ping between fragments": { sends: fragmented(3, part(PING, "now", true)), gets: [pong("now"), REPLY] },
  "a pong between fragments": { sends: fragmented(3, part(PONG, "late", true)), gets: [REPLY] },
  "control frames between fragments": {
    sends: fragmented(2, part(PING, "1", true), part(PONG, "", true), part(PING, "2", true)),
    gets: [pong("1"), pong("2"), REPLY],
  },
  "an empty ping": { sends: [part(PING, "", true)], gets: [pong("")] },
  "a ping of 125 bytes": { sends: [part(PING, "p".repeat(125), true)], gets: [pong("p".repeat(125))] },
  "a ping of any bytes": { sends: [part(PING, "\u0000é😀", true)], gets: [pong("\u0000é😀")] },
  "a pong that was not asked for": { sends: [part(PONG, "x".repeat(125), true)], gets: [] },
  "an empty message": { sends: [part(TEXT, "", true)], gets: [] },
  "a length of 16 bits that 7 could hold": { sends: [{ ...part(TEXT, REQUEST, true), lengthBits: 16 }], gets: [REPLY] },
  "a length of 64 bits that 7 could hold": { sends: [{ ...part(TEXT, REQUEST, true), lengthBits: 64 }], gets: [REPLY] },
};

/** RFC 3629: sequences that are no UTF-8. */
const NO_UTF8: Readonly<Record<string, Uint8Array>> = {
  "a lone continuation byte": bytes(0x80),
  "a start without its continuation": bytes(0x61, 0xc3),
  "a start and a letter": bytes(0xc3, 0x61),
  "three of four bytes": bytes(0xf0, 0x9f, 0x98),
  "an overlong slash of two bytes": bytes(0xc0, 0xaf),
  "an overlong slash of three bytes": bytes(0xe0, 0x80, 0xaf),
  "an overlong slash of four bytes": bytes(0xf0, 0x80, 0x80, 0xaf),
  "an overlong zero": bytes(0xc0, 0x80),
  "the first surrogate": bytes(0xed, 0xa0, 0x80),
  "the last surrogate": bytes(0xed, 0xbf, 0xbf),
  "a surrogate pair of three bytes each": bytes(0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80),
  "a character beyond U+10FFFF": bytes(0xf4, 0x90, 0x80, 0x80),
  "five bytes": bytes(0xf8, 0x88, 0x80, 0x80, 0x80),
  "six bytes": bytes(0xfc, 0x84, 0x80, 0x80, 0x80, 0x80),
  "0xFE": bytes(0xfe),
  "0xFF": bytes(0xff),
};

interface Violation {
  readonly sends: readonly FrameFields[];
  readonly code: number;
}

const VIOLATIONS: Readonly<Record<string, Violation>> = {
  ...Object.fromEntries(
    [1, 2, 4, 3, 7].map((reserved) => [
      `reserved bits ${reserved.toString(2).padStart(3, "0")}`,
      { sends: [{ ...part(TEXT, REQUEST, true), reserved }], code: 1002 },
    ]),
  ),
  ...Object.fromEntries(
    [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => [
      `the reserved opcode ${opcode}`,
      { sends: [part(opcode, REQUEST, true)], code: 1002 },
    ]),
  ),
  ...Object.fromEntries(
    Object.entries({ CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG }).map(([name, opcode]) => [
      `an unmasked frame: ${name}`,
      { sends: [...(opcode ? [] : [part(TEXT)]), { opcode, isMasked: false }], code: 1002 },
    ]),
  ),
  ...Object.fromEntries(
    Object.entries({ CLOSE, PING, PONG }).flatMap(([name, opcode]): [string, Violation][] => [
      [`a fragmented ${name}`, { sends: [part(opcode, bytes(3, 232))], code: 1002 }],
      [`a fragmented ${name} in a message`, { sends: [part(TEXT, "r"), part(opcode)], code: 1002 }],
      [`a ${name} of 126 bytes`, { sends: [part(opcode, "c".repeat(126), true)], code: 1002 }],
      [`a ${name} of 65,536 bytes`, { sends: [part(opcode, "c".repeat(65_536), true)], code: 1002 }],
      [`a ${name} with a longer length`, { sends: [{ ...part(opcode, "", true), lengthBits: 16 }], code: 1002 }],
      [`a ${name} with reserved bits`, { sends: [{ ...part(opcode, "", true), reserved: 4 }], code: 1002 }],
    ]),
  ),
  "a continuation of nothing": { sends: [part(CONTINUATION, REQUEST, true)], code: 1002 },
  "an open continuation of nothing": { sends: [part(CONTINUATION, REQUEST)], code: 1002 },
  "a continuation after the last": { sends: [part(TEXT, "x", true), part(CONTINUATION, "y", true)], code: 1002 },
  "a text message within another": { sends: [part(TEXT, "r"), part(TEXT, REQUEST, true)], code: 1002 },
  "a binary message within a text": { sends: [part(TEXT, "r"), part(BINARY, REQUEST, true)], code: 1002 },
  "a binary message": { sends: [part(BINARY, REQUEST, true)], code: 1003 },
  "an empty binary message": { sends: [part(BINARY, "", true)], code: 1003 },
  "a binary message in fragments": { sends: [part(BINARY, "r"), part(CONTINUATION, "x", true)], code: 1003 },
  ...Object.fromEntries(
    [1n << 63n, (1n << 64n) - 1n, 1n << 53n].map((claimedLength) => [
      `a length of ${claimedLength}`,
      { sends: [{ ...part(TEXT, "", true), claimedLength }], code: 1009 },
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(NO_UTF8).flatMap(([name, text]): [string, Violation][] => [
      [`no UTF-8: ${name}`, { sends: [part(TEXT, text, true)], code: 1007 }],
      [
        `no UTF-8: ${name}, in fragments of a byte`,
        {
          sends: [
            part(TEXT, "m"),
            ...[...text].map((byte) => part(CONTINUATION, bytes(byte))),
            part(CONTINUATION, "", true),
          ],
          code: 1007,
        },
      ],
    ]),
  ),
  "a close with half a code": { sends: [part(CLOSE, bytes(3), true)], code: 1002 },
  ...Object.fromEntries(
    [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map((code) => [
      `a close with ${code}`,
      { sends: [close(code)], code: 1002 },
    ]),
  ),
  "a close whose reason is no UTF-8": { sends: [close(1000, bytes(0x62, 0xff))], code: 1007 },
  "a close whose reason is half a character": { sends: [close(1000, bytes(0xf0, 0x9f, 0x98))], code: 1007 },
};

const CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4001, 4999];
const CLOSES: Readonly<Record<string, { readonly sends: readonly FrameFields[]; readonly code?: number }>> = {
  "no code": { sends: [part(CLOSE, "", true)] },
  ...Object.fromEntries(CODES.map((code) => [`${code}`, { sends: [close(code)], code }])),
  "a reason of 123 bytes": { sends: [close(1000, "ě".repeat(61))], code: 1000 },
  "a request after it, which is not answered": { sends: [close(1000), part(TEXT, REQUEST, true)], code: 1000 },
  "a ping after it": { sends: [close(1000), part(PING, "", true)], code: 1000 },
  "a second one after it": { sends: [close(4000), close(4001)], code: 4000 },
  "a violation after it": { sends: [close(1000), part(3, "", true)], code: 1000 },
  "a message begun before it": { sends: [part(TEXT, "r"), close(1000)], code: 1000 },
};

const WAYS: Readonly<Record<string, (peer: RawWebSocket, frames: readonly FrameFields[]) => void | Promise<void>>> = {
  "in one write": (peer, frames) => peer.send(...frames),
  "byte by byte": async ({ tcp }, frames) => {
    const all = Buffer.concat(frames.map(encodeFrame));
    // All of a large frame but its head makes no difference.
    const split = Math.min(all.length, 300);
    for (let i = 0; i < split && !tcp.socket.destroyed; i++) {
      tcp.write(all.subarray(i, i + 1));
      await new Promise((resolve) => setImmediate(resolve));
    }
    tcp.write(all.subarray(split));
  },
};

async function open(isAccepted: boolean) {
  const { url, server } = await serveApi(Api, (incoming) => incoming.on({ echo: (text) => text }));
  const peer = await RawWebSocket.open(url);
  if (isAccepted) {
    peer.send("h:::{}");
    expect((await peer.next()).payload.toString()).toBe("k:::null");
  }
  const forgotten = async () => {
    while (server.connectionCount > 0) await new Promise((resolve) => setImmediate(resolve));
  };
  return { peer, forgotten };
}

const table = (cases: Readonly<Record<string, object>>) =>
  Object.keys(cases).flatMap((name) => Object.keys(WAYS).map((way) => ({ name, way })));

const shown = ({ isFinal, reserved, opcode, payload }: Frame) => ({
  isFinal,
  reserved,
  opcode,
  payload: payload.toString(),
});
const whole = (frame: { opcode: number; payload: string }) => ({ isFinal: true, reserved: 0, ...frame });

/** Expects a close frame with this code, then the end of the connection. */
async function expectClose(peer: RawWebSocket, code: number | undefined): Promise<void> {
  const { opcode, isFinal, payload } = await peer.next();
  expect({ opcode, isFinal }).toEqual({ opcode: CLOSE, isFinal: true });
  expect(payload.length >= 2 ? payload.readUInt16BE() : undefined).toBe(code);
  peer.tcp.socket.end();
  expect((await peer.tcp.rest()).toString("hex")).toBe("");
}

describe("a server, by RFC 6455", () => {
  it.each(table(LEGAL))("takes $name, $way", async ({ name, way }) => {
    const { sends, gets } = LEGAL[name] as Legal;
    const { peer } = await open(true);
    await WAYS[way]?.(peer, sends);
    for (const frame of gets) expect(shown(await peer.next())).toEqual(whole(frame));
    peer.send(REQUEST);
    expect(shown(await peer.next())).toEqual(whole(REPLY));
  });

  for (const isAccepted of [false, true]) {
    const when = isAccepted ? "after" : "before";
    it.each(table(VIOLATIONS))(`closes for $name, $way, ${when} the handshake`, async ({ name, way }) => {
      const { sends, code } = VIOLATIONS[name] as Violation;
      const { peer, forgotten } = await open(isAccepted);
      await WAYS[way]?.(peer, sends);
      await expectClose(peer, code);
      await forgotten();
    });

    it.each(table(CLOSES))(`echoes a close with $name, $way, ${when} the handshake`, async ({ name, way }) => {
      const { sends, code } = CLOSES[name] as (typeof CLOSES)[string];
      const { peer, forgotten } = await open(isAccepted);
      await WAYS[way]?.(peer, sends);
      await expectClose(peer, code);
      await forgotten();
    });
  }
});
