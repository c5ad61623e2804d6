import { GGContext, GGContextStore } from "@grest-ts/context";
import { GG_WS_CONNECTION } from "../../api/contextKeys.js";
import { asFailure } from "../../api/failure.js";
import { INSPECTED } from "../../api/inspect.js";
import type {
  GGSocketConfig,
  GGSocket as RawSocket,
  SocketAdapter,
  SocketHandlerConfig,
  SocketReply,
} from "../../api/rawSocket.js";
import type { Unsubscribe } from "../../api/unsubscribe.js";
import { NO_CAPABILITIES } from "../../protocol/capabilities.js";
import { clampCloseReason } from "../../protocol/closeCodes.js";
import type { Transport } from "../../transport/transport.js";
import { bindMembers } from "../bindMembers.js";
import { Connection, GRACEFUL_CLOSE_TIMEOUT } from "../connection.js";
import { waitAtMost } from "../deadlines.js";
import { type AsyncScope, CALL_TIMEOUT, runCallback, type SocketEndpoint } from "../endpoint.js";
import { frameworkLogger } from "../logger.js";
import { Outbox } from "../outbox.js";
import { takenBackBy } from "../takeBack.js";
import { beginTrace, TracedMessage } from "../trace.js";
import { AdapterTransport } from "./adapterTransport.js";
import { RawHandlers } from "./rawHandlers.js";
import { compileRawMethod } from "./rawMethod.js";
import { type ContextOf, registrantContext } from "./registrantContext.js";

/** A connection together with those of its handlers that no contract describes. */
export class RawConnection {
  readonly connection: Connection;
  readonly handlers: RawHandlers;
  /** Is called when a program has given handlers. */
  readonly handlersGiven: () => void;

  constructor(connection: Connection, handlers: RawHandlers, handlersGiven = () => connection.inbox.deliverSoon()) {
    this.connection = connection;
    this.handlers = handlers;
    this.handlersGiven = handlersGiven;
  }

  /** One without a contract. */
  static open(transport: Transport, endpoint: SocketEndpoint, context: GGContext): RawConnection {
    const handlers = new RawHandlers();
    const connection = new Connection(new Outbox(transport), endpoint, context, handlers, NO_CAPABILITIES, handlers);
    connection.inbox.expectNoMoreHandlers();
    return new RawConnection(connection, handlers);
  }
}

/** A raw socket over a connection that it has to itself, or shares with the contract that is served there. */
class Socket implements RawSocket {
  readonly #connection: Connection;
  readonly #handlers: RawHandlers;
  readonly #handlersGiven: () => void;
  readonly #teardownCallbacks = new Set<() => Promise<void>>();

