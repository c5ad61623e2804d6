import type { GGContext } from "@grest-ts/context";
import type { GGCallOptions } from "../contract/methodTypes.js";
import { CloseCode, clampCloseReason } from "../protocol/closeCodes.js";
import { decodeFrame, FrameType } from "../protocol/frame.js";
import { Calls } from "./calls.js";
import { type CompiledMethod, compileRawMethod } from "./compiledMethod.js";
import { after } from "./deadlines.js";
import type { SocketEndpoint } from "./endpoint.js";
import { guarded } from "./guarded.js";
import { Handlers } from "./handlers.js";
import { Inbox } from "./inbox.js";
import { Outbox } from "./outbox.js";
import { type Outcome, serverError } from "./outcome.js";
import type { Transport } from "./transport.js";

/** How long `teardown` waits for what is in flight, and then for its callbacks, in ms. */
const TEARDOWN_WAIT = 5_000;

/** How long the peer may take to answer a close frame before the line is cut, in ms. */
const CLOSE_WAIT = 5_000;

/** Most connections have none of most callbacks, and share this. */
const NONE: readonly never[] = [];

/** A handler at the raw level, where no contract applies. */
export interface SocketHandlerConfig {
  /** The full path, for example `"ChatApi.newMessage"`. */
  readonly path: string;
  /** Gets the parsed payload. What it returns, or resolves to, answers a request. */
  handler(data: unknown): unknown;
}

/** A reply at the raw level, as it came. */
export interface SocketReply {
  readonly success: boolean;
  /** `"OK"`, or the type of the error. */
  readonly type: string;
  readonly data?: unknown;
}

/**
 * One live connection; the same class on both ends. It has an outbox for what leaves, calls that wait for replies, and
 * an inbox for what arrives.
 */
// It is its transport's `TransportListener` and its inbox's `InboxOwner`; not declared, since programs do not see those.
export class GGSocket {
  readonly #endpoint: SocketEndpoint;
  readonly #outbox: Outbox;
  readonly #calls: Calls;
  /** @internal */
  readonly inbox: Inbox;
  /** @internal */
  readonly context: GGContext;
  #state: "open" | "closing" | "closed" = "open";
  #closeCallbacks: readonly ((code: number, reason: string) => void)[] = NONE;
  #errorCallbacks: readonly ((error: Error) => void)[] = NONE;
  #teardownCallbacks: readonly (() => Promise<void>)[] = NONE;
  #idleWaiters: readonly (() => void)[] = NONE;
  #cancelTerminate: (() => void) | undefined;
  #closeCode = 0;
  #closeReason = "";

  /** @internal Sockets come from the pool, a client or a server. */
  constructor(transport: Transport, endpoint: SocketEndpoint, context: GGContext, handlers = new Handlers()) {
    this.#endpoint = endpoint;
    this.context = context;
    this.#outbox = new Outbox(transport);
    this.#calls = new Calls(endpoint, this.#outbox, () => this.onIdle());
    this.inbox = new Inbox(endpoint, this, handlers);
    transport.attach(this);
  }

  /** Whether messages can be sent. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** How many requests wait for their reply. */
  get pendingRequestCount(): number {
    return this.#calls.size;
  }

