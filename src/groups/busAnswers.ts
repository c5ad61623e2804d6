import { GGBusError, type GGBusMessage, type GGBusRead, type GGPosition } from "../api/bus.js";

// A program may bring a bus of its own: what it hands over is looked at once, where it comes in.

/**
 * A message as groups take it: what is no text is empty, which they cannot read, but it keeps its place. `undefined` when it
 * has a position that is none.
 */
export function messageOf(message: GGBusMessage): GGBusMessage | undefined {
  const { body, from, position } = message;
  if (position && !(isPosition(position) && position.offset > 0)) return undefined;
  if (typeof body === "string" && typeof from === "string") return message;
  return { body: textOr(body), from: textOr(from), position };
}

/**
 * An answer of `GGBus.read` as groups take it.
 *
 * @throws GGBusError when it is not what a bus has to answer
 */
export function readOf({ top, missed }: GGBusRead): GGBusRead {
  if (!isPosition(top)) throw malformed();
  if (missed === undefined || missed === null) return { top };
  if (!Array.isArray(missed)) throw malformed();
  const before = top.offset - missed.length;
  const messages = missed.map((each: GGBusMessage, i) => {
    const message = messageOf(each);
    const { epoch, offset } = message?.position ?? {};
    if (!message || epoch !== top.epoch || offset !== before + 1 + i) throw malformed();
    return message;
  });
  return { top, missed: messages };
}

function isPosition({ epoch, offset }: GGPosition): boolean {
  return typeof epoch === "string" && epoch !== "" && Number.isSafeInteger(offset) && offset >= 0;
}

function textOr(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function malformed(): GGBusError {
  return new GGBusError("it answers what is none", "refused");
}
