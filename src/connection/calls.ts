import { failureOf, type SocketFailure } from "../api/failure.js";
import type { GGCallOptions } from "../api/methodTypes.js";
import { type Frame, sizedFrame } from "../protocol/frame.js";
import type { Connection } from "./connection.js";
import { cancelDeadline, type Deadline, startDeadline } from "./deadlines.js";
import type { CompiledMethod } from "./methods/compiledMethod.js";
import { type AnyError, logMisfit, logUnsent, type Outcome, ok, serverError, unsendable } from "./methods/outcome.js";

type FailureDetails = Pick<SocketFailure, "reason" | "cause" | "closeCode">;

/** Calls that wait for their replies, by their numbers. */
export interface PendingCalls extends Pick<Map<number, PendingCall>, "get" | "delete" | "size"> {
  set(id: number, call: PendingCall): unknown;
  values(): Iterable<PendingCall>;
}

/** The calls that one end makes on the other: each settles exactly once, by reply, time-out, abort or close. */
export class Calls {
  /** @internal */
  readonly ofConnection: Connection;
  /** @internal Those that wait for their replies. */
  readonly pending: PendingCalls;
  #lastId = 0;

  constructor(connection: Connection) {
    this.ofConnection = connection;
    this.pending = new (connection.socketEndpoint.PendingCalls ?? Map)();
  }

  /** How many calls wait for their reply. */
  get size(): number {
    return this.pending.size;
  }

  /** Sends a call, or a message when the method has no reply. Never rejects. */
  call(method: CompiledMethod, data: unknown, options?: GGCallOptions): Promise<Outcome> {
    const { ofConnection: connection } = this;
    const { path, hasReply } = method;
    return new Promise((resolve) => {
      let outcome: Outcome;
      let isDropped = false;
      try {
        const { signal, timeout, droppable } = options ?? {};
        const payload = method.writeInput(data);
        if (!connection.isOpen) outcome = failed(path, CLOSED, { reason: "not-connected" });
        else if (signal?.aborted) outcome = failed(path, ABORTED, { reason: "aborted", cause: signal.reason });
        else {
          const id = hasReply ? ++this.#lastId : 0;
          const prefix = hasReply ? `${method.requestPrefix}${id}:` : method.messagePrefix;
          const frameNumber = connection.sendFrame(sizedFrame(prefix, payload), !hasReply && droppable);
          if (!connection.isOpen) outcome = failed(path, "The peer reads too slowly:", { reason: "limit" });
          else if (hasReply) return void new PendingCall(this, method, id, frameNumber, resolve, signal, timeout);
          else {
            outcome = ok(undefined);
            isDropped = !frameNumber;
          }
        }
      } catch (thrown) {
        outcome = unsendable(path, thrown);
        if (!hasReply) logUnsent(connection.namedEndpoint, path, outcome);
      }
      connection.callEnded(path, outcome, undefined, isDropped);
      resolve(outcome);
    });
  }

  /** Takes a reply. Returns whether it was expected: one that is late, duplicate or stray is counted and ignored. */
  settle({ id, path, payload }: Frame): boolean {
    const { socketEndpoint: endpoint } = this.ofConnection;
    const call = this.pending.get(+id);
    // Another text may be the same number.
    const isExpected = `${call?.id}` === id && call?.method.path === path;
    if (isExpected) {
      const outcome = call.method.readReply(payload, endpoint.parseLimited);
      if (!outcome.success && failureOf(outcome)?.reason === "invalid-response")
        logMisfit(this.ofConnection.namedEndpoint, `${path}: Invalid response`, outcome);
      call.settle(outcome);
    } else this.ofConnection.callEnded("unknown");
    return isExpected;
  }

  /** Settles everything, since no reply can come any more. */
  failAll(closeCode?: number): void {
    for (const call of this.pending.values()) call.fail(CLOSED, { reason: "disconnected", closeCode });
  }
}

const CLOSED = "Socket connection closed!";
const ABORTED = "Aborted by the caller:";

/** The error of a call without a reply; `why` is followed by what became of it. */
function failed(path: string, why: string, { reason, ...details }: FailureDetails, wasSent = false): AnyError {
  const fate = wasSent ? "sent and may have run" : "not sent";
  return serverError(`${why} ${path} was ${fate}`, reason, { wasSent, ...details });
}

/** A call that was sent. It is its own deadline: a call makes this and its promise. */
class PendingCall implements Deadline {
  readonly method: CompiledMethod;
  readonly id: number;
  readonly ms: number;
  isRunning = false;
  declare timer?: Deadline["timer"];
  declare clearTimer?: Deadline["clearTimer"];
  declare afterInput?: Deadline["afterInput"];
  readonly #calls: Calls;
  /** The number of its frame in the outbox. */
  readonly #frameNumber: number;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: (() => void) | undefined;
  readonly #startedAt = performance.now();

  constructor(
    calls: Calls,
    method: CompiledMethod,
    id: number,
    frameNumber: number,
    resolve: (outcome: Outcome) => void,
    signal: AbortSignal | undefined,
    timeout: number | undefined,
  ) {
    const { ofConnection: connection, pending } = calls;
    this.method = method;
    this.id = id;
    this.ms = timeout ?? connection.socketEndpoint.timeout;
    this.#calls = calls;
    this.#frameNumber = frameNumber;
    this.#resolve = resolve;
    this.#signal = signal;
    // A function: there are signals that know no listener objects.
    this.#onAbort = signal && (() => this.fail(ABORTED, { reason: "aborted", cause: signal.reason }));
    pending.set(id, this);
    connection.inbox.expectReply();
    try {
      if (this.#onAbort) signal?.addEventListener("abort", this.#onAbort);
      // A signal of the program's own may end it, or its connection, before it returns.
      if (pending.get(id)) startDeadline(this);
    } catch (thrown) {
      this.settle(unsendable(method.path, thrown));
    }
  }

  /** Ends the call: the one place where that happens. Returns whether it had not ended before. */
  settle(outcome: Outcome): boolean {
    const { ofConnection: connection, pending } = this.#calls;
    if (!pending.delete(this.id)) return false;
    cancelDeadline(this);
    if (this.#onAbort) this.#signal?.removeEventListener("abort", this.#onAbort);
    connection.callEnded(this.method.path, outcome, this.#startedAt);
    this.#resolve(outcome);
    connection.checkIdle();
    return true;
  }

  /** Ends the call without a reply; `why` is followed by what became of the request. */
  fail(why: string, details: FailureDetails): void {
    const { ofConnection: connection } = this.#calls;
    const { path } = this.method;
    // On an open connection what waits is sent within this tick.
    const wasSent = connection.isOpen || connection.outbox.wasSent(this.#frameNumber);
    if (this.settle(failed(path, why, details, wasSent))) connection.sendCancel(path, `${this.id}`);
  }

  expire(): void {
    this.fail(`Request timeout after ${this.ms} ms:`, { reason: "timeout" });
  }
}
