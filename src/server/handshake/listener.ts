import type { GGWebSocketHandshakeContext, GGWebSocketMiddleware } from "../../api/middleware.js";
import { after } from "../../connection/deadlines.js";
import { decodeFrame, FrameType } from "../../protocol/frame.js";
import { decodeHandshakeHeaders } from "../../protocol/handshake.js";
import type { Transport, TransportListener } from "../../transport/transport.js";

/** What became of waiting for the client's handshake message: its headers, or why there are none. */
export type HandshakeArrival = Record<string, string> | "timeout" | "too large" | "closed";

/** In characters; no headers need as much, and taking them apart costs more than their size suggests. */
export const MAX_HANDSHAKE = 65_536;

/**
 * Hears a new line until its socket takes over: waits for the handshake message, ignores what comes before it, and keeps
 * what comes after it.
 */
export class HandshakeListener implements TransportListener {
  /** Whether the line is still there. */
  isOpen = true;
  readonly #transport: Transport;
  readonly #onArrival: (arrival: HandshakeArrival) => void;
  readonly #stopWaiting: () => void;
  #early: string[] | undefined;
  #hasArrived = false;

  /** `onArrival` is called once, whatever happens. */
  constructor(transport: Transport, timeoutMs: number, onArrival: (arrival: HandshakeArrival) => void) {
    this.#transport = transport;
    this.#onArrival = onArrival;
    this.#stopWaiting = after(timeoutMs, () => this.#arrive("timeout"));
    transport.attach(this);
  }

  onText(text: string): void {
    if (this.#early) {
      this.#early.push(text);
      this.#transport.hold?.(text.length);
      return;
    }
    const frame = decodeFrame(text);
    if (frame.type !== FrameType.HANDSHAKE) return;
    this.#early = [];
    this.#arrive(text.length > MAX_HANDSHAKE ? "too large" : decodeHandshakeHeaders(frame.payload));
  }

  onClosed(): void {
    this.isOpen = false;
    this.#arrive("closed");
  }

  onFailed(): void {
    // `onClosed` follows, and is what counts.
  }

  /** Gives what came after the handshake message to the listener that has taken over. */
  handOverTo(listener: TransportListener): void {
    this.#transport.resume?.();
    for (const text of this.#early ?? []) listener.onText(text);
  }

  /** Nobody waits for the handshake message any more. */
  stop(): void {
    this.#hasArrived = true;
    this.#stopWaiting();
  }

  #arrive(arrival: HandshakeArrival): void {
    if (this.#hasArrived) return;
    this.stop();
    this.#onArrival(arrival);
  }
}

/**
 * Runs the server side of each middleware in order: parse, then process. Returns a promise only when one of them takes
 * time (also a parse that is asynchronous): promises are much of what connecting costs.
 */
export function runMiddlewares(
  middlewares: readonly GGWebSocketMiddleware[],
  handshake: GGWebSocketHandshakeContext,
  from = 0,
): Promise<void> | undefined {
  for (let step = from; step < 2 * middlewares.length; step++) {
    const middleware = middlewares[step >> 1];
    const pending: unknown = step % 2 === 0 ? middleware?.parseHandshake?.(handshake) : middleware?.process?.();
    if (isThenable(pending)) {
      return Promise.resolve(pending).then(() => runMiddlewares(middlewares, handshake, step + 1));
    }
  }
  return undefined;
}

/** Whether something that a program returned is to be waited for. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === "function";
}
