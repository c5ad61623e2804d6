import type { GGContext } from "@grest-ts/context";
import type { GGWebSocketCapability } from "../api/server.js";
import { MAX_BATCH_BYTES, SEPARATOR } from "../protocol/batch.js";
import { type Capabilities, NO_CAPABILITIES } from "../protocol/capabilities.js";
import { CloseCode } from "../protocol/closeCodes.js";
import { decodeFrame, FrameType } from "../protocol/frame.js";
import { Calls } from "./calls.js";
import { after, atMost } from "./deadlines.js";
import type { SocketEndpoint } from "./endpoint.js";
import { guarded } from "./guarded.js";
import { Inbox } from "./inbox.js";
import type { Handlers } from "./methods/handlers.js";
import type { Outbox } from "./outbox.js";

/** How long `finish` waits for what is in flight, in ms. */
export const FINISH_WAIT = 5_000;

/** How long the peer may take to answer a close frame before the line is cut, in ms. */
export const CLOSE_WAIT = 5_000;

type CloseCallback = (code: number, reason: string) => void;

/**
 * One live connection; the same on both ends. It has an outbox for what leaves, calls that wait for replies, and an inbox
 * for what arrives. `ServerConnection` adds what a server's limits are about.
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
  /** @internal How many messages and signs of life have arrived. */
  received = 0;
  /** @internal The server is going away: be somewhere else in so many ms. */
  onDrain: ((delayMs: number) => void) | undefined;
  /** @internal Hear of errors that belong to no call. */
  errorCallbacks: ((error: Error) => void)[] = [];
  /** @internal See {@link onClose}. */
  closeCallbacks: CloseCallback[] = [];
  readonly #capabilities: Capabilities;
  #isOpen = true;
  /** How it ended. */
  #end: Parameters<CloseCallback> | undefined;
  #idleWaiters: (() => void)[] = [];
  #cancelTerminate: (() => void) | undefined;

  /** @internal */
  constructor(
    outbox: Outbox,
    endpoint: SocketEndpoint,
    context: GGContext,
    handlers: Handlers,
    capabilities = NO_CAPABILITIES,
  ) {
    this.endpoint = endpoint;
    this.context = context;
    this.#capabilities = capabilities;
    this.outbox = outbox;
    this.calls = new Calls(this);
    this.inbox = new Inbox(this, handlers);
    outbox.transport.attach(this);
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Runs once when the connection has closed, with code and reason; at once when it already has. */
  onClose(callback: CloseCallback): this {
    const end = this.#end;
    if (end) this.#guard(() => callback(...end));
    else this.closeCallbacks.push(callback);
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
      this.#idleWaiters.push(done);
      this.checkIdle();
    });
  }

  /** @internal A call or a handler is done. */
  checkIdle(): void {
    const waiters = this.#idleWaiters;
    while (waiters.length > 0 && (this.#end || this.calls.size + this.inbox.running.length === 0)) waiters.pop()?.();
  }

  /** @internal Whether both ends can do this. */
  can(capability: GGWebSocketCapability): boolean {
    return this.#capabilities.has(capability);
  }

  /** @internal Sends a frame and returns its number in the outbox; 0 when it was dropped, since the peer is too slow. */
  sendFrame(frame: string, _isDroppable?: boolean): number {
    return this.outbox.push(frame);
  }

  /** @internal Sends a frame that answers the peer; nobody misses it when the connection is closing. */
  reply(frame: string): void {
    if (this.#isOpen) this.sendFrame(frame);
  }

  /** @internal Tells the peer that nobody waits for its answer any more. */
  cancel(path: string, id: string): void {
    if (this.can("cancel")) this.reply(`${FrameType.CANCEL}:${path}:${id}:`);
  }

  /** @internal Asks the peer for a sign of life; returns whether there is a way to. */
  ping(): boolean {
    const { transport } = this.outbox;
    const canAsk = this.can("alive");
    if (transport.ping) transport.ping();
    else if (canAsk) this.reply(`${FrameType.PING}:::`);
    return !!transport.ping || canAsk;
  }

  // What the transport reports.

  /** @internal */
  onText(text: string): void {
    this.received++;
    this.endpoint.scope(receive, this, text);
  }

  /** @internal */
  onAlive(): void {
    this.received++;
  }

  /** @internal */
  onFailed(error: Error): void {
    for (const callback of this.errorCallbacks) this.#guard(() => callback(error));
  }

  /** @internal */
  onClosed(...end: Parameters<CloseCallback>): void {
    if (this.#end) return;
    this.#end = end;
    this.#cancelTerminate?.();
    this.#stop();
    this.outbox.discard();
    this.checkIdle();
    this.endpoint.closed?.(this, end[0]);
    for (const callback of this.closeCallbacks.splice(0)) this.onClose(callback);
  }

  /** @internal Takes one message. */
  receive(text: string): void {
    if (!this.#isOpen) return;
    const frame = decodeFrame(text);
    switch (frame.type) {
      case FrameType.REPLY:
        return this.calls.settle(frame);
      case FrameType.REQUEST:
      case FrameType.MESSAGE:
        if (frame.path) this.inbox.receive(frame);
        return;
      case FrameType.PING:
        if (this.can("alive") && !this.inbox.gate?.ignores()) this.reply(`${FrameType.PONG}:::`);
        return;
      case FrameType.CANCEL:
        if (this.can("cancel") && !this.inbox.gate?.ignores()) this.inbox.cancel(frame.id);
        return;
      case FrameType.DRAIN:
        if (this.can("drain")) this.onDrain?.(+frame.payload || 0);
    }
  }

  #stop(): void {
    this.#isOpen = false;
    this.inbox.stop();
    this.calls.failAll();
  }

  /** Runs a callback of the program inside the connection's context. */
  #guard(callback: () => unknown): void {
    guarded(this.endpoint, this.context, callback);
  }
}

/** Takes a text: one message, or, between ends that can do so, a batch; none has more than we announced. */
function receive(connection: Connection, text: string): void {
  if (connection.can("batch") && text.length <= MAX_BATCH_BYTES)
    for (const message of text.split(SEPARATOR)) connection.receive(message);
  else connection.receive(text);
}
