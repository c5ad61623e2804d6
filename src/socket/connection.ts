import type { GGContext } from "@grest-ts/context";
import { ROUTE_NOT_FOUND } from "@grest-ts/schema";
import { CloseCode } from "../protocol/closeCodes.js";
import { decodeFrame, type Frame, FrameType } from "../protocol/frame.js";
import { Calls } from "./calls.js";
import { after, atMost } from "./deadlines.js";
import type { SocketEndpoint } from "./endpoint.js";
import { guarded } from "./guarded.js";
import type { Handlers } from "./handlers.js";
import { Inbox } from "./inbox.js";
import { Outbox } from "./outbox.js";
import { errorPayload } from "./outcome.js";
import type { Transport } from "./transport.js";

/** How long `finish` waits for what is in flight, in ms. */
export const FINISH_WAIT = 5_000;

/** How long the peer may take to answer a close frame before the line is cut, in ms. */
const CLOSE_WAIT = 5_000;

/** Most connections have none of most callbacks, and share this. */
export const NONE: readonly never[] = [];

/**
 * One live connection; the same class on both ends. It has an outbox for what leaves, calls that wait for replies, and
 * an inbox for what arrives. `GGSocket` adds what needs no contract.
 */
// It is its transport's `TransportListener`; not declared, since programs do not see that.
export class Connection {
  /** @internal */
  readonly endpoint: SocketEndpoint;
  /** @internal */
  readonly context: GGContext;
  /** @internal */
  readonly outbox: Outbox;
  /** @internal */
  readonly calls: Calls;
  /** @internal */
  readonly inbox: Inbox;
  /** @internal Hear of errors that belong to no call. */
  errorCallbacks: readonly ((error: Error) => void)[] = NONE;
  #isOpen = true;
  /** How it ended. */
  #end: readonly [code: number, reason: string] | undefined;
  #closeCallbacks: readonly ((code: number, reason: string) => void)[] = NONE;
  #idleWaiters: readonly (() => void)[] = NONE;
  #cancelTerminate: (() => void) | undefined;

  /** @internal */
  constructor(transport: Transport, endpoint: SocketEndpoint, context: GGContext, handlers: Handlers) {
    this.endpoint = endpoint;
    this.context = context;
    this.outbox = new Outbox(transport);
    this.calls = new Calls(this);
    this.inbox = new Inbox(this, handlers);
    transport.attach(this);
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Runs once when the connection has closed, with code and reason; at once when it already has. */
  onClose(callback: (code: number, reason: string) => void): this {
    const end = this.#end;
    if (end) this.#guard(() => callback(...end));
    else this.#closeCallbacks = [...this.#closeCallbacks, callback];
    return this;
  }

  /** Closes at once: pending calls settle with a `SERVER_ERROR`. */
  close(code: number = CloseCode.NORMAL, reason = ""): void {
    if (!this.#isOpen) return;
    const { transport } = this.outbox;
    this.outbox.flush();
    this.#stop();
    transport.close(code, reason);
    this.#cancelTerminate = after(CLOSE_WAIT, () => transport.terminate());
  }

  /** Ends the line without taking leave: for a peer that may not be there any more. */
  terminate(): void {
    if (this.#end) return;
    this.outbox.transport.terminate();
    this.onClosed(CloseCode.ABNORMAL, "");
  }

  /** Resolves when the connection has closed. */
  closed(): Promise<void> {
    return new Promise((resolve) => this.onClose(() => resolve()));
  }

  /** @internal Closes once what is in flight is done, and resolves when closed. */
  async finish(code?: number, reason?: string): Promise<void> {
    await this.idle(FINISH_WAIT);
    this.close(code, reason);
    await this.closed();
  }

  /** @internal Resolves when no call and no handler is under way, after so many ms at the latest. */
  idle(ms: number): Promise<void> {
    return atMost(ms, (done) => {
      this.#idleWaiters = [...this.#idleWaiters, done];
      this.checkIdle();
    });
  }

  /** @internal A call or a handler is done. */
  checkIdle(): void {
    if (!this.#end && (this.calls.size > 0 || this.inbox.running > 0)) return;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = NONE;
    for (const waiter of waiters) waiter();
  }

  /** @internal Sends a frame that answers the peer; nobody misses it when the connection is closing. */
  reply(frame: string): void {
    if (this.#isOpen) this.outbox.push(frame);
  }

  /** @internal A message for a path that the contract does not have. */
  receiveUnknown({ type, path, id }: Frame): void {
    const { apiName, logger, metrics } = this.endpoint;
    metrics?.handled("unknown", "ROUTE_NOT_FOUND");
    if (type === FrameType.REQUEST) {
      const error = new ROUTE_NOT_FOUND({ displayMessage: `Route not found: ${path}` });
      this.reply(`${FrameType.REPLY}:${path}:${id}:${errorPayload(error)}`);
    } else logger.warn(`${apiName}: a message for an unknown method was ignored`);
  }

  // What the transport reports.

  /** @internal */
  onText(text: string): void {
    if (!this.#isOpen) return;
    const frame = decodeFrame(text);
    if (frame.type === FrameType.REPLY) this.calls.settle(frame);
    else if ((frame.type === FrameType.REQUEST || frame.type === FrameType.MESSAGE) && frame.path) {
      this.inbox.receive(frame);
    }
  }

  /** @internal Something failed that no reply tells anybody of. */
  onFailed(error: Error): void {
    for (const callback of this.errorCallbacks) this.#guard(() => callback(error));
  }

  /** @internal */
  onClosed(code: number, reason: string): void {
    if (this.#end) return;
    this.#end = [code, reason];
    this.#cancelTerminate?.();
    this.#stop();
    this.outbox.discard();
    this.checkIdle();
    const callbacks = this.#closeCallbacks;
    this.#closeCallbacks = NONE;
    for (const callback of callbacks) this.onClose(callback);
  }

  #stop(): void {
    this.#isOpen = false;
    this.inbox.stop();
    this.calls.closeAll();
  }

  /** Runs a callback of the program inside the connection's context. */
  #guard(callback: () => unknown): void {
    guarded(this.endpoint, () => this.context.run(callback));
  }
}
