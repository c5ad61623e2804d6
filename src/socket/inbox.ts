import { GGContext } from "@grest-ts/context";
import { type ERROR_JSON, type OK, ROUTE_NOT_FOUND, SERVER_ERROR } from "@grest-ts/schema";
import { GG_WS_MESSAGE } from "../contract/contextKeys.js";
import { type Frame, FrameType } from "../protocol/frame.js";
import { type CompiledMethod, compileRawMethod } from "./compiledMethod.js";
import { after } from "./deadlines.js";
import type { Scopes, SocketEndpoint } from "./endpoint.js";
import { type HandlerObject, Handlers } from "./handlers.js";
import { type AnyError, errorJson, isOutcome, serverError, thrownError } from "./outcome.js";

/** Messages that wait for the first handlers; more than this and the line is paused. */
const MAX_HELD = 256;

/** How long messages still wait once nobody is busy preparing handlers, in ms. */
const HANDLER_GRACE = 1_000;

const UNKNOWN_PATH = "unknown";

/** What an inbox needs of the socket it belongs to. */
export interface InboxOwner {
  /** The connection's context; every message gets a child of it. */
  readonly context: GGContext;
  reply(message: string): void;
  report(error: Error): void;
  pauseReading(): void;
  resumeReading(): void;
  onIdle(): void;
}

/**
 * What arrives for one connection's handlers: gate, parsing, validation, handler, reply, in this order. Messages that
 * come before any handler was given wait, in their order.
 */
export class Inbox {
  readonly #endpoint: SocketEndpoint;
  readonly #owner: InboxOwner;
  readonly #handlers = new Handlers();
  #raw: Map<string, { readonly method: CompiledMethod; readonly owner: HandlerObject }> | undefined;
  #onUnknown: ((path: string, data: unknown) => void) | undefined;
  /** Waiting messages; `undefined` once messages are delivered as they come. */
  #held: Frame[] | undefined = [];
  #stopGrace: (() => void) | undefined;
  #running = 0;
  /** What the connection may do; set before the first message. */
  scopes: Scopes;

  constructor(endpoint: SocketEndpoint, owner: InboxOwner) {
    this.#endpoint = endpoint;
    this.#owner = owner;
  }

  /** How many handlers are at work. */
  get running(): number {
    return this.#running;
  }

  /** Sets handlers by method name; they replace earlier ones of the same name. */
  on(handlers: object): void {
    this.#handlers.add(handlers);
    this.#deliverSoon();
  }

  /** Sets the handler of a path outside the contract. */
  onPath(path: string, handler: (data: unknown) => unknown): void {
    this.#raw ??= new Map();
    this.#raw.set(path, { method: compileRawMethod(path), owner: { [path]: handler } });
    this.#deliverSoon();
  }

  /** Takes the handler of a path away again. */
  offPath(path: string): void {
    this.#raw?.delete(path);
  }

  /** Sets who hears of messages that nobody handles. */
  onUnknown(handler: (path: string, data: unknown) => void): void {
    this.#onUnknown = handler;
    this.#deliverSoon();
  }

  /** Whoever was to give handlers is done: messages wait a moment longer and are then answered without. */
  expectHandlersSoon(): void {
    if (this.#held && !this.#stopGrace) this.#stopGrace = after(HANDLER_GRACE, () => this.#deliver());
  }

  /** The line is gone: what waits will not be handled. */
  stop(): void {
    this.#stopGrace?.();
    this.#held = undefined;
  }

  /** Takes a message or a request. */
  receive(frame: Frame): void {
    const method = this.#endpoint.table.get(frame.path);
    const refusal = method && this.#endpoint.authorize?.(method, this.scopes);
    if (refusal) this.#fail(method, frame, refusal);
    else if (this.#held) this.#hold(frame);
    else if (method) this.#run(method, frame, this.#handlers.ownerOf(method.name));
    else this.#receiveRaw(frame);
  }

  #hold(frame: Frame): void {
    this.#held?.push(frame);
    if (this.#held?.length === MAX_HELD) this.#owner.pauseReading();
  }

  /** Handlers are set one statement after another; what waits is delivered when the last of them is there. */
  #deliverSoon(): void {
    if (this.#held) queueMicrotask(() => this.#deliver());
  }

  #deliver(): void {
    const held = this.#held;
    if (!held) return;
    this.stop();
    if (held.length >= MAX_HELD) this.#owner.resumeReading();
    for (const frame of held) this.receive(frame);
  }

  #receiveRaw(frame: Frame): void {
    const raw = this.#raw?.get(frame.path);
    if (raw) {
      this.#run(raw.method, frame, raw.owner);
      return;
    }
    this.#endpoint.metrics?.handled(UNKNOWN_PATH, "ROUTE_NOT_FOUND");
    if (frame.type === FrameType.REQUEST) {
      const error = new ROUTE_NOT_FOUND({ displayMessage: `Route not found: ${frame.path}` });
      return this.#reply(compileRawMethod(frame.path), frame, JSON.stringify(errorJson(error)));
    }
    if (!this.#onUnknown) {
      this.#endpoint.logger.warn(`${this.#endpoint.apiName}: a message for an unknown method was ignored`);
      return;
    }
    try {
      this.#onUnknown(frame.path, compileRawMethod(frame.path).readInput(frame.payload));
    } catch (thrown) {
      this.#owner.report(thrownError(thrown));
    }
  }

