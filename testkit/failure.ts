import { inspect } from "node:util";
import { type Check, isAsymmetric, type Mismatch } from "./compare.js";

/** Where in a test something was asked for. */
export interface CallSite {
  readonly stack?: string;
}

/** Notes where the caller of `below` stands. */
export function callSite(below: (...args: never[]) => unknown): CallSite {
  const site: { stack?: string } = {};
  Error.captureStackTrace(site, below);
  return site;
}

/** What a failure says besides its headline. */
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
 * An expectation that was not met, or something that nobody expected. The message says what was expected, what was
 * received and what went over the wire; `expected` and `actual` are there for a runner that shows differences.
 */
export class GGSocketTestError extends Error {
  override readonly name = "GGSocketTestError";
  declare readonly expected?: unknown;
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

/** Says what is wrong without failing anything. */
export function warn({ name, message }: GGSocketTestError): void {
  console.warn(`${name}: ${message}`);
}

/** A value as a person reads it, indented. */
export function show(value: unknown): string {
  const text = inspect(readable(value), { depth: 8, breakLength: 110, compact: 3, maxStringLength: 1_000 });
  return indent(text);
}

/** Text with every line moved in. */
export function indent(text: string): string {
  return text.replace(/^/gm, "  ");
}

/** Puts the names of asymmetric matchers in their place, and takes what is not enumerable away. */
function readable(value: unknown): unknown {
  if (isAsymmetric(value)) {
    const label = value.toAsymmetricMatcher?.() ?? String(value);
    return { [inspect.custom]: () => label };
  }
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, readable(member)]));
}

/** A heading with what is under it; nothing when nothing is. */
export function listed(heading: string, items: readonly string[]): string | undefined {
  return items.length > 0 ? `${heading}:\n${indent(items.join("\n"))}` : undefined;
}
