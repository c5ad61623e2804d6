import { type ERROR, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import { CloseCode } from "../protocol/closeCodes.js";

/** Why there is no connection, for people: `where` names the API and the URL without its query, which may hold a credential. */
export function connectionError(where: string, why: string, cause?: Error): SERVER_ERROR {
  return new SERVER_ERROR({ displayMessage: `${where}: ${why}`, ...(cause && { originalError: cause }) });
}

/** The error of a line that the server closed, or that broke. */
export function closedError(where: string, code: number, reason: string, cause?: Error): ERROR<string, unknown> {
  const debugData = { closeCode: code };
  if (code === CloseCode.QUERY_INVALID) {
    const issue = { path: "query", code: "invalid.query", message: reason || "Invalid query parameters" };
    return new VALIDATION_ERROR([issue], { displayMessage: `${where}: ${issue.message}`, debugData });
  }
  const why = cause ? cause.message : `the connection was closed with ${code}${reason && ` (${reason})`}`;
  return new SERVER_ERROR({ displayMessage: `${where}: ${why}`, debugData, ...(cause && { originalError: cause }) });
}

/** The close code behind an error made by {@link closedError}. */
export function closeCodeOf(error: ERROR<string, unknown>): number | undefined {
  const data = error.getDebugContext()?.debugData;
  return (data as { readonly closeCode?: number } | undefined)?.closeCode;
}

/** A URL fit for errors and logs. */
export function withoutQuery(url: string): string {
  return url.split("?", 1)[0] ?? url;
}
