import type { SocketAdapter } from "../../api/rawSocket.js";
import { CloseCode } from "../../protocol/closeCodes.js";
import type { Transport, TransportListener } from "../../transport/transport.js";

/** Makes a transport of an adapter. What its methods throw ends the connection, and nothing else. */
export class AdapterTransport implements Transport {
  readonly #adapter: SocketAdapter;
  #listener: TransportListener | undefined;
  readonly #opened = () => this.#listener?.onOpen?.();
  readonly #received = (message: string) => this.#listener?.onText(String(message));
  readonly #failed = (error: unknown) => this.#listener?.onFailed(errorOf(error));
  readonly #closed = () => this.#end(CloseCode.NO_STATUS);

  constructor(adapter: SocketAdapter) {
    this.#adapter = adapter;
    adapter.onOpen(this.#opened);
    adapter.onMessage(this.#received);
    adapter.onClose(this.#closed);
    adapter.onError(this.#failed);
  }

  /** The listener, until the end. */
  get listener(): TransportListener | undefined {
    return this.#listener;
  }

  /** Whether it has ended: what makes a transport of an adapter attaches a listener at once. */
  get isOver(): boolean {
    return !this.#listener;
  }

  attach(listener: TransportListener): void {
    this.#listener = listener;
  }

  send(messages: readonly string[]): void {
    const isSent = this.#try(() => {
      for (const message of messages) this.#adapter.send(message);
    });
    if (!isSent) this.terminate();
  }

  close(): void {
    if (!this.#try(() => this.#adapter.close())) this.#end(CloseCode.ABNORMAL);
  }

  terminate(): void {
    if (!this.#listener) return;
    this.#try(() => this.#adapter.close());
    this.#end(CloseCode.ABNORMAL);
  }

  #end(code: number): void {
    const listener = this.#listener;
    if (!listener) return;
    const adapter = this.#adapter;
    this.#listener = undefined;
    this.#try(() => adapter.offOpen(this.#opened), listener);
    this.#try(() => adapter.offMessage(this.#received), listener);
    this.#try(() => adapter.offClose(this.#closed), listener);
    this.#try(() => adapter.offError(this.#failed), listener);
    listener.onClosed(code, "");
  }

  /** Returns whether it went well, and reports it otherwise. */
  #try(step: () => unknown, listener = this.#listener): boolean {
    try {
      step();
      return true;
    } catch (thrown) {
      listener?.onFailed(errorOf(thrown));
      return false;
    }
  }
}

/** An error as it is; anything else that was thrown, in one. */
function errorOf(thrown: unknown): Error {
  try {
    if (thrown instanceof Error) return thrown;
  } catch {
    // A revoked proxy.
  }
  return new Error("the adapter failed", { cause: thrown });
}
