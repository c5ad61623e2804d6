import type { GGReconnectOptions } from "../api/client.js";
import { failureOf } from "../api/failure.js";
import type { AnyError } from "../connection/methods/outcome.js";
import { CloseCode } from "../protocol/closeCodes.js";

/**
 * How long a connection must last to reset the count of failures, in ms: an accept followed by a drop is no success.
 */
const STABLE_AFTER = 5_000;

/** Types, close codes and reasons of errors that say that this client is at fault, or not permitted: a retry would fail again. */
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
  "invalid-input",
];

/** The longest that a timer can wait, in ms. */
const MAX_WAIT = 2 ** 31 - 1;

/** When a client tries again, and when it gives up. */
export interface ReconnectPolicy {
  /** Whether the first connect is retried as well. */
  readonly initial: boolean;
  /** A connection has ended after this many ms. */
  lasted(ms: number): void;
  /** A connection is to be replaced after this many ms: how long to wait, in ms, beyond what its server asks for. */
  drained(ms: number): number;
  /**
   * What to do after `error`, and after so many attempts since there was a connection: wait this many ms and try again, or
   * give up, and why.
   */
  next(error: AnyError, attempts?: number): number | "unrecoverable" | "exhausted";
}

/** A policy that counts the failures of one client; `run` runs its callback and logs what that throws. */
export function reconnectPolicy(
  {
    initialDelayMs = 500,
    maxDelayMs = 30_000,
    multiplier = 2,
    maxAttempts = Number.POSITIVE_INFINITY,
    initial = false,
    shouldRetry = isWorthRetrying,
  }: GGReconnectOptions,
  run: (name: string, callback: () => unknown) => void,
): ReconnectPolicy {
  let failures = 0;
  let drains = 0;
  // Full jitter: clients that lost the same server do not reconnect all at once.
  const pause = (before: number) => {
    // The power is bounded, since 0 times Infinity is no number.
    const limit = Math.min(maxDelayMs, MAX_WAIT, initialDelayMs * multiplier ** Math.min(before, 99));
    // Not a number of options that nothing has checked: no busy loop either.
    return Math.random() * (limit >= 0 ? limit : 30_000);
  };
  const lasted = (ms: number) => {
    if (ms >= STABLE_AFTER) failures = drains = 0;
  };
  return {
    initial,
    lasted,
    drained(ms) {
      lasted(ms);
      return drains++ && pause(drains - 1);
    },
    next(error, attempts = 0) {
      // The first attempt of all follows no failure.
      const made = Math.max(failures, attempts);
      let isWorthwhile = false;
      run("shouldRetry", () => {
        isWorthwhile = shouldRetry(error, made + 1);
        return isWorthwhile;
      });
      if (!isWorthwhile) return "unrecoverable";
      if (made >= maxAttempts) return "exhausted";
      return pause(failures++);
    },
  };
}

function isWorthRetrying(error: AnyError): boolean {
  const { closeCode, reason } = failureOf(error) ?? {};
  return ![error.type, closeCode, reason].some((sign) => HOPELESS.includes(sign));
}