  /**
   * Sends to a path, past any contract.
   *
   * @param expectsResponse whether to wait for the reply, which comes as it is: `{success, type, data}`
   * @param timeoutMs how long to wait, in ms; default 30,000
   * @throws Error when the connection is closed. A time-out or a lost connection is a reply of type `SERVER_ERROR`.
   */
  send(path: string, body: unknown, expectsResponse: true, timeoutMs?: number): Promise<SocketReply>;
  send(path: string, body?: unknown, expectsResponse?: boolean, timeoutMs?: number): Promise<SocketReply | undefined>;
  async send(
    path: string,
    body?: unknown,
    expectsResponse = false,
    timeoutMs?: number,
  ): Promise<SocketReply | undefined> {
    if (this.#state !== "open") throw new Error(`Cannot send ${path}: WebSocket is not connected`);
    const outcome = await this.#calls.call(compileRawMethod(path, expectsResponse), body, { timeout: timeoutMs });
    return expectsResponse ? outcome : undefined;
  }

  /** Handles a path that no contract describes. A later handler of the same path replaces the earlier one. */
  registerHandler(config: SocketHandlerConfig): void {
    this.inbox.onPath(config.path, (data) => config.handler(data));
  }

  /** Takes the handler of a path away. */
  unregisterHandler(path: string): void {
    this.inbox.offPath(path);
  }

  /** Hears of messages that nothing handles. */
  setUnknownMessageHandler(handler: (path: string, data: unknown) => void): void {
    this.inbox.onUnknown(handler);
  }

  /** Hears of errors that belong to no call: of the line, and of messages that failed. */
  onError(callback: (error: Error) => void): this {
    this.#errorCallbacks = [...this.#errorCallbacks, callback];
    return this;
  }

  /** Awaited by `teardown()`, once calls and handlers are done and before the line is closed. */
  onTearDown(callback: () => Promise<void>): this {
    this.#teardownCallbacks = [...this.#teardownCallbacks, callback];
    return this;
  }

  /** Runs once when the connection has closed, with code and reason; at once when it already has. */
  onClose(callback: (code: number, reason: string) => void): this {
    if (this.#state === "closed") this.#runClose(callback);
    else this.#closeCallbacks = [...this.#closeCallbacks, callback];
    return this;
  }

  /** Waits for what is in flight and for the `onTearDown` callbacks, each for so many ms at most, then closes. */
  async teardown(
    pendingMs = TEARDOWN_WAIT,
    callbacksMs = TEARDOWN_WAIT,
    code?: number,
    reason?: string,
  ): Promise<void> {
    await this.#idle(pendingMs);
    const callbacks = this.#teardownCallbacks.map((callback) =>
      guarded(this.#endpoint, () => this.#endpoint.scope(callback)),
    );
    if (callbacks.length > 0) await atMost(callbacksMs, (done) => void Promise.all(callbacks).then(done));
    this.close(code, reason);
  }

  /** Closes at once: pending calls settle with a `SERVER_ERROR`. */
  close(code: number = CloseCode.NORMAL, reason = ""): void {
    if (this.#state !== "open") return;
    this.#outbox.flush();
    this.#state = "closing";
    this.inbox.stop();
    this.#calls.closeAll();
    this.#outbox.transport.close(code, clampCloseReason(reason));
    this.#cancelTerminate = after(CLOSE_WAIT, () => this.#outbox.transport.terminate());
  }

  /** Ends the line without taking leave: for a peer that may not be there any more. */
  terminate(): void {
    if (this.#state === "closed") return;
    this.#outbox.transport.terminate();
    this.onClosed(CloseCode.ABNORMAL, "");
  }

  /** Resolves when the connection has closed. */
  closed(): Promise<void> {
    return new Promise((resolve) => this.onClose(() => resolve()));
  }

  /** @internal A call of the contract. Never rejects. */
  call(method: CompiledMethod, data: unknown, options?: GGCallOptions): Promise<Outcome> {
    if (this.#state === "open") return this.#calls.call(method, data, options);
    this.#endpoint.metrics?.sent(method.path, "CONNECTION_CLOSED");
    return Promise.resolve(serverError(`${method.path}: the connection is closed, so nothing was sent`));
  }

  /** @internal A frame that is no call's, in its order among the messages. */
  sendFrame(frame: string): void {
    this.#outbox.push(frame);
  }

  // What the transport reports.

  /** @internal */
  onText(text: string): void {
    if (this.#state !== "open") return;
    const frame = decodeFrame(text);
    if (frame.type === FrameType.REPLY) {
      if (!this.#calls.settle(frame)) this.#endpoint.metrics?.sent("unknown", "UNEXPECTED_REPLY");
    } else if ((frame.type === FrameType.REQUEST || frame.type === FrameType.MESSAGE) && frame.path !== "") {
      this.inbox.receive(frame);
    }
  }

  /** @internal */
  onClosed(code: number, reason: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#closeCode = code;
    this.#closeReason = reason;
    this.#cancelTerminate?.();
    this.inbox.stop();
    this.#calls.closeAll();
    this.#outbox.discard();
    this.onIdle();
    const callbacks = this.#closeCallbacks;
    this.#closeCallbacks = NONE;
    for (const callback of callbacks) this.#runClose(callback);
  }

  /** @internal */
  onFailed(error: Error): void {
    this.report(error);
  }

  // What the inbox needs.

  /** @internal */
  reply(message: string): void {
    if (this.#state === "open") this.#outbox.push(message);
  }

  /** @internal */
  report(error: Error): void {
    for (const callback of this.#errorCallbacks) this.#guard(() => callback(error));
  }

  /** @internal */
  pauseReading(): void {
    this.#outbox.transport.pause?.();
  }

  /** @internal */
  resumeReading(): void {
    this.#outbox.transport.resume?.();
  }

  /** @internal */
  onIdle(): void {
    if (!this.#isIdle) return;
    const waiters = this.#idleWaiters;
    this.#idleWaiters = NONE;
    for (const waiter of waiters) waiter();
  }

  get #isIdle(): boolean {
    return this.#state === "closed" || (this.#calls.size === 0 && this.inbox.running === 0);
  }

  #idle(ms: number): Promise<void> {
    if (this.#isIdle) return Promise.resolve();
    return atMost(ms, (done) => {
      this.#idleWaiters = [...this.#idleWaiters, done];
    });
  }

  #runClose(callback: (code: number, reason: string) => void): void {
    this.#guard(() => callback(this.#closeCode, this.#closeReason));
  }

  /** Runs a callback of the program inside the connection's context. */
  #guard(callback: () => unknown): void {
    guarded(this.#endpoint, () => this.#endpoint.scope(() => this.context.run(callback)));
  }
}

/** Resolves when `start`'s callback is called, or after so many ms. */
function atMost(ms: number, start: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const cancel = after(ms, resolve);
    start(() => {
      cancel();
      resolve();
    });
  });
}
