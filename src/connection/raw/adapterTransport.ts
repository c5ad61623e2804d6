import type { SocketAdapter } from "../../api/rawSocket.js";
import { CloseCode } from "../../protocol/closeCodes.js";
import type { Transport, TransportListener } from "../../transport/transport.js";

/** Makes a transport of an adapter. */
export class AdapterTransport implements Transport {
  readonly #adapter: SocketAdapter;
  #listener: TransportListener | undefined;
  readonly #opened = () => this.#listener?.onOpen?.();
  readonly #received = (message: string) => this.#listener?.onText(String(message));
  readonly #failed = (error: Error) => this.#listener?.onFailed(error);
  readonly #closed = () => this.#end(CloseCode.NO_STATUS);

  constructor(adapter: SocketAdapter) {
    this.#adapter = adapter;
    adapter.onOpen(this.#opened);
    adapter.onMessage(this.#received);
    adapter.onClose(this.#closed);
    adapter.onError(this.#failed);
  }

  attach(listener: TransportListener): void {
    this.#listener = listener;
  }

  send(messages: readonly string[]): void {
    try {
      for (const message of messages) this.#adapter.send(message);
    } catch (error) {
      // Must not throw: other outboxes are flushed in the same loop.
      this.#listener?.onFailed(error as Error);
      this.terminate();
    }
  }

  close(): void {
    this.#adapter.close();
  }

  terminate(): void {
    if (!this.#listener) return;
    this.#adapter.close();
    this.#end(CloseCode.ABNORMAL);
  }

  #end(code: number): void {
    const listener = this.#listener;
    this.#listener = undefined;
    this.#adapter.offOpen(this.#opened);
    this.#adapter.offMessage(this.#received);
    this.#adapter.offClose(this.#closed);
    this.#adapter.offError(this.#failed);
    listener?.onClosed(code, "");
  }
}
