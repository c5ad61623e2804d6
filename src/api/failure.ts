/**
 * What happened to a call or to an attempt to connect:
 *
 * - `"not-connected"`: there was no connection, so nothing was sent
 * - `"timeout"`: no reply, or no answer to the handshake, in time
 * - `"aborted"`: the program ended it, by its `signal`, or by `close()` or `disconnect()` while connecting
 * - `"disconnected"`: the connection ended first
 * - `"refused"`: the server refused the connection
 * - `"unreachable"`: there is no server, or what answers does not speak WebSocket
 * - `"too-large"`: the message is larger than may be sent
 * - `"limit"`: a limit of this end or of the other refused it, before it ran
 * - `"invalid-input"`: the input does not fit the contract or is not JSON; or there is no usable `url` or query
 * - `"invalid-response"`: the reply does not fit the contract
 * - `"failed"`: the handler at the other end failed, with an error that the contract does not declare
 */
export type SocketFailureReason =
  | "not-connected"
  | "timeout"
  | "aborted"
  | "disconnected"
  | "refused"
  | "unreachable"
  | "too-large"
  | "limit"
  | "invalid-input"
  | "invalid-response"
  | "failed";

/** What is known of a call, or of an attempt to connect, that failed. */
export interface SocketFailure {
  /** What happened. */
  readonly reason: SocketFailureReason;
  /** Whether the request was sent, so that its handler may have run. `false` for an attempt to connect. */
  readonly wasSent: boolean;
  /** What is behind it: the `reason` of the signal, what a callback threw, the error of the network. */
  readonly cause?: unknown;
  /** The close code, where a connection has ended (RFC 6455 section 7.4). */
  readonly closeCode?: number | undefined;
}

const failures = new WeakMap<object, SocketFailure>();

/**
 * What happened to the call, or the attempt to connect, that ended with this error. The error's own type is that of the
 * framework, mostly `SERVER_ERROR`; this says what a program needs in order to decide whether to try again.
 *
 * @returns `undefined` for an answer of the other end, such as a declared error, and for any other error
 */
export function failureOf(error: unknown): SocketFailure | undefined {
  return failures.get(Object(error));
}

/** Remembers what happened, and returns the error. */
export function asFailure<T extends object>(error: T, failure: SocketFailure): T {
  failures.set(error, failure);
  return error;
}
