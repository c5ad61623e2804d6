import { GGContext } from "@grest-ts/context";
import { SERVER_ERROR } from "@grest-ts/schema";
import { GG_WS_MESSAGE, type GGWebSocketMessage } from "../contract/contextKeys.js";
import { type Frame, FrameType } from "../protocol/frame.js";
import type { CompiledMethod } from "./compiledMethod.js";
import type { Connection } from "./connection.js";
import type { HandlerObject } from "./handlers.js";
import { type AnyError, errorPayload, isOutcome, thrownError } from "./outcome.js";

/**
 * One message on its way: parsing, validation, handler, validation, reply. It ends once, by `#succeed` or `fail`. To
 * its handler it is the value of `GG_WS_MESSAGE`.
 */
export class IncomingMessage implements GGWebSocketMessage {
  readonly path: string;
  readonly #connection: Connection;
  readonly #frame: Frame;
  readonly #method: CompiledMethod | undefined;
  #startedAt: number | undefined;
  #controller: AbortController | undefined;
  #isAborted = false;

  constructor(connection: Connection, frame: Frame, method?: CompiledMethod) {
    this.path = frame.path;
    this.#connection = connection;
    this.#frame = frame;
    this.#method = method;
  }

  /** Made when a handler asks for it; most never do. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#isAborted) this.#controller.abort();
    return this.#controller.signal;
  }

  get id(): string {
    return this.#frame.id;
  }

  get isRequest(): boolean {
    return this.#frame.type === FrameType.REQUEST;
  }

  /** Tells the handler that nobody waits for it any more. */
  abort(): void {
    this.#isAborted = true;
    this.#controller?.abort();
  }

  /** Runs the handler in the message's own context. */
  handle(method: CompiledMethod, owner: HandlerObject): void {
    this.#startedAt = performance.now();
    const own = new GGContext("ws-message", this.#connection.context).set(GG_WS_MESSAGE, this);
    own.run(() => this.#call(method, owner));
  }

  /** Ends the message with an error: counted, and answered or reported. `result` is what the metrics say. */
  fail(error: AnyError, result: string = error.type): void {
    this.#count(result);
    if (this.isRequest) return this.#reply(errorPayload(error));
    // A limit has its own words, and says them once for a connection.
    if (result !== error.type) return;
    const { logger } = this.#connection.endpoint;
    logger.warn(`${this.path}: a message ended with ${result}`, { ref: error.context?.ref });
    this.#connection.onFailed(error);
  }

  #call(method: CompiledMethod, owner: HandlerObject): void {
    const { endpoint, inbox } = this.#connection;
    let data: unknown;
    try {
      data = method.readInput(this.#frame.payload, endpoint.maxDepth);
    } catch (thrown) {
      return this.fail(thrownError(thrown));
    }
    try {
      const result = owner[method.name]?.(data) as PromiseLike<unknown> | null | undefined;
      if (typeof result?.then !== "function") return this.#succeed(method, result);
      inbox.started(this);
      // By way of a promise: a thenable of the program's own might answer twice.
      Promise.resolve(result).then(
        (value) => {
          this.#succeed(method, value);
          inbox.ended(this);
        },
        (thrown) => {
          this.#handlerFailed(method, thrown);
          inbox.ended(this);
        },
      );
    } catch (thrown) {
      this.#handlerFailed(method, thrown);
    }
  }

  #succeed(method: CompiledMethod, result: unknown): void {
    try {
      let value = result;
      if (isOutcome(result)) {
        if (!result.success) throw result;
        value = result.data;
      }
      const payload = method.writeResult(value);
      if (this.isRequest) this.#reply(payload);
    } catch (thrown) {
      return this.#handlerFailed(method, thrown);
    }
    this.#count("OK");
  }

  /** Shows the peer what it may know of a failure; the original of anything else is logged, under the same reference. */
  #handlerFailed({ errors }: CompiledMethod, thrown: unknown): void {
    const error = thrownError(thrown, errors);
    const isPublic = error.type === "SERVER_ERROR" || !errors || errors.some(({ TYPE }) => TYPE === error.type);
    const shown = isPublic ? error : new SERVER_ERROR({ originalError: error });
    if (!isPublic || !isOutcome(thrown) || error.hasDebugContext()) {
      const original = (thrown instanceof SERVER_ERROR && thrown.getDebugContext()?.originalError) || thrown;
      this.#connection.endpoint.logger.error(`${this.path}: the handler failed`, {
        ref: shown.context?.ref,
        error: original,
      });
    }
    this.fail(shown);
  }

  #reply(payload: string): void {
    this.#connection.reply(`${FrameType.REPLY}:${this.path}:${this.id}:${payload}`);
  }

  #count(result: string): void {
    this.#connection.endpoint.metrics?.handled(this.#method?.path ?? "unknown", result, this.#startedAt);
  }
}
