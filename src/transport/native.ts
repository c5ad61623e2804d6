import { CloseCode, clampCloseReason } from "../protocol/closeCodes.js";
import type { Transport, TransportListener } from "../socket/transport.js";

/** A line over the platform's own `WebSocket`: browsers, and runtimes that have one. */
export class NativeTransport implements Transport {
  readonly #socket: WebSocket;
  #listener: TransportListener | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#listener?.onOpen?.();
    socket.onmessage = (event) => this.#received(event.data);
    socket.onclose = (event) => this.#closed(event.code, event.reason);
    // A browser says no more than this on purpose; the close code that follows is all there is to know.
    socket.onerror = () => this.#listener?.onFailed(new Error("the connection failed"));
  }

  attach(listener: TransportListener): void {
    this.#listener = listener;
  }

  send(messages: readonly string[]): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    for (const message of messages) this.#socket.send(message);
  }

  close(code?: number, reason?: string): void {
    // A browser lets a page send 1000 and 3000 to 4999, and throws at anything else.
    if (code === CloseCode.NORMAL || (code && code >= 3000 && code <= 4999)) {
      this.#socket.close(code, clampCloseReason(reason ?? ""));
    } else this.#socket.close();
  }

  terminate(): void {
    // There is no way to cut a line from a page: take leave of it, and let the platform finish in its own time.
    this.#socket.close();
    this.#closed(CloseCode.ABNORMAL, "");
  }

  #received(data: unknown): void {
    if (typeof data === "string") this.#listener?.onText(data);
    else this.close(CloseCode.TEXT_ONLY, "Text messages only");
  }

  #closed(code: number, reason: string): void {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.onClosed(code, reason);
  }
}
