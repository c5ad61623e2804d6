import type { GGPromise } from "@grest-ts/schema";
import type { SocketHandlerConfig } from "../../api/rawSocket.js";
import { type Frame, FrameType } from "../../protocol/frame.js";
import type { Connection, ConnectionHooks } from "../connection.js";
import { runCallback } from "../endpoint.js";
import type { CompiledMethod } from "../methods/compiledMethod.js";
import { type HandlerObject, Handlers } from "../methods/handlers.js";
import { thrownError } from "../methods/outcome.js";
import { compileRawMethod } from "./rawMethod.js";

interface RawHandler {
  readonly method: CompiledMethod;
  readonly owner: HandlerObject;
}

/** The handlers of a connection that handles more than its contract, if it has one. */
export class RawHandlers extends Handlers implements ConnectionHooks {
  readonly errorCallbacks: ((error: Error) => void)[] = [];
  /** Is called with messages that nothing else handles. */
  onUnknown: ((path: string, data: unknown) => void) | undefined;
  readonly #byPath = new Map<string, RawHandler>();

  /** See `ConnectionHooks`. */
  onError(error: Error): void {
    for (const callback of this.errorCallbacks) callback(error);
  }

  set(config: SocketHandlerConfig): void {
    const { path } = config;
    this.#byPath.set(path, {
      method: compileRawMethod(path),
      owner: { [path]: (data) => outcomeOf(config.handler(data)) },
    });
  }

  delete(path: string): void {
    this.#byPath.delete(path);
  }

  override get isEmpty(): boolean {
    return super.isEmpty && this.#byPath.size === 0 && !this.onUnknown;
  }

  override takeUncontracted(frame: Frame, connection: Connection): boolean {
    const { type, path, payload } = frame;
    const raw = this.#byPath.get(path);
    if (raw) connection.inbox.handle(raw.method, frame, raw.owner);
    else if (type === FrameType.REQUEST || !this.onUnknown) return false;
    else this.#takeUnknown(path, payload, this.onUnknown, connection);
    return true;
  }

  #takeUnknown(
    path: string,
    payload: string,
    onUnknown: (path: string, data: unknown) => void,
    connection: Connection,
  ): void {
    const { context, socketEndpoint: endpoint } = connection;
    try {
      const data = compileRawMethod(path).readInput(payload, endpoint.parseLimited);
      runCallback(endpoint, context, () => onUnknown(path, data));
    } catch (unreadable) {
      connection.onFailed(thrownError(unreadable));
    }
  }
}

/** A `GGPromise` by its outcome: awaiting it would not recognise an error of the framework's mocks, a plain value. */
function outcomeOf(result: unknown): unknown {
  const { asResult } = Object(result) as Partial<GGPromise<unknown, unknown>>;
  return typeof asResult === "function" ? asResult.call(result) : result;
}