  #run(method: CompiledMethod, frame: Frame, owner: HandlerObject | undefined): void {
    const startedAt = performance.now();
    if (!owner) {
      return this.#fail(
        method,
        frame,
        serverError(`${method.path} has no handler: give one to incoming.on()`),
        startedAt,
      );
    }
    const context = new GGContext("ws-message", this.#owner.context);
    context.set(GG_WS_MESSAGE, method.message);
    this.#endpoint.scope(() => context.run(() => this.#handle(method, frame, owner, startedAt)));
  }

  #handle(method: CompiledMethod, frame: Frame, owner: HandlerObject, startedAt: number): void {
    let data: unknown;
    try {
      data = method.readInput(frame.payload);
    } catch (thrown) {
      return this.#fail(method, frame, thrownError(thrown), startedAt);
    }
    let result: unknown;
    try {
      result = owner[method.name]?.(data);
    } catch (thrown) {
      return this.#fail(method, frame, this.#handlerError(method, thrown), startedAt);
    }
    if (!isPromise(result)) return this.#finish(method, frame, result, startedAt);
    this.#running++;
    result.then(
      (value) => {
        this.#finish(method, frame, value, startedAt);
        this.#finished();
      },
      (thrown) => {
        this.#fail(method, frame, this.#handlerError(method, thrown), startedAt);
        this.#finished();
      },
    );
  }

  #finished(): void {
    if (--this.#running === 0) this.#owner.onIdle();
  }

  #finish(method: CompiledMethod, frame: Frame, result: unknown, startedAt: number): void {
    try {
      const value = isOutcome(result) ? unwrap(result) : result;
      if (frame.type === FrameType.REQUEST) this.#reply(method, frame, method.writeResult(value));
    } catch (thrown) {
      return this.#fail(method, frame, this.#handlerError(method, thrown), startedAt);
    }
    this.#endpoint.metrics?.handled(method.path, "OK", performance.now() - startedAt);
  }

  /** The one place where a message ends badly: counted, and answered or reported. */
  #fail(method: CompiledMethod, frame: Frame, error: AnyError, startedAt?: number): void {
    const duration = startedAt === undefined ? undefined : performance.now() - startedAt;
    this.#endpoint.metrics?.handled(method.path, error.type, duration);
    if (frame.type === FrameType.REQUEST) return this.#reply(method, frame, JSON.stringify(errorJson(error)));
    this.#endpoint.logger.warn(`${method.path}: a message ended with ${error.type}`, { ref: error.context?.ref });
    this.#owner.report(error);
  }

  #reply(method: CompiledMethod, frame: Frame, payload: string): void {
    this.#owner.reply(`${method.replyPrefix}${frame.id}:${payload}`);
  }

  /** What the peer may know of a handler's failure; the original of anything else is logged under the reference it gets. */
  #handlerError(method: CompiledMethod, thrown: unknown): AnyError {
    const error = thrownError(thrown, method.errors);
    const isPublic =
      error.type === "SERVER_ERROR" || !method.errors || method.errors.some((known) => known.TYPE === error.type);
    const shown = isPublic ? error : new SERVER_ERROR({ originalError: error });
    if (!isPublic || error.hasDebugContext()) {
      this.#endpoint.logger.error(`${method.path}: the handler failed`, {
        ref: shown.context?.ref,
        error: originalOf(thrown),
      });
    }
    return shown;
  }
}

/** The value of a result that is an outcome already; throws when it is an error. */
function unwrap(outcome: OK<unknown> | ERROR_JSON<string, unknown>): unknown {
  if (outcome.success) return outcome.data;
  throw outcome;
}

/** What a log should show: the error behind a `SERVER_ERROR` that only wraps it. */
function originalOf(thrown: unknown): unknown {
  return (thrown instanceof SERVER_ERROR && thrown.getDebugContext()?.originalError) || thrown;
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
