import { GGContext, type GGContextKey } from "@grest-ts/context";
import { SERVER_ERROR } from "@grest-ts/schema";
import { GG_WS_MESSAGE, type GGWebSocketMessage } from "../api/contextKeys.js";
import { type Frame, FrameType, sizedFrame } from "../protocol/frame.js";
import type { Connection } from "./connection.js";
import type { CompiledMethod } from "./methods/compiledMethod.js";
import type { HandlerObject } from "./methods/handlers.js";
import {
  type AnyError,
  errorFrame,
  isOutcome,
  isThenable,
  logMisfit,
  returnedError,
  thrownError,
} from "./methods/outcome.js";

/**
 * One received message: parsing, validation, handler, validation, reply. It ends once, by `#succeed` or `fail`. It is
 * also its handler's context, which saves an object per message.
 */
export class IncomingMessage extends GGContext {
  /** @internal Its index in the inbox's `running`. */
  runningIndex = 0;
  /** What it arrived on. */
  readonly ofConnection: Connection;
  readonly #frame: Frame;
  protected readonly method: CompiledMethod | undefined;
  /** What `GG_WS_MESSAGE` returns. Created lazily, as is the signal: most handlers use neither. */
  #view: GGWebSocketMessage | undefined;
  #controller: AbortController | undefined;
  #isUnwanted = false;

  constructor(connection: Connection, frame: Frame, method?: CompiledMethod) {
    super("ws-message", connection.context);
    this.ofConnection = connection;
    this.#frame = frame;
    this.method = method;
  }

  override get<T>(key: GGContextKey<T>): T {
    return key.name === GG_WS_MESSAGE.name ? (this.#shown as T) : super.get(key);
  }

  override has<T>(key: GGContextKey<T>): boolean {
    return key.name === GG_WS_MESSAGE.name || super.has(key);
  }

  get #shown(): GGWebSocketMessage {
    const message = this;
    this.#view ??= {
      path: this.#frame.path,
      get signal() {
        message.#controller ??= new AbortController();
        if (message.#isUnwanted) message.abort();
        return message.#controller.signal;
      },
    };
    return this.#view;
  }

  get isRequest(): boolean {
    return this.#frame.type === FrameType.REQUEST;
  }

  /** Whether it is the request of this id. */
  isNamed(id: string): boolean {
    return this.isRequest && this.#frame.id === id;
  }

  /** The handler's result is no longer needed. */
  abort(): void {
    this.#isUnwanted = true;
    this.#controller?.abort();
  }

  /** Runs the handler in the message's own context. */
  handle(method: CompiledMethod, owner: HandlerObject): void {
    this.run(() => this.#call(method, owner));
  }

  /** Ends the message with an error: counted, and answered or reported. `result` is what the metrics say. */
  fail(error: AnyError, result: string = error.type): void {
    if (this.isRequest) return this.#refuse(error, result);
    this.count(result);
    // A limit logs its own warning, once per connection.
    if (result !== error.type) return;
    const { namedEndpoint: endpoint } = this.ofConnection;
    const text = `${this.method?.path ?? endpoint.apiName}: a message ended with ${result}`;
    if (this.#isUnwanted) return endpoint.logger.debug(text, { ref: error.context?.ref });
    logMisfit(endpoint, text, error);
    if (this.method) this.ofConnection.onFailed(error);
  }

  #refuse(error: AnyError, result: string): void {
    let counted = result;
    const report = (cause: unknown) => {
      counted = "SERVER_ERROR";
      this.#log("its error cannot be sent", error, error, cause);
    };
    // Only a limit has a result of its own.
    const frame = errorFrame(this.#replyPrefix, error, report, result === error.type ? undefined : "limit");
    this.count(counted);
    this.ofConnection.sendIfOpen(frame);
  }

  #call(method: CompiledMethod, owner: HandlerObject): void {
    const { socketEndpoint: endpoint, inbox } = this.ofConnection;
    let data: unknown;
    try {
      data = method.readInput(this.#frame.payload, endpoint.parseLimited);
    } catch (thrown) {
      const error = thrownError(thrown);
      // A validator of the program has failed.
      return error === thrown ? this.fail(error) : this.#handlerFailed(method, thrown);
    }
    try {
      const result = owner[method.name]?.(data);
      if (!isThenable(result)) return this.#succeed(method, result);
      inbox.handlerStarted(this);
      // A custom thenable might call back twice; a promise does not.
      Promise.resolve(result).then(
        (value) => {
          this.#succeed(method, value);
          inbox.handlerEnded(this);
        },
        (thrown) => {
          this.#handlerFailed(method, thrown);
          inbox.handlerEnded(this);
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
        if (!result.success) return this.#handlerFailed(method, result, returnedError(result, method.errors));
        value = result.data;
      }
      const payload = method.writeResult(value);
      if (this.isRequest) this.ofConnection.sendIfOpen(sizedFrame(this.#replyPrefix, payload));
    } catch (thrown) {
      return this.#handlerFailed(method, thrown);
    }
    this.count("OK");
  }

  /** Answers with the public part of a failure; the original of any other is logged, under the same reference. */
  #handlerFailed({ errors }: CompiledMethod, original: unknown, error = thrownError(original)): void {
    const isPublic = error.type === "SERVER_ERROR" || !errors || errors.some(({ TYPE }) => TYPE === error.type);
    const shown = isPublic ? error : new SERVER_ERROR({ originalError: error });
    const what = isPublic ? "the handler failed" : `the handler failed, and ${error.type} is not among its errors`;
    if (!isPublic || error.hasDebugContext()) this.#log(what, shown, original, error);
    this.fail(shown);
  }

  /** Logs a failure under its reference, with what is known of its cause. A failure after the caller has gone is no defect. */
  #log(what: string, { context }: AnyError, original: unknown, cause: unknown): void {
    const known = thrownError(cause).getDebugContext();
    const { apiName, logger } = this.ofConnection.namedEndpoint;
    // Not the path of the frame, which is the peer's text.
    logger[this.#isUnwanted ? "debug" : "error"](`${this.method?.path ?? apiName}: ${what}`, {
      ref: context?.ref,
      error: (cause === original && known?.originalError) || original,
      ...(known?.debugMessage && { debugMessage: known.debugMessage }),
    });
  }

  get #replyPrefix(): string {
    return `${FrameType.REPLY}:${this.#frame.path}:${this.#frame.id}:`;
  }

  /** Counts it, under what the metrics say of its end; a client counts nothing. */
  protected count(_result: string): void {}
}
