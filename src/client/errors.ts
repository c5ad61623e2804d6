import { SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import type { AnyError } from "../connection/methods/outcome.js";
import { CloseCode } from "../protocol/closeCodes.js";

/** Why there is no connection: `where` says which, `why` what happened, and `closeCode` how it ended, if it did. */
export function connectionError(where: string, why: string, closeCode?: CloseCode, originalError?: Error): AnyError {
  const context = { displayMessage: `${where}: ${why}`, originalError, debugData: { code: closeCode } };
  if (closeCode !== CloseCode.QUERY_INVALID) return new SERVER_ERROR(context);
  return new VALIDATION_ERROR([{ path: "query", code: "invalid.query", message: why }], context);
}

/** The close code behind an error made by {@link connectionError}. */
export function closeCodeOf(error: AnyError): CloseCode | undefined {
  return (error.getDebugContext()?.debugData as { readonly code?: CloseCode } | undefined)?.code;
}

/** Why there is no connection when the program ended the attempt itself. */
export const CLOSED_MEANWHILE = "closed while connecting";

/** A close as text for people. */
export function closedWith(code: number, reason = ""): string {
  return `closed with ${code}${reason && ` (${reason})`}`;
}
