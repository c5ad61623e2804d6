import { GGContext, type GGContextKey } from "@grest-ts/context";
import { SERVER_ERROR } from "@grest-ts/schema";
import { GG_WS_MESSAGE, type GGWebSocketMessage } from "../contract/contextKeys.js";
import { type Frame, FrameType } from "../protocol/frame.js";
import type { CompiledMethod } from "./compiledMethod.js";
import type { Connection } from "./connection.js";
import type { HandlerObject } from "./handlers.js";
import { type AnyError, errorPayload, isOutcome, thrownError } from "./outcome.js";

/** What a handler sees of its message. */
class MessageView implements GGWebSocketMessage {
  readonly path: string;
  readonly #message: IncomingMessage;
  #controller: AbortController | undefined;

  constructor(path: string, message: IncomingMessage) {
    this.path = path;
    this.#message = message;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      this.#message.whenUnwanted(() => this.#controller?.abort());
    }
    return this.#controller.signal;
  }
}

/**
 * One message on its way: parsing, validation, handler, validation, reply. It ends once, by `#succeed` or `fail`. It is
 * its handler's context too, since there is one of either for every message.
 */
export class IncomingMessage extends GGContext {
  readonly #connection: Connection;
  readonly #frame: Frame;
  readonly #method: CompiledMethod | undefined;
  #startedAt: number | undefined;
  /** Made when a handler asks for it; most never do. */
  #view: MessageView | undefined;

  constructor(connection: Connection, frame: Frame, method?: CompiledMethod) {
    super("ws-message", connection.context);
    this.#connection = connection;
    this.#frame = frame;
    this.#method = method;
  }

  override get<T>(key: GGContextKey<T>): T | undefined {
    if ((key as unknown) !== GG_WS_MESSAGE) return super.get(key);
    this.#view ??= new MessageView(this.#frame.path, this);
    return this.#view as T;
  }

  /** What a request is known by. */
  get id(): string | undefined {
    return this.isRequest ? this.#frame.id : undefined;
  }

  get isRequest(): boolean {
    return this.#frame.type === FrameType.REQUEST;
  }

  /** Runs the callback when nobody waits for the handler any more. */
  whenUnwanted(callback: () => void): void {
    this.#connection.inbox.watch(this, callback);
  }

  /** Runs the handler in the message's own context. */
  handle(method: CompiledMethod, owner: HandlerObject): void {
    this.#startedAt = performance.now();
    this.run(() => this.#call(method, owner));
  }

  /** Ends the message with an error: counted, and answered or reported. `result` is what the metrics say. */
  fail(error: AnyError, result: string = error.type): void {
    this.#count(result);
    if (this.isRequest) return this.#reply(errorPayload(error));
    // A limit has its own words, and says them once for a connection.
    if (result !== error.type) return;
    const { logger } = this.#connection.endpoint;
    logger.warn(`${this.#frame.path}: a message ended with ${result}`, { ref: error.context?.ref });
    this.#connection.onFailed(error);
  }

  #call(method: CompiledMethod, owner: HandlerObject): void {
    const { endpoint, inbox } = this.#connection;
    let data: unknown;
    try {
      data = method.readInput(this.#frame.payload, endpoint.maxDepth);
    } catch (thrown) {
      // Of messages every failure is logged.
      if (this.isRequest) inbox.gate?.invalid(method, this.#frame.payload);
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
      this.#connection.endpoint.logger.error(`${this.#frame.path}: the handler failed`, {
        ref: shown.context?.ref,
        error: original,
      });
    }
    this.fail(shown);
  }

  #reply(payload: string): void {
    this.#connection.reply(`${FrameType.REPLY}:${this.#frame.path}:${this.#frame.id}:${payload}`);
  }

  #count(result: string): void {
    this.#connection.endpoint.metrics?.handled(this.#method?.path ?? "unknown", result, this.#startedAt);
  }
}
