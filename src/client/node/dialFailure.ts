import { type IncomingMessage, STATUS_CODES } from "node:http";
import { asFailure, failureOf, type SocketFailureReason } from "../../api/failure.js";
import { withoutSecrets } from "../url.js";

const CLOSED = "the connection was closed without an answer";
const UNTRUSTED = "the certificate is of an authority that is not trusted; connectOptions.ca names one";
const UNREACHABLE = "the host cannot be reached";
const NO_TLS = "what answers does not speak TLS; ws:// is without";

/** What error codes of Node and OpenSSL mean. */
const MEANINGS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: CLOSED,
  EPIPE: CLOSED,
  ETIMEDOUT: "the host does not answer",
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ENOTFOUND: "there is no such host",
  EAI_AGAIN: "the host cannot be looked up at the moment",
  CERT_HAS_EXPIRED: "the certificate has expired",
  CERT_NOT_YET_VALID: "the certificate is not valid yet",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate is for another host",
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
};

/** The type of a TLS record with an alert (RFC 8446 section 5.1): the answer of a TLS server to HTTP. */
const TLS_ALERT = 0x15;

/** What OpenSSL puts around a reason: a thread, a number, names and lines of its sources. */
const OPENSSL_DETAILS = /^.*:SSL routines:[^:]*:([^:]+):.*$/s;

/** An error of a socket, with what may be known of it. */
interface SocketError extends Error {
  readonly code?: unknown;
  /** Of an `AggregateError`: one for each address of the host. */
  readonly errors?: readonly SocketError[];
  /** What HTTP could not be read from. */
  readonly rawPacket?: Uint8Array;
}

/** The error as a sentence, with its reason for programs, its code, and itself as the cause; others as they are. */
export function explained(error: SocketError, isSecure: boolean): Error {
  const meaning = failureOf(error) ? undefined : meaningOf(error, isSecure);
  if (!meaning) return error;
  const details = [...new Set((error.errors ?? [error]).map(({ message }) => oneLine(message)))].join(", ");
  const failure = new Error(`${meaning} (${details || error.code})`, { cause: error });
  return asFailure(Object.assign(failure, { code: error.code }), { reason: "unreachable", wasSent: false });
}

function meaningOf({ code, message, rawPacket }: SocketError, isSecure: boolean): string | undefined {
  if (typeof code !== "string") return undefined;
  // Also how Node's TLS server answers HTTP.
  if (code === "ECONNRESET" && !isSecure) return `${CLOSED}, as a server for wss:// may do`;
  if (rawPacket?.[0] === TLS_ALERT) return "what answers speaks TLS; wss:// is with it";
  if (code.startsWith("HPE_")) return "what answers does not speak HTTP";
  if (/wrong version number|packet length too long/i.test(message)) return NO_TLS;
  return MEANINGS[code] ?? (/^(EPROTO$|ERR_SSL_)/.test(code) ? "TLS failed" : undefined);
}

/** Why an answer of HTTP, in place of the upgrade, is no connection. */
export function answerFailure(url: string, { statusCode: status = 0, headers }: IncomingMessage, text: string): Error {
  const failure = new Error(`answers HTTP ${status}${sayWhy(url, status, headers.location, text)}`);
  return asFailure(failure, { reason: reasonOf(status), wasSent: false });
}

function sayWhy(url: string, status: number, location: string | undefined, text: string): string {
  if (status === 404) return `, no API at ${new URL(url).pathname}`;
  if (status === 407) return ", the proxy asks for credentials";
  if (status < 300) return ", no WebSocket there";
  const why = oneLine(withoutSecrets(text)) || STATUS_CODES[status];
  if (status >= 400) return why ? `: ${why}` : "";
  const to = location !== undefined && URL.canParse(location, url) ? ` to ${new URL(location, url).origin}` : "";
  return `, a redirect${to}, which is not followed`;
}

function reasonOf(status: number): SocketFailureReason {
  if (status === 429 || status === 503) return "limit";
  return status < 400 ? "unreachable" : "refused";
}

function oneLine(text: string): string {
  return text
    .replace(OPENSSL_DETAILS, "$1")
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
}
