import { setDeadline } from "../../connection/deadlines.js";
import { decodeFrame, FrameType } from "../../protocol/frame.js";
import { decodeHandshakeHeaders } from "../../protocol/handshake.js";
import type { Transport, TransportListener } from "../../transport/transport.js";

/** The headers of the client's handshake message, or why there are none. */
export type HandshakeResult = Record<string, string> | "timeout" | "too large" | "closed";

/** In characters; no headers need as much, and decoding them costs more than their size suggests. */
export const MAX_HANDSHAKE = 65_536;

/** The largest message before the handshake is done, in bytes: of that many characters, each at its longest in UTF-8. */
export const MAX_HANDSHAKE_BYTES = 4 * MAX_HANDSHAKE;

/** What a listener reports to its handshake. */
interface HandshakeHooks {
  /** Called once, whatever happens. */
  onResult(result: HandshakeResult): void;
  /** The transport has closed, whatever is still done for it. */
  onGone(): void;
  /** The transport has failed; the result follows. */
  onError(error: Error): void;
}

/**
 * Listens to a new transport until its connection takes over: waits for the handshake message, ignores what comes
 * before it, and keeps what comes after it.
 */
export class HandshakeListener implements TransportListener {
  /** Whether the transport is still open. */
  isOpen = true;
  readonly #transport: Transport;
  readonly #hooks: HandshakeHooks;
  readonly #cancelTimeout: () => void;
  #early: string[] | undefined;
  #isDone = false;

  constructor(transport: Transport, timeoutMs: number, hooks: HandshakeHooks) {
    this.#transport = transport;
    this.#hooks = hooks;
    this.#cancelTimeout = setDeadline(timeoutMs, () => this.#settle("timeout"));
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
    this.#settle(text.length > MAX_HANDSHAKE ? "too large" : decodeHandshakeHeaders(frame.payload));
  }

  onClosed(): void {
    this.isOpen = false;
    this.#hooks.onGone();
    this.#settle("closed");
  }

  onFailed(error: Error): void {
    this.#hooks.onError(error);
  }

  /** Gives what came after the handshake message to the listener that has taken over. */
  handOverTo(listener: TransportListener): void {
    this.#transport.resume?.();
    for (const text of this.#early ?? []) listener.onText(text);
  }

  /** Stops waiting for the handshake message. */
  stop(): void {
    this.#isDone = true;
    this.#cancelTimeout();
  }

  #settle(result: HandshakeResult): void {
    if (this.#isDone) return;
    this.stop();
    this.#hooks.onResult(result);
  }
}
