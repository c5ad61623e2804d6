import { VALIDATION_ERROR } from "@grest-ts/schema";
import { asFailure, type SocketFailure } from "../api/failure.js";
import { type AnyError, serverError } from "../connection/methods/outcome.js";
import { CloseCode } from "../protocol/closeCodes.js";

/** What happened to an attempt to connect, or to a connection. */
export type ConnectionFailure = Pick<SocketFailure, "reason" | "cause" | "closeCode">;

/** Why there is no connection: `where` says which, `why` what happened, and `failure` the same for programs. */
export function connectionError(where: string, why: string, { reason, ...details }: ConnectionFailure): AnyError {
  const displayMessage = `${where}: ${why}`;
  if (details.closeCode !== CloseCode.QUERY_INVALID) return serverError(displayMessage, reason, details);
  const error = new VALIDATION_ERROR([{ path: "query", code: "invalid.query", message: why }], { displayMessage });
  return asFailure(error, { reason, wasSent: false, ...details });
}

/** Why there is no connection when the program ended the attempt itself, for `connectionError`. */
export const ABORTED = ["closed while connecting", { reason: "aborted" }] as const;

/** A close as text for people: the peer's part of it has no control characters. */
export function closedWith(code: number, reason = ""): string {
  return `closed with ${code}${reason && ` (${reason.replace(/\p{C}+/gu, " ")})`}`;
}
