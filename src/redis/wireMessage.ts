import type { GGBusMessage, GGMembersChange } from "../api/bus.js";

// What is published in Redis: a letter, fields that end with ":", and then text as it is. The scripts write "k", "s", "r".
//   k epoch : offset : from : body          a kept message
//   u from : body                           a message that is not kept
//   s version : length : member info        a member was set; the length is that of its name
//   r version : member                      a member was removed

/** What was published in a channel. */
export type WireMessage = { readonly message: GGBusMessage } | { readonly change: GGMembersChange };

/** The text of a message that is not kept. */
export function unkeptMessage(from: string, body: string): string {
  return `u${from}:${body}`;
}

/** Reads what was published; `undefined` for what this package does not publish. */
export function readWireMessage(text: string): WireMessage | undefined {
  const first = text.indexOf(":");
  if (first < 0) return undefined;
  const head = text.slice(1, first);
  switch (text[0]) {
    case "k":
      return readKept(text, head, first + 1);
    case "u":
      return { message: { from: head, body: text.slice(first + 1) } };
    case "s": {
      const second = text.indexOf(":", first + 1);
      const version = positiveInteger(head);
      const length = positiveInteger(text.slice(first + 1, second));
      const end = second + 1 + length;
      if (second < 0 || !version || !length || end > text.length) return undefined;
      return { change: { version, member: text.slice(second + 1, end), info: text.slice(end) } };
    }
    case "r": {
      const version = positiveInteger(head);
      return version ? { change: { version, member: text.slice(first + 1) } } : undefined;
    }
    default:
      return undefined;
  }
}

function readKept(text: string, epoch: string, start: number): WireMessage | undefined {
  const offsetEnd = text.indexOf(":", start);
  const fromEnd = text.indexOf(":", offsetEnd + 1);
  if (offsetEnd < 0 || fromEnd < 0) return undefined;
  const offset = positiveInteger(text.slice(start, offsetEnd));
  if (!offset || !epoch) return undefined;
  return {
    message: {
      body: text.slice(fromEnd + 1),
      from: text.slice(offsetEnd + 1, fromEnd),
      position: { epoch, offset },
    },
  };
}

/** NaN where it is none. */
function positiveInteger(text: string): number {
  return /^[1-9]\d{0,15}$/.test(text) ? Number(text) : Number.NaN;
}
