/**
 * The close codes that this package sends or reacts to, from RFC 6455 section 7.4.1, the IANA registry (1012 and up,
 * 3000 and 3003) and, from 4000, the private range. PROTOCOL.md says what each end does on each.
 */
export enum CloseCode {
  /** Ended as intended. A client with `reconnect` connects again, unless its own program has closed it. */
  NORMAL = 1000,
  /** The server shuts down, or the page is left. A client connects again. */
  GOING_AWAY = 1001,
  /** The peer broke the WebSocket protocol. A client gives up. */
  PROTOCOL_ERROR = 1002,
  /** A binary message: this package speaks text only. A client gives up. */
  UNSUPPORTED_DATA = 1003,
  /** Closed without a code; never sent. A client connects again. */
  NO_STATUS = 1005,
  /** The connection was lost without a close; never sent. A client connects again. */
  ABNORMAL = 1006,
  /** Text that is not UTF-8. A client gives up. */
  INVALID_PAYLOAD = 1007,
  /** Revoked by `closeConnections`, or too many messages or fragments. A client gives up. */
  POLICY_VIOLATION = 1008,
  /** A message beyond `maxPayloadBytes`. A client gives up. */
  MESSAGE_TOO_BIG = 1009,
  /** The client needs an extension that the server lacks. A client gives up. */
  MISSING_EXTENSION = 1010,
  /** The connection handler of the server has failed. A client connects again. */
  INTERNAL_ERROR = 1011,
  /** The server restarts. A client connects again. */
  SERVICE_RESTART = 1012,
  /** The peer reads too slowly, or the server's bus is down. A client connects again. */
  TRY_AGAIN_LATER = 1013,
  /** Not authenticated. A client gives up. */
  UNAUTHORIZED = 3000,
  /** Not allowed. A client gives up. */
  FORBIDDEN = 3003,
  /** The query arguments do not pass the schema's validator. A client gives up, with a `VALIDATION_ERROR`. */
  QUERY_INVALID = 4000,
  /**
   * The handshake was refused, after an `x` frame with the error (PROTOCOL.md, "Handshake"). A client gives up after
   * `NOT_AUTHORIZED`, `FORBIDDEN` and `VALIDATION_ERROR`, and connects again after others.
   */
  HANDSHAKE_FAILED = 4001,
  /** What a browser sends in place of 1003, which a page may not send. */
  TEXT_ONLY = 4003,
}

/** RFC 6455 section 5.5: a control frame carries at most 125 bytes, two of which are the code. */
const MAX_REASON_BYTES = 123;

/** Cuts a close reason to the 123 UTF-8 bytes that fit, never within a character. */
export function clampCloseReason(reason: string): string {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(MAX_REASON_BYTES));
  return reason.slice(0, read);
}

/** Whether a code may be given to `close()`: not the reserved ones (1004, 1005, 1006, 1015), nor other ranges. */
export function isSendableCloseCode(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
}
