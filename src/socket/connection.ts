import type { GGContext } from "@grest-ts/context";
import { ROUTE_NOT_FOUND } from "@grest-ts/schema";
import type { GGWebSocketCapability } from "../contract/server.js";
import { SEPARATOR } from "../protocol/batch.js";
import { batchBytes, type Capabilities, MAX_BATCH_BYTES, NO_CAPABILITIES } from "../protocol/capabilities.js";
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
import type { SharedMessage } from "./sharedMessage.js";
import type { Transport } from "./transport.js";

/** How long `finish` waits for what is in flight, in ms. */
export const FINISH_WAIT = 5_000;

/** How long the peer may take to answer a close frame before the line is cut, in ms. */
export const CLOSE_WAIT = 5_000;

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
  /** @internal How many messages and signs of life have arrived. */
  received = 0;
  /** @internal The server is going away: be somewhere else in so many ms. */
  onDrain: ((delayMs: number) => void) | undefined;
  /** @internal Hear of errors that belong to no call. */
  errorCallbacks: readonly ((error: Error) => void)[] = NONE;
  readonly #capabilities: Capabilities;
  #isOpen = true;
  /** How it ended. */
  #end: readonly [code: number, reason: string] | undefined;
  #closeCallbacks: readonly ((code: number, reason: string) => void)[] = NONE;
  #idleWaiters: readonly (() => void)[] = NONE;
  #cancelTerminate: (() => void) | undefined;

  /** @internal */
  constructor(
    transport: Transport,
    endpoint: SocketEndpoint,
    context: GGContext,
    handlers: Handlers,
    capabilities = NO_CAPABILITIES,
  ) {
    this.endpoint = endpoint;
    this.context = context;
    this.#capabilities = capabilities;
    this.outbox = new Outbox(transport, batchBytes(capabilities));
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

  /** @internal Takes a callback of {@link onClose} away. */
  forgetOnClose(callback: (code: number, reason: string) => void): void {
    this.#closeCallbacks = this.#closeCallbacks.filter((other) => other !== callback);
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

  /** @internal Whether both ends can do this. */
  can(capability: GGWebSocketCapability): boolean {
    return this.#capabilities.has(capability);
  }

  /** @internal Sends a frame and returns its number in the outbox; 0 when it was dropped, since the peer is too slow. */
  sendFrame(frame: string, isDroppable = false, shared?: SharedMessage): number {
    const { maxOutboxBytes } = this.endpoint;
    if (!maxOutboxBytes || !this.outbox.exceeds(maxOutboxBytes)) return this.outbox.push(frame, shared);
    if (!isDroppable) this.#giveUpOnSlowPeer();
    return 0;
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
    if (transport.ping) transport.ping();
    else if (this.can("alive")) this.reply(`${FrameType.PING}:::`);
    else return false;
    return true;
  }

  /** @internal A message for a path that the contract does not have. */
  receiveUnknown({ type, path, id }: Frame): void {
    const { apiName, logger, metrics } = this.endpoint;
    metrics?.handled("unknown", "ROUTE_NOT_FOUND");
    if (type === FrameType.REQUEST) {
      const error = new ROUTE_NOT_FOUND({ displayMessage: `Route not found: ${path.slice(0, 200)}` });
      this.reply(`${FrameType.REPLY}:${path}:${id}:${errorPayload(error)}`);
    } else logger.warn(`${apiName}: a message for an unknown method was ignored`);
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
    this.endpoint.closed?.(this, code);
    const callbacks = this.#closeCallbacks;
    this.#closeCallbacks = NONE;
    for (const callback of callbacks) this.onClose(callback);
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
        if (this.can("drain")) this.onDrain?.(Number(frame.payload) || 0);
    }
  }

  #giveUpOnSlowPeer(): void {
    const { apiName, logger, metrics } = this.endpoint;
    logger.warn(`${apiName}: a connection is closed, since its peer reads too slowly`);
    metrics?.sent("unknown", "SLOW_CONSUMER");
    this.outbox.discard();
    this.close(CloseCode.TRY_AGAIN_LATER, "Too slow to read");
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

/** Takes a text: one message, or, between ends that can do so, a batch; none has more than we announced. */
function receive(connection: Connection, text: string): void {
  if (connection.outbox.isJoining && text.length <= MAX_BATCH_BYTES)
    for (const message of text.split(SEPARATOR)) connection.receive(message);
  else connection.receive(text);
}
