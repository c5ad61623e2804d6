/**
 * The close codes that this package sends or reacts to, from RFC 6455 section 7.4.1, the IANA registry (1012 and up,
 * 3000 and 3003) and, from 4000, the private range. PROTOCOL.md says what each end does on each.
 */
export enum CloseCode {
  NORMAL = 1000,
  GOING_AWAY = 1001,
  PROTOCOL_ERROR = 1002,
  UNSUPPORTED_DATA = 1003,
  NO_STATUS = 1005,
  ABNORMAL = 1006,
  INVALID_PAYLOAD = 1007,
  POLICY_VIOLATION = 1008,
  MESSAGE_TOO_BIG = 1009,
  MISSING_EXTENSION = 1010,
  INTERNAL_ERROR = 1011,
  SERVICE_RESTART = 1012,
  TRY_AGAIN_LATER = 1013,
  UNAUTHORIZED = 3000,
  FORBIDDEN = 3003,
  QUERY_INVALID = 4000,
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
