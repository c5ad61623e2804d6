import { GGContextStore } from "@grest-ts/context";
import type { GGPromise } from "@grest-ts/schema";
import type { SocketHandlerConfig } from "../../api/rawSocket.js";
import { type Frame, FrameType } from "../../protocol/frame.js";
import type { Connection, ConnectionHooks } from "../connection.js";
import { runCallback } from "../endpoint.js";
import { IncomingMessage } from "../incomingMessage.js";
import type { CompiledMethod } from "../methods/compiledMethod.js";
import { type HandlerObject, Handlers } from "../methods/handlers.js";
import { thrownError } from "../methods/outcome.js";
import { compileRawMethod } from "./rawMethod.js";
import type { ContextOf } from "./registrantContext.js";

interface RawHandler {
  readonly method: CompiledMethod;
  readonly owner: HandlerObject;
}

interface UnknownHandler {
  readonly handle: (path: string, data: unknown) => void;
  readonly contextOf: ContextOf;
}

/** The handlers of a connection that handles more than its contract, if it has one. */
export class RawHandlers extends Handlers implements ConnectionHooks {
  readonly errorCallbacks = new Set<(error: Error) => void>();
  /** Takes messages that nothing else handles. */
  #unknown: UnknownHandler | undefined;
  readonly #byPath = new Map<string, RawHandler>();

  /** See `ConnectionHooks`. */
  onError(error: Error): void {
    for (const callback of this.errorCallbacks) callback(error);
  }

  /**
   * Handles a path, in the context that `contextOf` makes of the message's. Returns what takes it back, unless another
   * has replaced it.
   */
  set(config: SocketHandlerConfig, contextOf: ContextOf): () => void {
    const { path } = config;
    const handle = (data: unknown) => contextOf(GGContextStore.getContext()).run(() => outcomeOf(config.handler(data)));
    const raw: RawHandler = { method: compileRawMethod(path), owner: { [path]: handle } };
    this.#byPath.set(path, raw);
    return () => {
      if (this.#byPath.get(path) === raw) this.#byPath.delete(path);
    };
  }

  /** Handles the messages that nothing else handles. Returns what takes it back, unless another has replaced it. */
  setUnknown(handle: UnknownHandler["handle"], contextOf: ContextOf): () => void {
    const unknown: UnknownHandler = { handle, contextOf };
    this.#unknown = unknown;
    return () => {
      if (this.#unknown === unknown) this.#unknown = undefined;
    };
  }

  delete(path: string): void {
    this.#byPath.delete(path);
  }

  override get isEmpty(): boolean {
    return super.isEmpty && this.#byPath.size === 0 && !this.#unknown;
  }

  override takeUncontracted(frame: Frame, connection: Connection): boolean {
    const { type, path } = frame;
    const raw = this.#byPath.get(path);
    if (raw) connection.inbox.handle(raw.method, frame, raw.owner);
    else if (type === FrameType.REQUEST || !this.#unknown) return false;
    else takeUnknown(frame, this.#unknown, connection);
    return true;
  }
}

function takeUnknown(frame: Frame, { handle, contextOf }: UnknownHandler, connection: Connection): void {
  const { path, payload } = frame;
  const { namedEndpoint: endpoint } = connection;
  const { Message = IncomingMessage, parseLimited } = endpoint;
  try {
    const data = compileRawMethod(path).readInput(payload, parseLimited);
    const context = contextOf(new Message(connection, frame));
    runCallback(endpoint, context, "setUnknownMessageHandler", () => handle(path, data));
  } catch (unreadable) {
    connection.onFailed(thrownError(unreadable));
  }
}

/** A `GGPromise` by its outcome: awaiting it would not recognise an error of the framework's mocks, a plain value. */
function outcomeOf(result: unknown): unknown {
  const { asResult } = Object(result) as Partial<GGPromise<unknown, unknown>>;
  return typeof asResult === "function" ? asResult.call(result) : result;
}
