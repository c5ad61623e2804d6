import type { GGBusErrorReason } from "../../api/bus.js";
import type { SocketFailureReason } from "../../api/failure.js";
import { type AnyError, serverError } from "../../connection/methods/outcome.js";
import { busErrorOf } from "../../groups/busMonitor.js";

/** What a failed publication is called, by the reason of the bus. */
const FAILURES = {
  down: "not-connected",
  timeout: "timeout",
  limit: "limit",
  refused: "failed",
  closed: "disconnected",
} as const satisfies Record<GGBusErrorReason, SocketFailureReason>;

/** The outcome of a message that a bus has not published, as far as it knows. */
export function publishFailure(path: string, thrown: unknown): AnyError {
  const { message, reason, mayHaveBeenPublished: wasSent } = busErrorOf(thrown);
  const text = `${path} was ${wasSent ? "perhaps" : "not"} published: ${message}`;
  return serverError(text, FAILURES[reason], { wasSent, cause: thrown });
}
