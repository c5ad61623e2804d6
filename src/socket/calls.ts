import type { GGCallOptions } from "../contract/methodTypes.js";
import type { Frame } from "../protocol/frame.js";
import type { CompiledMethod } from "./compiledMethod.js";
import type { Connection } from "./connection.js";
import { type Deadline, startDeadline, stopDeadline } from "./deadlines.js";
import { type Outcome, ok, serverError, unsendable } from "./outcome.js";

/** A call that waits for its reply. */
interface PendingCall extends Deadline {
  readonly method: CompiledMethod;
  /** Ends the call: the one place where that happens. `result` is what the metrics say. */
  settle(outcome: Outcome, result?: string): void;
  /** Ends the call without a reply; `why` is followed by what became of the request. */
  fail(why: string, result?: string): void;
}

/** The calls that one end makes on the other: each settles exactly once, by reply, time-out, abort or close. */
export class Calls {
  readonly #connection: Connection;
  #pending: Map<string, PendingCall> | undefined;
  #lastId = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get connection(): Connection {
    return this.#connection;
  }

  /** How many calls wait for their reply. */
  get size(): number {
    return this.#pending?.size ?? 0;
  }

  /** Sends a call, or a message when the method has no reply. Never rejects. */
  call(method: CompiledMethod, data: unknown, options: GGCallOptions = {}): Promise<Outcome> {
    const connection = this.#connection;
    const { path } = method;
    let outcome: Outcome = ok(undefined);
    let result: string | undefined;
    try {
      if (!connection.isOpen) throw serverError(`${path}: the connection is closed, so nothing was sent`);
      const payload = method.writeInput(data);
      if (options.signal?.aborted) throw serverError(`${path} was aborted by its caller before it was sent`);
      if (method.hasReply) return this.#request(method, payload, options);
      if (!connection.sendFrame(method.messagePrefix + payload, options.droppable)) result = "DROPPED";
    } catch (thrown) {
      outcome = unsendable(path, thrown);
    }
    connection.endpoint.metrics?.sent(path, connection.isOpen ? (result ?? outcome.type) : "CONNECTION_CLOSED");
    return Promise.resolve(outcome);
  }

  /** Takes a reply. One that nobody waits for (late, doubled or stray) is counted and ignored. */
  settle({ id, path, payload }: Frame): void {
    const call = this.#pending?.get(id);
    if (call?.method.path === path) call.settle(call.method.readReply(payload));
    else this.#connection.endpoint.metrics?.sent("unknown", "UNEXPECTED_REPLY");
  }

  /** Settles everything, since no reply can come any more. */
  closeAll(): void {
    this.#pending?.forEach((call) => {
      call.fail("Socket connection closed!", "CONNECTION_CLOSED");
    });
  }

  #request(method: CompiledMethod, payload: string, { timeout, signal }: GGCallOptions): Promise<Outcome> {
    const connection = this.#connection;
    const { endpoint, outbox } = connection;
    const { path } = method;
    this.#pending ??= new Map();
    const pending = this.#pending;
    const id = String(++this.#lastId);
    const startedAt = performance.now();
    const ms = timeout ?? endpoint.timeout;
    return new Promise((resolve) => {
      let number = Number.POSITIVE_INFINITY;
      const onAbort = () => call.fail("Request aborted by its caller:");
      const call: PendingCall = {
        expiresAt: 0,
        method,
        settle: (outcome, result = outcome.type) => {
          if (!pending.delete(id)) return;
          stopDeadline(call);
          signal?.removeEventListener("abort", onAbort);
          endpoint.metrics?.sent(path, result, startedAt);
          resolve(outcome);
          connection.checkIdle();
        },
        fail: (why, result) => {
          // On an open line what waits leaves with this tick.
          const fate =
            outbox.wasSent(number) || connection.isOpen ? "it had been sent and may have run" : "it had not been sent";
          call.settle(serverError(`${why} ${path} got no reply; ${fate}`), result);
          connection.cancel(path, id);
        },
        onExpired: () => call.fail(`Request timeout after ${ms} ms:`),
      };
      pending.set(id, call);
      startDeadline(call, ms);
      signal?.addEventListener("abort", onAbort);
      number = connection.sendFrame(`${method.requestPrefix}${id}:${payload}`);
    });
  }
}
