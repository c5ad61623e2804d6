import { failureOf, type SocketFailure } from "../api/failure.js";
import type { GGCallOptions } from "../api/methodTypes.js";
import { type Frame, sizedFrame } from "../protocol/frame.js";
import type { Connection } from "./connection.js";
import { Deadline } from "./deadlines.js";
import type { CompiledMethod } from "./methods/compiledMethod.js";
import { type AnyError, logMisfit, logUnsent, type Outcome, ok, serverError, unsendable } from "./methods/outcome.js";
import { PendingTable } from "./pendingTable.js";

type FailureDetails = Pick<SocketFailure, "reason" | "cause" | "closeCode">;

/** The calls that one end makes on the other: each settles exactly once, by reply, time-out, abort or close. */
export class Calls {
  /** @internal */
  readonly ofConnection: Connection;
  /** Made with the first call: most servers make none. */
  #pending: PendingTable<PendingCall> | undefined;
  #lastNumber = 0;

  constructor(connection: Connection) {
    this.ofConnection = connection;
  }

  /** How many calls wait for their reply. */
  get size(): number {
    return this.#pending?.size ?? 0;
  }

  /** Sends a call, or a message when the method has no reply. Never rejects. */
  call(method: CompiledMethod, data: unknown, options?: GGCallOptions): Promise<Outcome> {
    if (!method.hasReply) return Promise.resolve(this.#sendMessage(method, data, options));
    return new Promise((resolve) => new PendingCall(this, method, resolve, options).send(data, options));
  }

  /** @internal */
  get pending(): PendingTable<PendingCall> {
    this.#pending ??= new PendingTable();
    return this.#pending;
  }

  /** @internal The number of the latest request, which is also its id. */
  get lastNumber(): number {
    return this.#lastNumber;
  }

  /**
   * @internal Hands a message or a request to the connection. Returns the number of its frame in the outbox, or 0 when it was
   * dropped.
   * @throws why it was not sent
   */
  submit(method: CompiledMethod, data: unknown, { signal, droppable }: GGCallOptions = {}): number {
    const { ofConnection: connection } = this;
    const { path, hasReply } = method;
    const payload = method.writeInput(data);
    if (!connection.isOpen) throw failed(path, CLOSED, { reason: "not-connected" });
    if (signal?.aborted) throw failed(path, ABORTED, { reason: "aborted", cause: signal.reason });
    const prefix = hasReply ? `${method.requestPrefix}${++this.#lastNumber}:` : method.messagePrefix;
    const number = connection.sendFrame(sizedFrame(prefix, payload), !hasReply && droppable);
    if (!connection.isOpen) throw failed(path, "The peer reads too slowly:", { reason: "limit" });
    return number;
  }

  #sendMessage(method: CompiledMethod, data: unknown, options: GGCallOptions | undefined): Outcome {
    const { ofConnection: connection } = this;
    const { path } = method;
    let outcome: Outcome = ok(undefined);
    let isDropped = false;
    try {
      isDropped = !this.submit(method, data, options);
    } catch (thrown) {
      const isMisfit = !failureOf(thrown);
      outcome = whyUnsent(path, thrown);
      if (isMisfit) logUnsent(connection.namedEndpoint, path, outcome);
    }
    connection.callEnded(path, outcome, undefined, isDropped);
    return outcome;
  }

  /** Takes a reply. Returns whether it was expected: one that is late, duplicate or stray is counted and ignored. */
  settle({ id, path, payload }: Frame): boolean {
    const { socketEndpoint: endpoint } = this.ofConnection;
    const call = this.#pending?.get(+id);
    // Another text may be the same number.
    const isExpected = call?.id === id && call.method.path === path;
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
    for (const call of this.#pending?.values() ?? []) call.fail(CLOSED, { reason: "disconnected", closeCode });
  }
}

const CLOSED = "Socket connection closed!";
const ABORTED = "Aborted by the caller:";

/** The error of a call without a reply; `why` is followed by what became of the request. */
function failed(path: string, why: string, { reason, ...details }: FailureDetails, wasSent = false): AnyError {
  const fate = wasSent ? "sent and may have run" : "not sent";
  return serverError(`${why} ${path} was ${fate}`, reason, { wasSent, ...details });
}

/** The error for what a call threw before it was sent. */
function whyUnsent(path: string, thrown: unknown): AnyError {
  return failureOf(thrown) ? (thrown as AnyError) : unsendable(path, thrown);
}

/** One call. It is its own deadline, and its listener for an abort: all that a call makes is this and its promise. */
class PendingCall extends Deadline {
  readonly method: CompiledMethod;
  /** Its number on the connection; 0, with an empty id, before it was sent. */
  number = 0;
  id = "";
  readonly #calls: Calls;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #ms: number;
  /** The number of its frame in the outbox. */
  #frameNumber = Number.POSITIVE_INFINITY;
  #startedAt: number | undefined;

  constructor(calls: Calls, method: CompiledMethod, resolve: (outcome: Outcome) => void, options?: GGCallOptions) {
    super();
    this.method = method;
    this.#calls = calls;
    this.#resolve = resolve;
    const { timeout, signal } = options ?? {};
    this.#signal = signal;
    this.#ms = timeout ?? calls.ofConnection.socketEndpoint.timeout;
  }

  send(data: unknown, options: GGCallOptions | undefined): void {
    const calls = this.#calls;
    try {
      this.#frameNumber = calls.submit(this.method, data, options);
      this.number = calls.lastNumber;
      this.id = `${this.number}`;
      this.#startedAt = performance.now();
      calls.pending.add(this);
      calls.ofConnection.inbox.expectReply();
      this.#signal?.addEventListener("abort", this);
      this.startDeadline(this.#ms);
    } catch (thrown) {
      this.settle(whyUnsent(this.method.path, thrown));
    }
  }

  /** Ends the call: the one place where that happens. */
  settle(outcome: Outcome): void {
    const { ofConnection: connection, pending } = this.#calls;
    if (this.number && !pending.delete(this)) return;
    this.cancelDeadline();
    this.#signal?.removeEventListener("abort", this);
    connection.callEnded(this.method.path, outcome, this.#startedAt);
    this.#resolve(outcome);
    connection.checkIdle();
  }

  /** Ends the call without a reply; `why` is followed by what became of the request. */
  fail(why: string, details: FailureDetails): void {
    const { ofConnection: connection } = this.#calls;
    const { path } = this.method;
    // On an open connection what waits is sent within this tick.
    const wasSent = connection.isOpen || connection.outbox.wasSent(this.#frameNumber);
    this.settle(failed(path, why, details, wasSent));
    connection.sendCancel(path, this.id);
  }

  /** The caller has aborted it. */
  handleEvent(): void {
    this.fail(ABORTED, { reason: "aborted", cause: this.#signal?.reason });
  }

  protected expire(): void {
    this.fail(`Request timeout after ${this.#ms} ms:`, { reason: "timeout" });
  }
}
