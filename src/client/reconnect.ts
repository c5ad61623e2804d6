import type { GGReconnectOptions } from "../contract/client.js";
import { CloseCode } from "../protocol/closeCodes.js";
import type { AnyError } from "../socket/outcome.js";
import { closeCodeOf } from "./connectionError.js";

/** How long a connection must have lasted to start counting attempts anew, in ms: an accept followed by a drop is no success. */
const STABLE_AFTER = 5_000;

/** Errors and close codes that say that this client is at fault, or not welcome: trying again would end the same way. */
const HOPELESS: readonly unknown[] = [
  "NOT_AUTHORIZED",
  "FORBIDDEN",
  "VALIDATION_ERROR",
  CloseCode.PROTOCOL_ERROR,
  CloseCode.UNSUPPORTED_DATA,
  CloseCode.TEXT_ONLY,
  CloseCode.INVALID_PAYLOAD,
  CloseCode.POLICY_VIOLATION,
  CloseCode.MESSAGE_TOO_BIG,
  CloseCode.MISSING_EXTENSION,
  CloseCode.UNAUTHORIZED,
  CloseCode.FORBIDDEN,
];

/** When a client tries again, and when it gives up. */
export class ReconnectPolicy {
  readonly #options: GGReconnectOptions;
  #failures = 0;

  constructor(options: GGReconnectOptions) {
    this.#options = options;
  }

  /** A connection has ended that lasted so many ms. */
  lasted(ms: number): void {
    if (ms >= STABLE_AFTER) this.#failures = 0;
  }

  /** What to do after `error`: wait so many ms and try, or give up, and why. */
  next(error: AnyError): number | "unrecoverable" | "exhausted" {
    const {
      initialDelayMs = 500,
      maxDelayMs = 30_000,
      multiplier = 2,
      maxAttempts = Number.POSITIVE_INFINITY,
      shouldRetry = isWorthRetrying,
    } = this.#options;
    if (!shouldRetry(error, this.#failures + 1)) return "unrecoverable";
    if (this.#failures >= maxAttempts) return "exhausted";
    // Full jitter: many clients that lost the same server do not come back in step.
    return Math.random() * Math.min(maxDelayMs, initialDelayMs * multiplier ** this.#failures++);
  }
}

function isWorthRetrying(error: AnyError): boolean {
  return !HOPELESS.includes(error.type) && !HOPELESS.includes(closeCodeOf(error));
}
