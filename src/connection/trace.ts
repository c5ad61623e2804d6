import { type GGContext, GGContextKey } from "@grest-ts/context";
import { type GGSchema, IsUnknown } from "@grest-ts/schema";
import { IncomingMessage } from "./incomingMessage.js";

/** Where a unit of work stands in a trace, as the framework's `GG_TRACE` holds it. Times are in ms since 1970. */
export interface Trace {
  readonly traceId: string;
  readonly traceTimestamp: number;
  readonly spanId: string;
  readonly spanTimestamp: number;
}

/** The framework's `GG_TRACE`, without its package: context values are found by the name of their key. */
const TRACE = /* @__PURE__ */ new GGContextKey<Trace>("trace", IsUnknown as unknown as GGSchema<Trace>);

/** Gives a context a trace of its own. */
export function beginTrace(context: GGContext): void {
  context.set(TRACE, newTrace());
}

/** A message with a trace of its own, which is made when something asks for it; most never do. */
export class TracedMessage extends IncomingMessage {
  #isTraced = false;

  override get<T>(key: GGContextKey<T>): T {
    if (key.name === TRACE.name && !this.#isTraced) beginTrace(this);
    return super.get(key);
  }

  override set<T>(key: GGContextKey<T>, value: T): this {
    if (key.name === TRACE.name) this.#isTraced = true;
    return super.set(key, value);
  }
}

/** A trace with ids as long as W3C Trace Context has them (section 3.2.2). */
function newTrace(): Trace {
  const now = Date.now();
  return { traceId: randomHex(32), traceTimestamp: now, spanId: randomHex(16), spanTimestamp: now };
}

function randomHex(digits: number): string {
  let text = "";
  while (text.length < digits) text += Math.random().toString(16).slice(2);
  return text.slice(0, digits);
}
