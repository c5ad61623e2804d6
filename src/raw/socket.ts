import type { GGContext } from "@grest-ts/context";
import { clampCloseReason } from "../protocol/closeCodes.js";
import { type Frame, FrameType } from "../protocol/frame.js";
import type { CompiledMethod } from "./compiledMethod.js";
import { Connection, FINISH_WAIT } from "./connection.js";
import { atMost } from "./deadlines.js";
import type { SocketEndpoint } from "./endpoint.js";
import { guarded } from "./guarded.js";
import { type HandlerObject, Handlers } from "./handlers.js";
import { Outbox } from "./outbox.js";
import { thrownError } from "./outcome.js";
import { compileRawMethod } from "./rawMethod.js";
import type { Transport } from "./transport.js";

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

interface RawHandler {
  readonly method: CompiledMethod;
  readonly owner: HandlerObject;
}

/** A connection past any contract: paths and payloads as they are. It comes from the pool. */
export class GGSocket extends Connection {
  readonly #handlers = new Map<string, RawHandler>();
  #onUnknown: ((path: string, data: unknown) => void) | undefined;
  readonly #teardownCallbacks: (() => Promise<void>)[] = [];

  /** @internal */
  constructor(transport: Transport, endpoint: SocketEndpoint, context: GGContext) {
    super(new Outbox(transport), endpoint, context, new Handlers());
  }

  /** How many requests wait for their reply. */
  get pendingRequestCount(): number {
    return this.calls.size;
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
    if (!this.isOpen) throw new Error(`Cannot send ${path}: WebSocket is not connected`);
    const outcome = await this.calls.call(compileRawMethod(path, expectsResponse), body, { timeout: timeoutMs });
    return expectsResponse ? outcome : undefined;
  }

  /** Handles a path that no contract describes. A later handler of the same path replaces the earlier one. */
  registerHandler(config: SocketHandlerConfig): void {
    const { path } = config;
    this.#handlers.set(path, {
      method: compileRawMethod(path),
      owner: { [path]: (data) => config.handler(data) },
    });
    this.inbox.deliverSoon();
  }

  /** Takes the handler of a path away. */
  unregisterHandler(path: string): void {
    this.#handlers.delete(path);
  }

  /** Hears of messages that nothing handles. */
  setUnknownMessageHandler(handler: (path: string, data: unknown) => void): void {
    this.#onUnknown = handler;
    this.inbox.deliverSoon();
  }

  /** Hears of errors that belong to no call: of the line, and of messages that failed. */
  onError(callback: (error: Error) => void): this {
    this.errorCallbacks.push(callback);
    return this;
  }

  /** Awaited by `teardown()`, once calls and handlers are done and before the line is closed. */
  onTearDown(callback: () => Promise<void>): this {
    this.#teardownCallbacks.push(callback);
    return this;
  }

  /** Waits for what is in flight and for the `onTearDown` callbacks, each for so many ms at most, then closes. */
  async teardown(pendingMs = FINISH_WAIT, callbacksMs = FINISH_WAIT, code?: number, reason?: string): Promise<void> {
    await this.idle(pendingMs);
    const callbacks = this.#teardownCallbacks.map((callback) => guarded(this.endpoint, callback));
    if (callbacks.length > 0) await atMost(callbacksMs, (done) => void Promise.all(callbacks).then(done));
    this.close(code, reason);
  }

  /** Closes at once: pending calls settle with a `SERVER_ERROR`. */
  override close(code?: number, reason = ""): void {
    super.close(code, clampCloseReason(reason));
  }

  /** @internal */
  override receiveUnknown(frame: Frame): void {
    const { type, path, payload } = frame;
    const raw = this.#handlers.get(path);
    if (raw) this.inbox.handle(raw.method, frame, raw.owner);
    else if (type === FrameType.REQUEST || !this.#onUnknown) super.receiveUnknown(frame);
    else {
      try {
        this.#onUnknown(path, compileRawMethod(path).readInput(payload, this.endpoint.isTooDeep));
      } catch (thrown) {
        this.onFailed(thrownError(thrown));
      }
    }
  }
}
