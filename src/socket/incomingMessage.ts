import { GGContext } from "@grest-ts/context";
import { SERVER_ERROR } from "@grest-ts/schema";
import { GG_WS_MESSAGE } from "../contract/contextKeys.js";
import { type Frame, FrameType } from "../protocol/frame.js";
import type { CompiledMethod } from "./compiledMethod.js";
import type { SocketEndpoint } from "./endpoint.js";
import type { HandlerObject } from "./handlers.js";
import { type AnyError, errorPayload, isOutcome, thrownError } from "./outcome.js";

/** What a message needs of the socket that it came through. */
export interface MessageOrigin {
  /** The connection's context; every message gets a child of it. */
  readonly context: GGContext;
  /** Sends a frame back. */
  reply(frame: string): void;
  /** Tells the socket's `onError` of a failure that no reply tells the peer. */
  report(error: Error): void;
}

/** One message on its way: parsing, validation, handler, validation, reply. It ends exactly once, by `#succeed` or `fail`. */
export class IncomingMessage {
  readonly #endpoint: SocketEndpoint;
  readonly #origin: MessageOrigin;
  readonly #method: CompiledMethod;
  readonly #frame: Frame;
  #startedAt: number | undefined;

  constructor(endpoint: SocketEndpoint, origin: MessageOrigin, method: CompiledMethod, frame: Frame) {
    this.#endpoint = endpoint;
    this.#origin = origin;
    this.#method = method;
    this.#frame = frame;
  }

  /** Runs the handler in the message's own context. Returns a promise when the handler takes its time; it never rejects. */
  handle(owner: HandlerObject): PromiseLike<void> | undefined {
    this.#startedAt = performance.now();
    const context = new GGContext("ws-message", this.#origin.context).set(GG_WS_MESSAGE, this.#method.message);
    return this.#endpoint.scope(() => context.run(() => this.#call(owner)));
  }

  /** Ends the message with an error: counted, and answered or reported. */
  fail(error: AnyError): void {
    this.#count(error.type);
    if (this.#frame.type === FrameType.REQUEST) return this.#reply(errorPayload(error));
    this.#endpoint.logger.warn(`${this.#method.path}: a message ended with ${error.type}`, { ref: error.context?.ref });
    this.#origin.report(error);
  }

  #call(owner: HandlerObject): PromiseLike<void> | undefined {
    let data: unknown;
    try {
      data = this.#method.readInput(this.#frame.payload);
    } catch (thrown) {
      this.fail(thrownError(thrown));
      return undefined;
    }
    let result: unknown;
    try {
      result = owner[this.#method.name]?.(data);
    } catch (thrown) {
      this.fail(this.#handlerError(thrown));
      return undefined;
    }
    if (isPromise(result)) {
      return result.then(
        (value) => this.#succeed(value),
        (thrown) => this.fail(this.#handlerError(thrown)),
      );
    }
    this.#succeed(result);
    return undefined;
  }

  #succeed(result: unknown): void {
    try {
      const value = resultValue(result);
      if (this.#frame.type === FrameType.REQUEST) this.#reply(this.#method.writeResult(value));
    } catch (thrown) {
      return this.fail(this.#handlerError(thrown));
    }
    this.#count("OK");
  }

  #reply(payload: string): void {
    this.#origin.reply(`${this.#method.replyPrefix}${this.#frame.id}:${payload}`);
  }

  #count(result: string): void {
    const duration = this.#startedAt === undefined ? undefined : performance.now() - this.#startedAt;
    this.#endpoint.metrics?.handled(this.#method.path, result, duration);
  }

  /** What the peer may know of a handler's failure; the original of anything else is logged under the reference it gets. */
  #handlerError(thrown: unknown): AnyError {
    const { errors, path } = this.#method;
    const error = thrownError(thrown, errors);
    const isPublic = error.type === "SERVER_ERROR" || !errors || errors.some((known) => known.TYPE === error.type);
    const shown = isPublic ? error : new SERVER_ERROR({ originalError: error });
    if (!isPublic || error.hasDebugContext()) {
      this.#endpoint.logger.error(`${path}: the handler failed`, {
        ref: shown.context?.ref,
        error: originalOf(thrown),
      });
    }
    return shown;
  }
}

/** What a handler gave: its result, or what an outcome that it passed on holds. Throws when that is an error. */
function resultValue(result: unknown): unknown {
  if (!isOutcome(result)) return result;
  if (result.success) return result.data;
  throw result;
}

/** What a log should show: the error behind a `SERVER_ERROR` that only wraps it. */
function originalOf(thrown: unknown): unknown {
  return (thrown instanceof SERVER_ERROR && thrown.getDebugContext()?.originalError) || thrown;
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
