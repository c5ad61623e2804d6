import { type Frame, FrameType } from "../protocol/frame.js";
import type { CompiledMethod } from "./compiledMethod.js";
import type { Connection } from "./connection.js";
import { after } from "./deadlines.js";
import type { Gate } from "./endpoint.js";
import type { HandlerObject, Handlers } from "./handlers.js";
import { IncomingMessage } from "./incomingMessage.js";
import { serverError } from "./outcome.js";

/** What waits for the first handlers, in messages and in characters of their payloads; at so much the line is paused. */
const MAX_HELD = 256;
const MAX_HELD_SIZE = 1024 * 1024;

/** How long messages still wait for handlers once nobody is busy preparing them, in ms. */
const HANDLER_GRACE = 1_000;

/**
 * What arrives for one connection's handlers, handed to them in its order. Messages that come before any handler was
 * given wait.
 */
export class Inbox {
  /** Without one, everything is handled. */
  gate: Gate | undefined;
  /** How many handlers are at work. */
  running = 0;
  /** How many of them on requests. */
  requests = 0;
  readonly #connection: Connection;
  readonly #handlers: Handlers;
  /** Waiting messages; `undefined` once messages are handled as they come. */
  #held: Frame[] | undefined = [];
  #heldSize = 0;
  /** What to call when nobody waits for a message's handler any more, where that was asked for. */
  #watched: Map<IncomingMessage, () => void> | undefined;
  /** Requests at work that the peer has given up. */
  #cancelled: Set<string> | undefined;
  #cancelGrace: (() => void) | undefined;

  constructor(connection: Connection, handlers: Handlers) {
    this.#connection = connection;
    this.#handlers = handlers;
  }

  /** Handlers are there. They may be set in several statements; what waits is delivered when the last is through. */
  deliverSoon(): void {
    if (this.#held) queueMicrotask(() => this.#deliver());
  }

  /** Whoever was to give handlers is done. Without any, messages wait a moment longer, and are then answered without. */
  expectNoMoreHandlers(): void {
    if (!this.#handlers.isEmpty) this.deliverSoon();
    else if (this.#held) this.#cancelGrace ??= after(HANDLER_GRACE, () => this.#deliver());
  }

  /** The line is gone: what waits will not be handled, and nobody waits for what is at work. */
  stop(): void {
    this.#holdNoMore();
    for (const abort of this.#watched?.values() ?? []) abort();
  }

  /** The peer has given up a request. */
  cancel(id: string): void {
    for (const [message, abort] of this.#watched ?? []) if (message.id === id) abort();
    // Its handler may ask later. It is the peer who names them, so there cannot be more than are at work.
    this.#cancelled ??= new Set();
    if (this.#cancelled.size < this.requests) this.#cancelled.add(id);
  }

  /** Calls back when nobody waits for what a message's handler does any more: at once when it is so already. */
  watch(message: IncomingMessage, abort: () => void): void {
    if (!this.#connection.isOpen || (message.id !== undefined && this.#cancelled?.has(message.id))) return abort();
    this.#watched ??= new Map();
    this.#watched.set(message, abort);
  }

  /** A handler works on, beyond this moment. */
  started(message: IncomingMessage): void {
    this.running++;
    if (message.isRequest) this.requests++;
  }

  /** It is done. */
  ended(message: IncomingMessage): void {
    this.running--;
    if (message.isRequest) this.requests--;
    this.#watched?.delete(message);
    if (message.id !== undefined) this.#cancelled?.delete(message.id);
    this.#connection.checkIdle();
  }

  /** Takes a message or a request. Who may not call a method is told so before anything of the payload is read. */
  receive(frame: Frame): void {
    const method = this.#connection.endpoint.table.get(frame.path);
    const refusal = this.gate?.refusal(method, frame.type === FrameType.REQUEST);
    if (refusal) new IncomingMessage(this.#connection, frame, method).fail(refusal.error, refusal.result);
    else if (this.#held) {
      this.#heldSize += frame.payload.length;
      if (this.#held.push(frame) >= MAX_HELD || this.#heldSize >= MAX_HELD_SIZE) {
        this.#connection.outbox.transport.pause?.();
      }
    } else this.#dispatch(frame, method);
  }

  /** Hands a message to the object that has its handler. */
  handle(method: CompiledMethod, frame: Frame, owner: HandlerObject | undefined): void {
    const message = new IncomingMessage(this.#connection, frame, method);
    if (owner) message.handle(method, owner);
    else message.fail(serverError(`${method.path} has no handler: give one to incoming.on()`));
  }

  #dispatch(frame: Frame, method = this.#connection.endpoint.table.get(frame.path)): void {
    if (method) this.handle(method, frame, this.#handlers.ownerOf(method));
    else this.#connection.receiveUnknown(frame);
  }

  #holdNoMore(): void {
    this.#cancelGrace?.();
    this.#held = undefined;
  }

  #deliver(): void {
    const held = this.#held;
    if (!held) return;
    this.#holdNoMore();
    const { endpoint, outbox } = this.#connection;
    outbox.transport.resume?.();
    endpoint.scope(() => {
      for (const frame of held) this.#dispatch(frame);
    });
  }
}
