import type { ERROR } from "@grest-ts/schema";
import type { GGReconnectOptions } from "../contract/client.js";
import { CloseCode } from "../protocol/closeCodes.js";
import { closeCodeOf } from "./connectionError.js";

/** How long a connection must have lasted to start counting attempts anew, in ms: an accept followed by a drop is no success. */
const STABLE_AFTER = 5_000;

const HOPELESS_ERRORS: ReadonlySet<string> = new Set(["NOT_AUTHORIZED", "FORBIDDEN", "VALIDATION_ERROR"]);

/** Close codes that say that this client is at fault, or not welcome: trying again would end the same way. */
const HOPELESS_CODES: ReadonlySet<number> = new Set([
  CloseCode.PROTOCOL_ERROR,
  CloseCode.UNSUPPORTED_DATA,
  CloseCode.INVALID_PAYLOAD,
  CloseCode.POLICY_VIOLATION,
  CloseCode.MESSAGE_TOO_BIG,
  CloseCode.MISSING_EXTENSION,
  CloseCode.UNAUTHORIZED,
  CloseCode.FORBIDDEN,
  CloseCode.QUERY_INVALID,
]);

/** When a client tries again, and when it gives up. */
export class ReconnectPolicy {
  readonly #options: Required<GGReconnectOptions>;
  #failures = 0;

  constructor(options: GGReconnectOptions) {
    this.#options = {
      initialDelayMs: options.initialDelayMs ?? 500,
      maxDelayMs: options.maxDelayMs ?? 30_000,
      multiplier: options.multiplier ?? 2,
      maxAttempts: options.maxAttempts ?? Number.POSITIVE_INFINITY,
      shouldRetry: options.shouldRetry ?? isWorthRetrying,
    };
  }

  /** A connection has ended that lasted so many ms. */
  lasted(ms: number): void {
    if (ms >= STABLE_AFTER) this.#failures = 0;
  }

  /** What to do after `error`: wait so many ms and try, or give up, and why. */
  next(error: ERROR<string, unknown>): { readonly delay: number } | "unrecoverable" | "exhausted" {
    const { initialDelayMs, maxDelayMs, multiplier, maxAttempts, shouldRetry } = this.#options;
    if (!shouldRetry(error, this.#failures + 1)) return "unrecoverable";
    if (this.#failures >= maxAttempts) return "exhausted";
    const limit = Math.min(maxDelayMs, initialDelayMs * multiplier ** this.#failures);
    this.#failures++;
    // Full jitter: many clients that lost the same server do not come back in step.
    return { delay: Math.random() * limit };
  }
}

function isWorthRetrying(error: ERROR<string, unknown>): boolean {
  if (HOPELESS_ERRORS.has(error.type)) return false;
  const code = closeCodeOf(error);
  return code === undefined || !HOPELESS_CODES.has(code);
}
