import { type GGContext, GGContextStore } from "@grest-ts/context";
import { type Capabilities, type GGWebSocketCapability, NO_CAPABILITIES } from "../protocol/capabilities.js";
import { CloseCode } from "../protocol/closeCodes.js";
import { decodeFrame, type Frame, FrameType, MAX_BATCH_BYTES, SEPARATOR } from "../protocol/frame.js";
import type { TransportListener } from "../transport/transport.js";
import { Calls } from "./calls.js";
import { setDeadline, waitAtMost } from "./deadlines.js";
import { type MessageRejection, runCallback, type SocketEndpoint } from "./endpoint.js";
import { Inbox } from "./inbox.js";
import { IncomingMessage } from "./incomingMessage.js";
import type { CompiledMethod } from "./methods/compiledMethod.js";
import type { Handlers } from "./methods/handlers.js";
import type { Outcome } from "./methods/outcome.js";
import type { Outbox } from "./outbox.js";
import { afterPromiseJobs } from "./ticks.js";

/** How long `closeGracefully` waits for what is in flight, in ms. */
export const GRACEFUL_CLOSE_TIMEOUT = 5_000;

/** How long the peer may take to answer a close frame before the connection is terminated, in ms. */
export const CLOSE_TIMEOUT = 5_000;

type CloseCallback = (code: number, reason: string, connection: Connection) => void;

/** What a connection reports to its maker, which runs the program's callbacks. */
export interface ConnectionHooks {
  /** An error that belongs to no call. */
  onError?(error: Error): void;
  /** The server is going away: reconnect in this many ms. */
  onDrain?(delayMs: number): void;
}

const NO_HOOKS: ConnectionHooks = {};

/**
 * One open connection; the same on both ends. It has an outbox for what it sends, calls that wait for replies, and an
 * inbox for what it receives. `ServerConnection` adds the limits of a server.
 */
export class Connection implements TransportListener {
  readonly socketEndpoint: SocketEndpoint;
  readonly context: GGContext;
  readonly outbox: Outbox;
  readonly calls: Calls;
  readonly inbox: Inbox;
  readonly #capabilities: Capabilities;
  readonly #hooks: ConnectionHooks;
  #isOpen = true;
  /** Whether a reply has arrived that the program may not have seen yet. */
  #hasSettled = false;
  /** What arrived after such a reply; it waits until the program has seen that. */
  #behindReply: Frame[] | undefined;
  /** How it ended. */
  #end: readonly [code: number, reason: string] | undefined;
  readonly #closeCallbacks = new Set<CloseCallback>();
  #idleWaiters: (() => void)[] | undefined;
  #cancelTerminate: (() => void) | undefined;

  constructor(
    outbox: Outbox,
    endpoint: SocketEndpoint,
    context: GGContext,
    handlers: Handlers,
    capabilities = NO_CAPABILITIES,
    hooks = NO_HOOKS,
  ) {
    this.socketEndpoint = endpoint;
    this.context = context;
    this.#capabilities = capabilities;
    this.#hooks = hooks;
    this.outbox = outbox;
    this.calls = new (endpoint.Calls ?? Calls)(this);
    this.inbox = new (endpoint.Inbox ?? Inbox)(this, handlers);
    outbox.underlyingTransport.attach(this);
  }

