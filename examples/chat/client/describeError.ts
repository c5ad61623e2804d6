import { ERROR, NOT_AUTHORIZED, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import { CloseCode, failureOf, type SocketFailureReason } from "@grest-ts/websocket";
import { ROOM_FULL } from "../shared/ChatApi.js";

/** What the fields of the requests are to the user. */
const FIELDS: Readonly<Record<string, string>> = { name: "The name", text: "The message" };

/** What is wrong with a field, by the code of the issue. */
const ISSUES: Readonly<Record<string, string>> = {
  "invalid.string.nonEmpty": "is empty",
  "invalid.string.maxLength": "is too long",
  "invalid.string.pattern": "cannot be read",
};

const FAILURES: Partial<Readonly<Record<SocketFailureReason, string>>> = {
  "not-connected": "There is no connection to the server, so nothing was sent",
  disconnected: "The connection was lost before the server could answer",
  timeout: "The server did not answer in time",
  unreachable: "The server cannot be reached",
};

/**
 * An error in the words of the user. Those that the chat declares bring theirs (`displayMessage`); those of libraries speak
 * to programmers, so they are translated by what programs can read of them.
 */
export function describeError(error: unknown): string {
  if (VALIDATION_ERROR.is(error) && error.data.length > 0) return error.data.map(describeIssue).join("\n");
  const { reason, closeCode } = failureOf(error) ?? {};
  if (closeCode === CloseCode.POLICY_VIOLATION) return "You have logged in elsewhere";
  const failure = reason && FAILURES[reason];
  if (failure) return failure;
  if (NOT_AUTHORIZED.is(error)) return "You are not logged in any more";
  if (SERVER_ERROR.is(error)) return `The server cannot be reached, or has failed (${error.context?.ref})`;
  if (error instanceof ERROR) return error.context?.displayMessage ?? `Something went wrong (${error.context?.ref})`;
  return error instanceof Error ? error.message : String(error);
}

/** Why the user is in no room any more. */
export function describeLostRoom(room: string, error: unknown): string {
  return `${room} ${ROOM_FULL.is(error) ? "is full" : "is gone"}: choose another room`;
}

function describeIssue({ path, code, message }: { path: string; code: string; message: string }): string {
  return `${FIELDS[path] ?? path} ${ISSUES[code] ?? `cannot be taken: ${message}`}`;
}
