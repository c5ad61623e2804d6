import { inspect } from "node:util";
import { type Check, isAsymmetric, type Mismatch } from "./compare.js";

/** The place in a test where an action was created. */
export interface CallSite {
  readonly stack?: string;
}

/** Captures the stack of the caller of `below`. */
export function callSite(below: (...args: never[]) => unknown): CallSite {
  const site: { stack?: string } = {};
  Error.captureStackTrace(site, below);
  return site;
}

/** What a failure reports besides its headline. */
export interface FailureDetails {
  readonly check?: Check;
  readonly mismatch?: Mismatch;
  /** Text between the headline and the frames. */
  readonly more?: string;
  /** The frames of the last exchange. */
  readonly frames?: string;
  readonly site?: CallSite;
  readonly cause?: unknown;
}

/**
 * An expectation that was not met, or a message that no test expected. The message contains what was expected, what was
 * received and the frames on the wire; `expected` and `actual` are for runners that show a diff.
 */
export class GGSocketTestError extends Error {
  /** `"GGSocketTestError"`. */
  override readonly name = "GGSocketTestError";
  /** What was expected, where there is something to compare. */
  declare readonly expected?: unknown;
  /** What was received. */
  declare readonly actual?: unknown;

  /** @internal */
  constructor(headline: string, { check, mismatch, more, frames, site, cause }: FailureDetails = {}) {
    const compared = check && mismatch && `Expected ${check.relation}:\n${show(check.expected)}`;
    const received = mismatch && `Received:\n${show(mismatch.received)}`;
    super([headline, compared, received, more, frames].filter(Boolean).join("\n\n"), cause ? { cause } : undefined);
    if (mismatch) Object.assign(this, { expected: mismatch.expected, actual: mismatch.received });
    const lines = site?.stack?.split("\n").filter((line) => /^ +at /.test(line)) ?? [];
    if (lines.length > 0) this.stack = [`${this.name}: ${this.message}`, ...lines].join("\n");
  }
}

/** Prints the error without failing anything. */
export function warn({ name, message }: GGSocketTestError): void {
  console.warn(`${name}: ${message}`);
}

/** A value as readable, indented text. */
export function show(value: unknown): string {
  const text = inspect(readable(value), { depth: 8, breakLength: 110, compact: 3, maxStringLength: 1_000 });
  return indent(text);
}

/** Indents every line of a text. */
export function indent(text: string): string {
  return text.replace(/^/gm, "  ");
}

/** Replaces asymmetric matchers by their names, and drops non-enumerable properties. */
function readable(value: unknown): unknown {
  if (isAsymmetric(value)) {
    const label = value.toAsymmetricMatcher?.() ?? String(value);
    return { [inspect.custom]: () => label };
  }
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, readable(member)]));
}

/** A heading with its items; `undefined` without items. */
export function listed(heading: string, items: readonly string[]): string | undefined {
  return items.length > 0 ? `${heading}:\n${indent(items.join("\n"))}` : undefined;
}
