import { type GGContext, GGContextKey } from "@grest-ts/context";
import { type GGSchema, IsUnknown } from "@grest-ts/schema";
import { IncomingMessage } from "./incomingMessage.js";
import type { CompiledMethod } from "./methods/compiledMethod.js";
import type { HandlerObject } from "./methods/handlers.js";
import type { AnyError } from "./methods/outcome.js";
import { withShortIssues } from "./methods/shortIssues.js";

/** Where a unit of work stands in a trace, as the framework's `GG_TRACE` holds it. Times are in ms since 1970. */
export interface Trace {
  readonly traceId: string;
  readonly traceTimestamp: number;
  readonly spanId: string;
  readonly spanTimestamp: number;
}

/** The framework's `GG_TRACE`, without its package: context values are found by the name of their key. */
export const TRACE = /* @__PURE__ */ new GGContextKey<Trace>("trace", IsUnknown as unknown as GGSchema<Trace>);

/** Gives a context a trace of its own, for work that began at this time. */
export function beginTrace(context: GGContext, startedAt = Date.now()): void {
  context.set(TRACE, {
    traceId: randomHex(4),
    traceTimestamp: startedAt,
    spanId: randomHex(2),
    spanTimestamp: startedAt,
  });
}

/** A message in Node: counted, and with a trace of its own, which is made when something asks for it; most never do. */
export class TracedMessage extends IncomingMessage {
  /** When its handler was called, on the clock of `performance.now()`. */
  #startedAt: number | undefined;
  #isTraced = false;

  override get<T>(key: GGContextKey<T>): T {
    if (key.name === TRACE.name && !this.#isTraced) {
      const age = this.#startedAt === undefined ? 0 : performance.now() - this.#startedAt;
      beginTrace(this, Math.round(Date.now() - age));
    }
    return super.get(key);
  }

  override has<T>(key: GGContextKey<T>): boolean {
    return key.name === TRACE.name || super.has(key);
  }

  override handle(method: CompiledMethod, owner: HandlerObject): void {
    this.#startedAt = performance.now();
    super.handle(method, owner);
  }

  override fail(error: AnyError, result?: string): void {
    super.fail(withShortIssues(error), result);
  }

  protected override count(result: string): void {
    this.ofConnection.socketEndpoint.metrics?.handled(this.method?.path ?? "unknown", result, this.#startedAt);
  }

  override set<T>(key: GGContextKey<T>, value: T): this {
    if (key.name === TRACE.name) this.#isTraced = true;
    return super.set(key, value);
  }
}

/**
 * An id of this many words of eight digits: W3C Trace Context has four for a trace and two for a span (section 3.2.2).
 */
function randomHex(words: number): string {
  const word = () =>
    Math.floor(Math.random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  return Array.from({ length: words }, word).join("");
}
