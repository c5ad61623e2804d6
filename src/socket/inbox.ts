import type { Frame } from "../protocol/frame.js";
import type { CompiledMethod } from "./compiledMethod.js";
import type { Connection } from "./connection.js";
import { after } from "./deadlines.js";
import type { Scopes } from "./endpoint.js";
import type { HandlerObject, Handlers } from "./handlers.js";
import { IncomingMessage } from "./incomingMessage.js";
import { serverError } from "./outcome.js";

/** Messages that wait for the first handlers; at so many the line is paused. */
const MAX_HELD = 256;

/** How long messages still wait for handlers once nobody is busy preparing them, in ms. */
const HANDLER_GRACE = 1_000;

/**
 * What arrives for one connection's handlers, handed to them in its order. Messages that come before any handler was
 * given wait.
 */
export class Inbox {
  /** What the connection may do. */
  scopes: Scopes;
  /** How many handlers are at work. */
  running = 0;
  readonly #connection: Connection;
  readonly #handlers: Handlers;
  /** Waiting messages; `undefined` once messages are handled as they come. */
  #held: Frame[] | undefined = [];
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

  /** The line is gone: what waits will not be handled. */
  stop(): void {
    this.#cancelGrace?.();
    this.#held = undefined;
  }

  /** Takes a message or a request. Who may not call a method is told so before anything of the payload is read. */
  receive(frame: Frame): void {
    const { endpoint, outbox } = this.#connection;
    const method = endpoint.table.get(frame.path);
    const refusal = method && endpoint.authorize?.(method, this.scopes);
    if (refusal) new IncomingMessage(this.#connection, method, frame).fail(refusal);
    else if (this.#held) {
      if (this.#held.push(frame) === MAX_HELD) outbox.transport.pause?.();
    } else if (method) this.handle(method, frame, this.#handlers.ownerOf(method.name));
    else this.#connection.receiveUnknown(frame);
  }

  /** Hands a message to the object that has its handler. */
  handle(method: CompiledMethod, frame: Frame, owner: HandlerObject | undefined): void {
    const message = new IncomingMessage(this.#connection, method, frame);
    if (owner) message.handle(owner);
    else message.fail(serverError(`${method.path} has no handler: give one to incoming.on()`));
  }

  #deliver(): void {
    const held = this.#held;
    if (!held) return;
    this.stop();
    if (held.length >= MAX_HELD) this.#connection.outbox.transport.resume?.();
    for (const frame of held) this.receive(frame);
  }
}
