import { ROUTE_NOT_FOUND } from "@grest-ts/schema";
import { type Frame, FrameType } from "../protocol/frame.js";
import { type CompiledMethod, compileRawMethod } from "./compiledMethod.js";
import { after } from "./deadlines.js";
import type { Scopes, SocketEndpoint } from "./endpoint.js";
import type { HandlerObject, Handlers } from "./handlers.js";
import { IncomingMessage, type MessageOrigin } from "./incomingMessage.js";
import { errorPayload, serverError, thrownError } from "./outcome.js";

/** Messages that wait for the first handlers; at so many the line is paused. */
const MAX_HELD = 256;

/** How long messages still wait for handlers once nobody is busy preparing them, in ms. */
const HANDLER_GRACE = 1_000;

/** The `method` label of what is in no contract. */
const UNKNOWN_METHOD = "unknown";

/** What an inbox needs of the socket that it belongs to. */
export interface InboxOwner extends MessageOrigin {
  pauseReading(): void;
  resumeReading(): void;
  onIdle(): void;
}

interface RawHandler {
  readonly method: CompiledMethod;
  readonly owner: HandlerObject;
}

/**
 * What arrives for one connection's handlers, handed to them in its order. Messages that come before any handler was
 * given wait.
 */
export class Inbox {
  readonly #endpoint: SocketEndpoint;
  readonly #owner: InboxOwner;
  readonly #handlers: Handlers;
  #raw: Map<string, RawHandler> | undefined;
  #onUnknown: ((path: string, data: unknown) => void) | undefined;
  /** Waiting messages; `undefined` once messages are handled as they come. */
  #held: Frame[] | undefined = [];
  #cancelGrace: (() => void) | undefined;
  #running = 0;
  /** What the connection may do. */
  scopes: Scopes;

  constructor(endpoint: SocketEndpoint, owner: InboxOwner, handlers: Handlers) {
    this.#endpoint = endpoint;
    this.#owner = owner;
    this.#handlers = handlers;
  }

  /** How many handlers are at work. */
  get running(): number {
    return this.#running;
  }

  /** Sets handlers by method name; they replace earlier ones of the same name. */
  on(handlers: object): void {
    this.#handlers.add(handlers);
    this.deliverSoon();
  }

  /** Sets the handler of a path outside the contract. */
  onPath(path: string, handler: (data: unknown) => unknown): void {
    this.#raw ??= new Map();
    this.#raw.set(path, { method: compileRawMethod(path), owner: { [path]: handler } });
    this.deliverSoon();
  }

  /** Takes the handler of a path away again. */
  offPath(path: string): void {
    this.#raw?.delete(path);
  }

  /** Sets who hears of messages that nobody handles. */
  onUnknown(handler: (path: string, data: unknown) => void): void {
    this.#onUnknown = handler;
    this.deliverSoon();
  }

  /** Whoever was to give handlers is done: messages wait a moment longer, and are then answered without. */
  expectHandlersSoon(): void {
    if (this.#held && !this.#cancelGrace) this.#cancelGrace = after(HANDLER_GRACE, () => this.#deliver());
  }

  /** The line is gone: what waits will not be handled. */
  stop(): void {
    this.#cancelGrace?.();
    this.#held = undefined;
  }

  /** Takes a message or a request. Who may not call a method is told so before anything of the payload is read. */
  receive(frame: Frame): void {
    const method = this.#endpoint.table.get(frame.path);
    const refusal = method && this.#endpoint.authorize?.(method, this.scopes);
    if (refusal) this.#message(method, frame).fail(refusal);
    else if (this.#held) this.#hold(this.#held, frame);
    else if (method) this.#handle(method, frame, this.#handlers.ownerOf(method.name));
    else this.#receiveRaw(frame);
  }

  #hold(held: Frame[], frame: Frame): void {
    held.push(frame);
    if (held.length === MAX_HELD) this.#owner.pauseReading();
  }

  /** Handlers are there. They may be set in several statements; what waits is delivered when the last is through. */
  deliverSoon(): void {
    if (this.#held) queueMicrotask(() => this.#deliver());
  }

  #deliver(): void {
    const held = this.#held;
    if (!held) return;
    this.stop();
    if (held.length >= MAX_HELD) this.#owner.resumeReading();
    for (const frame of held) this.receive(frame);
  }

  #handle(method: CompiledMethod, frame: Frame, owner: HandlerObject | undefined): void {
    const message = this.#message(method, frame);
    if (!owner) return message.fail(serverError(`${method.path} has no handler: give one to incoming.on()`));
    const finished = message.handle(owner);
    if (!finished) return;
    this.#running++;
    finished.then(() => {
      if (--this.#running === 0) this.#owner.onIdle();
    });
  }

  #receiveRaw(frame: Frame): void {
    const { path } = frame;
    const raw = this.#raw?.get(path);
    if (raw) return this.#handle(raw.method, frame, raw.owner);
    this.#endpoint.metrics?.handled(UNKNOWN_METHOD, "ROUTE_NOT_FOUND");
    const method = compileRawMethod(path);
    if (frame.type === FrameType.REQUEST) {
      const error = new ROUTE_NOT_FOUND({ displayMessage: `Route not found: ${path}` });
      this.#owner.reply(`${method.replyPrefix}${frame.id}:${errorPayload(error)}`);
    } else if (this.#onUnknown) {
      try {
        this.#onUnknown(path, method.readInput(frame.payload));
      } catch (thrown) {
        this.#owner.report(thrownError(thrown));
      }
    } else this.#endpoint.logger.warn(`${this.#endpoint.apiName}: a message for an unknown method was ignored`);
  }

  #message(method: CompiledMethod, frame: Frame): IncomingMessage {
    return new IncomingMessage(this.#endpoint, this.#owner, method, frame);
  }
}