  /** The endpoint with a log whose entries name this connection, where connections have names. */
  get namedEndpoint(): SocketEndpoint {
    return this.socketEndpoint;
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Runs `callback` once, in the connection's context, when the connection has closed; at once when it already has.
   * Returns a function that removes it.
   */
  onClose(callback: CloseCallback, context = this.context): () => void {
    const end = this.#end;
    if (end) runCallback(this.namedEndpoint, context, "onClose", () => callback(...end, this));
    else this.#closeCallbacks.add(callback);
    return () => this.removeCloseCallback(callback);
  }

  /** Takes a callback of {@link onClose} back, for one that many connections have. */
  removeCloseCallback(callback: CloseCallback): void {
    this.#closeCallbacks.delete(callback);
  }

  /** Closes at once: pending calls settle with a `SERVER_ERROR`. The peer may take `answerMs` to answer. */
  close(code: number = CloseCode.NORMAL, reason = "", answerMs = CLOSE_TIMEOUT): void {
    if (!this.#isOpen) return;
    const { underlyingTransport: transport } = this.outbox;
    this.outbox.flushNow();
    this.#stop(code);
    transport.close(code, reason);
    this.#cancelTerminate = setDeadline(answerMs, () => transport.terminate());
  }

  /** Terminates without a closing handshake, for a peer that may be gone; `code` is for this end only. */
  terminate(code: number = CloseCode.ABNORMAL): void {
    if (this.#end) return;
    const { underlyingTransport: transport } = this.outbox;
    this.onClosed(code, "");
    transport.terminate();
  }

  /** Resolves when the connection has closed. */
  closed(): Promise<void> {
    return new Promise((resolve) => void this.onClose(() => resolve()));
  }

  /**
   * Closes once what is in flight is done, after this many ms at the latest, and resolves when closed; at once for a handler
   * of this connection, which is in flight itself.
   */
  async closeGracefully(code?: number, reason?: string, ms?: number): Promise<void> {
    const closing = this.#finish(code, reason, ms);
    if (!this.isHandlingCaller) await closing;
  }

  /** Whether the running code is a handler of this connection. */
  get isHandlingCaller(): boolean {
    const context = GGContextStore.tryGetContext();
    return context instanceof IncomingMessage && context.ofConnection === this;
  }

  async #finish(code?: number, reason?: string, ms = GRACEFUL_CLOSE_TIMEOUT): Promise<void> {
    await this.idle(ms);
    this.close(code, reason, await this.socketEndpoint.whenSent?.(this));
    await this.closed();
  }

  /** Resolves when no call is pending and no handler is running, after this many ms at the latest. */
  idle(ms: number): Promise<void> {
    return waitAtMost(ms, (done) => {
      this.#idleWaiters ??= [];
      this.#idleWaiters.push(done);
      this.checkIdle();
    });
  }

  /** A call or a handler is done. */
  checkIdle(): void {
    const waiters = this.#idleWaiters;
    // What arrived together with the last reply is still to be handled.
    if (waiters?.length)
      afterPromiseJobs(() => {
        if (this.#end || (!this.#behindReply && this.calls.size + this.inbox.running.length === 0))
          for (const done of waiters.splice(0)) done();
      });
  }

  /** Whether both ends support this. */
  can(capability: GGWebSocketCapability): boolean {
    return this.#capabilities.has(capability);
  }

  /**
   * Admits what arrives, or returns why not: a server has limits and permissions. Without `isRequest` it is neither a
   * message nor a request, and counts too. What has waited for handlers is admitted a second time.
   */
  admit(_method?: CompiledMethod, _isRequest?: boolean, _wasHeld?: boolean): MessageRejection | undefined {
    return undefined;
  }

  /** Counts the end of a call, or, without an outcome, a reply that was not expected. A client counts nothing. */
  callEnded(_path: string, _outcome?: Outcome, _startedAt?: number, _isDropped?: boolean): void {}

  /** Sends a frame and returns its number in the outbox; 0 when there was no room for it. */
  sendFrame(frame: string, isDroppable?: boolean): number {
    return this.makeRoom(frame, isDroppable) ? this.outbox.push(frame) : 0;
  }

  /** Counts a message in. Without room for it, since the peer is too slow, it is dropped, or the connection closed. */
  protected makeRoom(message: string, isDroppable = false): boolean {
    if (this.outbox.hasRoom(message)) return true;
    this.refuse(isDroppable);
    return false;
  }

  /** Drops a message that there is no room for, or ends the connection: its peer would not read a close frame. */
  protected refuse(isDroppable: boolean): void {
    const { apiName, logger } = this.socketEndpoint;
    const what = isDroppable ? "messages are dropped" : "a connection ends";
    logger.warn(`${apiName}: ${what}, since the peer reads too slowly`);
    if (!isDroppable) this.terminate(CloseCode.TRY_AGAIN_LATER);
  }

  /** Sends a frame, or drops it when the connection is closing. */
  sendIfOpen(frame: string, isDroppable?: boolean): void {
    if (this.#isOpen) this.sendFrame(frame, isDroppable);
  }

  /** Cancels a request: its reply is no longer needed. */
  sendCancel(path: string, id: string): void {
    if (this.can("cancel")) this.sendIfOpen(`${FrameType.CANCEL}:${path}:${id}:`, true);
  }

  /** Changes with each sign of life; NaN while this end does not read, since the peer cannot show any. */
  get signsOfLife(): number | undefined {
    return this.outbox.underlyingTransport.watchLife?.();
  }

  /** Pings the peer; returns whether that is possible. */
  ping(): boolean {
    const { underlyingTransport: transport } = this.outbox;
    if (transport.ping) {
      transport.ping();
      return true;
    }
    if (!this.can("alive")) return false;
    this.sendIfOpen(`${FrameType.PING}:::`, true);
    return true;
  }

  // What the transport reports.

  onText(text: string): void {
    this.socketEndpoint.asyncScope(receive, this, text);
  }

  onFailed(error: Error): void {
    this.#hooks.onError?.(error);
  }

  onClosed(...end: [code: number, reason: string]): void {
    if (this.#end) return;
    while (this.#behindReply) this.#takeWaiting();
    this.#end = end;
    this.#cancelTerminate?.();
    this.#stop(end[0]);
    this.outbox.discard();
    this.checkIdle();
    this.socketEndpoint.onConnectionClosed?.(this, end[0]);
    for (const callback of this.#closeCallbacks) this.onClose(callback);
  }

  /**
   * Takes one message. The promise of a call settles in promise jobs of this tick, while handlers are called at once:
   * what follows a reply waits for these jobs, so that the program sees both in their order (PROTOCOL.md section 2).
   */
  receive(text: string): void {
    this.#takeInOrder(decodeFrame(text));
  }

  #takeInOrder(frame: Frame): void {
    if (!this.#isOpen) return;
    if (this.#behindReply) this.#behindReply.push(frame);
    else if (this.#hasSettled && frame.type !== FrameType.REPLY) {
      this.#behindReply = [frame];
      afterPromiseJobs(() => this.#takeWaiting());
    } else this.#take(frame);
  }

  #takeWaiting(): void {
    const frames = this.#behindReply ?? [];
    this.#behindReply = undefined;
    this.#hasSettled = false;
    this.socketEndpoint.asyncScope(() => {
      for (const frame of frames) this.#takeInOrder(frame);
    });
    this.checkIdle();
  }

  #take(frame: Frame): void {
    const { type, path, id, payload } = frame;
    if (type === FrameType.REPLY && this.calls.settle(frame)) this.#hasSettled = true;
    else if (path ? type === FrameType.REQUEST || type === FrameType.MESSAGE : type === this.inbox.otherType)
      this.inbox.receive(frame);
    // What is ignored counts towards the rate as well.
    else if (this.admit()) return;
    else if (type === FrameType.PING && this.can("alive")) this.sendIfOpen(`${FrameType.PONG}:::`);
    else if (type === FrameType.CANCEL && this.can("cancel")) this.inbox.abortRequest(id);
    else if (type === FrameType.DRAIN && this.can("drain")) this.#hooks.onDrain?.(+payload || 0);
  }

  #stop(code: number): void {
    this.#isOpen = false;
    this.inbox.shutDown();
    this.calls.failAll(code);
  }
}

/** Takes a text: one message, or, between ends that support it, a batch, which is never larger than we announced. */
function receive(connection: Connection, text: string): void {
  if (connection.can("batch") && text.length <= MAX_BATCH_BYTES)
    for (const message of text.split(SEPARATOR)) connection.receive(message);
  else connection.receive(text);
}
