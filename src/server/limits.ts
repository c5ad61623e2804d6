import type { GGWebSocketLimits } from "../api/server.js";
import { MAX_DEPTH, MAX_VALUES } from "../protocol/depth.js";
import { MAX_PAYLOAD } from "../protocol/frame.js";

/** All limits of an API, each with a value. */
export type Limits = Required<GGWebSocketLimits>;

/**
 * The one place where limits get their defaults.
 *
 * @throws Error naming the API and the limit that is not a number of 1 or more
 */
export function resolveLimits(apiName: string, given: GGWebSocketLimits = {}): Limits {
  const limits: Limits = {
    maxPayloadBytes: MAX_PAYLOAD,
    maxDepth: MAX_DEPTH,
    maxValues: MAX_VALUES,
    maxRequestsInFlight: 1_000,
    messagesPerSecond: Number.POSITIVE_INFINITY,
    messageBurst: given.messagesPerSecond ?? Number.POSITIVE_INFINITY,
    maxOutboxBytes: 64 * 1024 * 1024,
    maxTotalOutboxBytes: 512 * 1024 * 1024,
    maxHandshakes: 5_000,
    maxConnections: Number.POSITIVE_INFINITY,
    maxConnectionsPerAddress: Number.POSITIVE_INFINITY,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
  for (const [name, value] of Object.entries<unknown>(limits)) {
    if (typeof value === "number" && value >= 1) continue;
    throw new Error(`${apiName}: limits.${name} must be a number of 1 or more, not ${String(value)}`);
  }
  return limits;
}
