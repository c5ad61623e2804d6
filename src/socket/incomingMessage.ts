import { GGContext } from "@grest-ts/context";
import { SERVER_ERROR } from "@grest-ts/schema";
import { GG_WS_MESSAGE } from "../contract/contextKeys.js";
import { type Frame, FrameType } from "../protocol/frame.js";
import type { CompiledMethod } from "./compiledMethod.js";
import type { Connection } from "./connection.js";
import type { HandlerObject } from "./handlers.js";
import { type AnyError, errorPayload, isOutcome, thrownError } from "./outcome.js";

/** One message on its way: parsing, validation, handler, validation, reply. It ends once, by `#succeed` or `fail`. */
export class IncomingMessage {
  readonly #connection: Connection;
  readonly #method: CompiledMethod;
  readonly #frame: Frame;
  #startedAt: number | undefined;

  constructor(connection: Connection, method: CompiledMethod, frame: Frame) {
    this.#connection = connection;
    this.#method = method;
    this.#frame = frame;
  }

  /** Runs the handler in the message's own context. */
  handle(owner: HandlerObject): void {
    const { context, endpoint } = this.#connection;
    this.#startedAt = performance.now();
    const own = new GGContext("ws-message", context).set(GG_WS_MESSAGE, this.#method.message);
    endpoint.scope(() => own.run(() => this.#call(owner)));
  }

  /** Ends the message with an error: counted, and answered or reported. */
  fail(error: AnyError): void {
    const { type, context } = error;
    this.#count(type);
    if (this.#isRequest) return this.#reply(errorPayload(error));
    this.#connection.endpoint.logger.warn(`${this.#method.path}: a message ended with ${type}`, { ref: context?.ref });
    this.#connection.onFailed(error);
  }

  #call(owner: HandlerObject): void {
    let data: unknown;
    try {
      data = this.#method.readInput(this.#frame.payload);
    } catch (thrown) {
      return this.fail(thrownError(thrown));
    }
    const { inbox } = this.#connection;
    try {
      const result = owner[this.#method.name]?.(data) as PromiseLike<unknown> | null | undefined;
      if (typeof result?.then !== "function") return this.#succeed(result);
      inbox.running++;
      // By way of a promise: a thenable of the program's own might answer twice.
      Promise.resolve(result).then(
        (value) => {
          inbox.running--;
          this.#succeed(value);
          this.#connection.checkIdle();
        },
        (thrown) => {
          inbox.running--;
          this.#handlerFailed(thrown);
          this.#connection.checkIdle();
        },
      );
    } catch (thrown) {
      this.#handlerFailed(thrown);
    }
  }

  #succeed(result: unknown): void {
    try {
      let value = result;
      if (isOutcome(result)) {
        if (!result.success) throw result;
        value = result.data;
      }
      const payload = this.#method.writeResult(value);
      if (this.#isRequest) this.#reply(payload);
    } catch (thrown) {
      return this.#handlerFailed(thrown);
    }
    this.#count("OK");
  }

  /** Shows the peer what it may know of a failure; the original of anything else is logged, under the same reference. */
  #handlerFailed(thrown: unknown): void {
    const { errors, path } = this.#method;
    const error = thrownError(thrown, errors);
    const isPublic = error.type === "SERVER_ERROR" || !errors || errors.some(({ TYPE }) => TYPE === error.type);
    const shown = isPublic ? error : new SERVER_ERROR({ originalError: error });
    if (!isPublic || !isOutcome(thrown) || error.hasDebugContext()) {
      const original = (thrown instanceof SERVER_ERROR && thrown.getDebugContext()?.originalError) || thrown;
      this.#connection.endpoint.logger.error(`${path}: the handler failed`, {
        ref: shown.context?.ref,
        error: original,
      });
    }
    this.fail(shown);
  }

  get #isRequest(): boolean {
    return this.#frame.type === FrameType.REQUEST;
  }

  #reply(payload: string): void {
    this.#connection.reply(`${this.#method.replyPrefix}${this.#frame.id}:${payload}`);
  }

  #count(result: string): void {
    this.#connection.endpoint.metrics?.handled(this.#method.path, result, this.#startedAt);
  }
}
