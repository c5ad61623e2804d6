import type { GGWebSocketHandshakeContext, GGWebSocketMiddleware } from "../contract/middleware.js";
import { decodeFrame, FrameType } from "../protocol/frame.js";
import { decodeHandshakeHeaders } from "../protocol/handshake.js";
import { after } from "../socket/deadlines.js";
import type { Transport, TransportListener } from "../socket/transport.js";

/** What became of waiting for the client's handshake message: its headers, or why there are none. */
export type HandshakeArrival = Record<string, string> | "timeout" | "too large" | "closed";

/** In characters; no headers need as much, and taking them apart costs more than their size suggests. */
export const MAX_HANDSHAKE = 65_536;

/**
 * Hears a new line until its socket takes over: waits for the handshake message, ignores what comes before it, and keeps
 * what comes after it.
 */
export class HandshakeListener implements TransportListener {
  /** Resolves once, whatever happens. */
  readonly arrival: Promise<HandshakeArrival>;
  /** Whether the line is still there. */
  isOpen = true;
  readonly #transport: Transport;
  readonly #stopWaiting: () => void;
  #arrive!: (arrival: HandshakeArrival) => void;
  #early: string[] | undefined;

  constructor(transport: Transport, timeoutMs: number) {
    this.#transport = transport;
    this.arrival = new Promise((resolve) => {
      this.#arrive = resolve;
    });
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
    this.#stopWaiting();
    this.#arrive(text.length > MAX_HANDSHAKE ? "too large" : decodeHandshakeHeaders(frame.payload));
  }

  onClosed(): void {
    this.isOpen = false;
    this.#stopWaiting();
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
}

/** Runs the server side of each middleware in order: parse, then process. A parse that is asynchronous is waited for. */
export async function runMiddlewares(
  middlewares: readonly GGWebSocketMiddleware[],
  handshake: GGWebSocketHandshakeContext,
): Promise<void> {
  for (const middleware of middlewares) {
    await middleware.parseHandshake?.(handshake);
    await middleware.process?.();
  }
}
