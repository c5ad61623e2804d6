import { ROUTE_NOT_FOUND } from "@grest-ts/schema";
import { type Frame, FrameType } from "../protocol/frame.js";
import type { Connection } from "./connection.js";
import { setDeadline } from "./deadlines.js";
import { IncomingMessage } from "./incomingMessage.js";
import type { CompiledMethod } from "./methods/compiledMethod.js";
import type { HandlerObject, Handlers } from "./methods/handlers.js";
import { serverError } from "./methods/outcome.js";

/** How long messages wait for handlers when no more are expected, in ms. */
export const HANDLER_GRACE = 1_000;

/** How many messages wait for handlers at most, where reading cannot pause. */
const MAX_HELD = 10_000;

/**
 * What arrives for one connection's handlers, handed to them in its order. Messages that come before any handler was
 * given wait.
 */
export class Inbox {
  /** Messages whose handlers are running. */
  readonly running: IncomingMessage[] = [];
  protected readonly ofConnection: Connection;
  /** The type of frames without a path that are handed over with the messages, in their turn; usually none. */
  declare readonly otherType?: FrameType | false;
  readonly #handlers: Handlers;
  /** Waiting messages; `undefined` once messages are handled as they come. */
  protected held: Frame[] | undefined = [];
  #cancelGrace: (() => void) | undefined;
  /** Whether what waits is handed over in a promise job of this tick. */
  #isDue = false;

  constructor(connection: Connection, handlers: Handlers) {
    this.ofConnection = connection;
    this.#handlers = handlers;
  }

  /** Handlers were added. They may be set in several statements; what waits is delivered after the last one. */
  deliverSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => this.#deliver());
  }

  /**
   * No more handlers are expected. Without any, messages wait for `HANDLER_GRACE`, and are then answered with errors.
   */
  expectNoMoreHandlers(): void {
    if (!this.#handlers.isEmpty) this.deliverSoon();
    else if (this.held) this.#cancelGrace ??= setDeadline(HANDLER_GRACE, () => this.#deliver());
  }

  /** Connection closed: drops queued messages, aborts running handlers. */
  shutDown(): void {
    this.#holdNoMore();
    for (const message of this.running) message.abort();
  }

  /** The peer has cancelled a request. */
  abortRequest(id: string): void {
    this.running.find((message) => message.isNamed(id))?.abort();
  }

  /** An asynchronous handler has started. */
  handlerStarted(message: IncomingMessage): void {
    message.runningIndex = this.running.push(message) - 1;
  }

  /** An asynchronous handler has ended. */
  handlerEnded(message: IncomingMessage): void {
    // The last one takes its place: removal in constant time.
    const last = this.running.pop() as IncomingMessage;
    if (last !== message) {
      this.running[message.runningIndex] = last;
      last.runningIndex = message.runningIndex;
    }
    this.ofConnection.checkIdle();
  }

  /** Takes a message or a request. */
  receive(frame: Frame, wasHeld?: boolean): void {
    const method = this.ofConnection.socketEndpoint.methodTable.get(frame.path);
    if (!this.admits(frame, method, wasHeld)) return;
    if (this.held && !this.#isOwed(frame)) this.#hold(this.held, frame, method);
    else this.dispatch(frame, method);
  }

  /** Whether a message may be handled; answers one that may not. */
  protected admits(_frame: Frame, _method?: CompiledMethod, _wasHeld?: boolean): boolean {
    return true;
  }

  /** This end awaits a reply, which may depend on an answer: nothing that waits for handlers may delay either. */
  expectReply(): void {
    const held = this.held;
    if (!held?.length) return;
    const owed: Frame[] = [];
    this.held = held.filter((frame) => !this.#isOwed(frame) || !owed.push(frame));
    queueMicrotask(() => this.receiveHeld(owed));
  }

  /** Hands a message to the object that has its handler. */
  handle(method: CompiledMethod, frame: Frame, owner: HandlerObject | undefined): void {
    const message = this.message(frame, method);
    if (owner) message.handle(method, owner);
    // A message that does not fit is reported, though nothing handles it.
    else if (!message.isRequest && !method.hasReply && !this.ofConnection.socketEndpoint.mustHandleAll)
      message.handle(method, Object.create(null));
    else message.fail(serverError(`${method.path} has no handler: give one to incoming.on()`));
  }

  /** Whether a request is handled ahead of what waits: its handler is there, and this end awaits a reply. */
  #isOwed({ type, path }: Frame): boolean {
    const { calls, socketEndpoint: endpoint } = this.ofConnection;
    const method = endpoint.methodTable.get(path);
    return !this.#isDue && type === FrameType.REQUEST && calls.size > 0 && !!method && !!this.#handlers.ownerOf(method);
  }

  #hold(held: Frame[], frame: Frame, method: CompiledMethod | undefined): void {
    const { namedEndpoint: endpoint } = this.ofConnection;
    if (frame.path && !this.hasRoom(held, frame)) {
      const text = `${endpoint.apiName}: too many messages wait for handlers`;
      const error = serverError(text, "limit");
      endpoint.logger.warn(text);
      return this.message(frame, method).fail(error, "TOO_MANY_REQUESTS");
    }
    held.push(frame);
  }

  /** Whether another message may wait. */
  protected hasRoom(held: readonly Frame[], _another: Frame): boolean {
    return held.length < MAX_HELD;
  }

  /** Hands a message over in its turn. */
  protected dispatch(frame: Frame, method: CompiledMethod | undefined): void {
    if (method) this.handle(method, frame, this.#handlers.ownerOf(method));
    else if (!this.#handlers.takeUncontracted?.(frame, this.ofConnection)) {
      this.message(frame).fail(new ROUTE_NOT_FOUND({ displayMessage: `Route not found: ${frame.path.slice(0, 200)}` }));
    }
  }

  /** What a frame is at this end. */
  protected message(frame: Frame, method?: CompiledMethod): IncomingMessage {
    return new (this.ofConnection.socketEndpoint.Message ?? IncomingMessage)(this.ofConnection, frame, method);
  }

  #holdNoMore(): void {
    this.#cancelGrace?.();
    this.held = undefined;
  }

  #deliver(): void {
    const held = this.held;
    if (!held) return;
    this.#holdNoMore();
    this.receiveHeld(held);
  }

  /** Hands over what has waited. */
  protected receiveHeld(held: readonly Frame[]): void {
    this.ofConnection.socketEndpoint.asyncScope(() => {
      for (const frame of held) if (this.ofConnection.isOpen) this.receive(frame, true);
    });
  }
}
