import { GGContextKey } from "@grest-ts/context";
import { IsNumber, IsObject, IsString } from "@grest-ts/schema";

const IsTrace = IsObject({
  traceId: IsString,
  traceTimestamp: IsNumber,
  parentSpanId: IsString.orUndefined,
  spanId: IsString,
  spanTimestamp: IsNumber,
});

/** Identifies a unit of work and its parent. */
export interface GGTrace {
  /** The id shared by all work of one cause, across services. */
  traceId: string;
  /** When the trace began, in ms since 1970. */
  traceTimestamp: number;
  /** The unit of work that started this one. */
  parentSpanId?: string;
  /** This unit of work. */
  spanId: string;
  /** When this unit of work began, in ms since 1970. */
  spanTimestamp: number;
}

/** The key of a context's trace. */
export class GGTraceKey extends GGContextKey<GGTrace> {
  constructor() {
    super("trace", IsTrace, { description: "The trace that logs and calls carry." });
  }

  /** Gives the current context a trace of its own; throws outside any context. */
  init(): void {
    this.set(this.getNew());
  }

  /** A trace that begins now. */
  getNew(): GGTrace {
    const now = Date.now();
    return { traceId: randomHex(16), traceTimestamp: now, spanId: randomHex(8), spanTimestamp: now };
  }
}

function randomHex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
}

/** The trace of the current unit of work. */
export const GG_TRACE: GGTraceKey = new GGTraceKey();
