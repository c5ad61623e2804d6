import type { GGReconnectOptions } from "../api/client.js";
import type { AnyError } from "../connection/methods/outcome.js";
import { CloseCode } from "../protocol/closeCodes.js";
import { closeCodeOf } from "./errors.js";

/** How long a connection must have lasted to start counting attempts anew, in ms: an accept followed by a drop is no success. */
const STABLE_AFTER = 5_000;

/** Errors and close codes that say that this client is at fault, or not welcome: trying again would end the same way. */
const HOPELESS: readonly unknown[] = [
  "VALIDATION_ERROR",
  "NOT_AUTHORIZED",
  "FORBIDDEN",
  CloseCode.PROTOCOL_ERROR,
  CloseCode.UNSUPPORTED_DATA,
  CloseCode.INVALID_PAYLOAD,
  CloseCode.POLICY_VIOLATION,
  CloseCode.MESSAGE_TOO_BIG,
  CloseCode.MISSING_EXTENSION,
  CloseCode.UNAUTHORIZED,
  CloseCode.FORBIDDEN,
  CloseCode.TEXT_ONLY,
];

/** When a client tries again, and when it gives up. */
export interface ReconnectPolicy {
  /** A connection has ended that lasted so many ms. */
  lasted(ms: number): void;
  /** What to do after `error`: wait so many ms and try, or give up, and why. */
  next(error: AnyError): number | "unrecoverable" | "exhausted";
}

/** A policy that counts the failures of one client. */
export function reconnectPolicy({
  initialDelayMs = 500,
  maxDelayMs = 30_000,
  multiplier = 2,
  maxAttempts = Number.POSITIVE_INFINITY,
  shouldRetry = isWorthRetrying,
}: GGReconnectOptions): ReconnectPolicy {
  let failures = 0;
  return {
    lasted(ms) {
      if (ms >= STABLE_AFTER) failures = 0;
    },
    next(error) {
      if (!shouldRetry(error, failures + 1)) return "unrecoverable";
      if (failures >= maxAttempts) return "exhausted";
      // Full jitter: many clients that lost the same server do not come back in step.
      return Math.random() * Math.min(maxDelayMs, initialDelayMs * multiplier ** failures++);
    },
  };
}

function isWorthRetrying(error: AnyError): boolean {
  return !HOPELESS.includes(error.type) && !HOPELESS.includes(closeCodeOf(error));
}