  constructor(source: SocketAdapter | RawConnection, config: GGSocketConfig = {}) {
    const raw = source instanceof RawConnection ? source : connectionOf(source, config);
    this.#connection = raw.connection;
    this.#handlers = raw.handlers;
    this.#handlersGiven = raw.handlersGiven;
    bindMembers(this);
    Object.defineProperty(this, INSPECTED, { value: raw.connection.outbox.underlyingTransport });
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  get pendingRequestCount(): number {
    return this.#connection.calls.size;
  }

  send(path: string, body: unknown, expectsResponse: true, timeoutMs?: number): Promise<SocketReply>;
  async send(
    path: string,
    body?: unknown,
    expectsResponse = false,
    timeoutMs?: number,
  ): Promise<SocketReply | undefined> {
    if (!this.isOpen) {
      const error = new Error(`Cannot send ${path}: WebSocket is not connected`);
      throw asFailure(error, { reason: "not-connected", wasSent: false });
    }
    const method = compileRawMethod(path, expectsResponse);
    const outcome = await this.#connection.calls.call(method, body, { timeout: timeoutMs });
    return expectsResponse ? outcome : undefined;
  }

  registerHandler(config: SocketHandlerConfig): Unsubscribe {
    const takeBack = this.#handlers.set(config, this.#contextOfCaller());
    this.#handlersGiven();
    return takeBack;
  }

  unregisterHandler(path: string): void {
    this.#handlers.delete(path);
  }

  setUnknownMessageHandler(handler: (path: string, data: unknown) => void): Unsubscribe {
    const takeBack = this.#handlers.setUnknown(handler, this.#contextOfCaller());
    this.#handlersGiven();
    return takeBack;
  }

  onError(callback: (error: Error) => void): Unsubscribe & this {
    const run = this.#callback("onError");
    return this.#listen(this.#handlers.errorCallbacks, (error) => void run(() => callback(error)));
  }

  onTearDown(callback: () => Promise<void>): Unsubscribe & this {
    const run = this.#callback("onTearDown");
    return this.#listen(this.#teardownCallbacks, () => run(callback));
  }

  onClose(callback: (code: number, reason: string) => void): Unsubscribe & this {
    const context = this.#contextOfCaller()(this.#connection.context);
    return takenBackBy(
      this.#connection.onClose((code, reason) => context.run(() => callback(code, reason))),
      this,
    );
  }

  async teardown(
    pendingMs = GRACEFUL_CLOSE_TIMEOUT,
    callbacksMs = GRACEFUL_CLOSE_TIMEOUT,
    code?: number,
    reason?: string,
  ): Promise<void> {
    await this.#connection.idle(pendingMs);
    const callbacks = Array.from(this.#teardownCallbacks, (callback) => callback());
    if (callbacks.length > 0) await waitAtMost(callbacksMs, (done) => void Promise.all(callbacks).then(done));
    const { socketEndpoint: endpoint } = this.#connection;
    this.#close(code, reason, await endpoint.whenSent?.(this.#connection));
  }

  close(code?: number, reason?: string): void {
    this.#close(code, reason);
  }

  terminate(): void {
    this.#connection.terminate();
  }

  closed(): Promise<void> {
    return this.#connection.closed();
  }

  #close(code?: number, reason = "", answerMs?: number): void {
    this.#connection.close(code, clampCloseReason(reason), answerMs);
  }

  #listen<T>(callbacks: Set<T>, callback: T): Unsubscribe & this {
    callbacks.add(callback);
    return takenBackBy(() => callbacks.delete(callback), this);
  }

  #contextOfCaller(): ContextOf {
    return registrantContext(this.#connection.context);
  }

  /** What runs a callback of this name, in the context of the code that registers it. */
  #callback(name: string): (callback: () => unknown) => Promise<void> {
    const { context, namedEndpoint: endpoint } = this.#connection;
    const own = this.#contextOfCaller()(context);
    return (callback) => runCallback(endpoint, own, name, callback);
  }
}

export type GGSocket = RawSocket;

/**
 * Makes a raw socket of an adapter that is open and whose handshake, if it has one, is done. The pool and the server
 * make theirs themselves.
 */
export const GGSocket = Socket as unknown as new (adapter: SocketAdapter, config?: GGSocketConfig) => GGSocket;

/** The raw socket of a connection. */
export function rawSocket(connection: RawConnection): GGSocket {
  return new Socket(connection);
}

function connectionOf(adapter: SocketAdapter, config: GGSocketConfig): RawConnection {
  const { apiName = "GGSocket", socketPath: path = "", connectionContext } = config;
  const context = connectionContext ?? new GGContext("ws-connection", GGContextStore.tryGetContext());
  if (context !== connectionContext) {
    context.set(GG_WS_CONNECTION, { path });
    beginTrace(context);
  }
  const asyncScope: AsyncScope = (fn, ...args) => fn(...args);
  const endpoint: SocketEndpoint = {
    apiName,
    methodTable: new Map(),
    logger: frameworkLogger(apiName, asyncScope),
    timeout: CALL_TIMEOUT,
    Message: TracedMessage,
    asyncScope,
  };
  return RawConnection.open(new AdapterTransport(adapter), endpoint, context);
}
