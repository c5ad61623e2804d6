import { failureOf, type SocketFailure } from "../api/failure.js";
import type { GGCallOptions } from "../api/methodTypes.js";
import { type Frame, sizedFrame } from "../protocol/frame.js";
import type { Connection } from "./connection.js";
import { Deadline } from "./deadlines.js";
import type { CompiledMethod } from "./methods/compiledMethod.js";
import { logMisfit, logUnsent, type Outcome, ok, serverError, unsendable } from "./methods/outcome.js";
import { PendingTable } from "./pendingTable.js";

type FailureDetails = Pick<SocketFailure, "reason" | "cause" | "closeCode">;

/** The calls that one end makes on the other: each settles exactly once, by reply, time-out, abort or close. */
export class Calls {
  /** @internal */
  readonly ofConnection: Connection;
  /** @internal */
  readonly pending = new PendingTable<PendingCall>();
  #lastNumber = 0;

  constructor(connection: Connection) {
    this.ofConnection = connection;
  }

  /** How many calls wait for their reply. */
  get size(): number {
    return this.pending.size;
  }

  /** Sends a call, or a message when the method has no reply. Never rejects. */
  call(method: CompiledMethod, data: unknown, options?: GGCallOptions): Promise<Outcome> {
    return new Promise((resolve) => new PendingCall(this, method, resolve, options).send(data, options));
  }

  /** @internal */
  nextNumber(): number {
    return ++this.#lastNumber;
  }

  /** Takes a reply. Returns whether it was expected: one that is late, duplicate or stray is counted and ignored. */
  settle({ id, path, payload }: Frame): boolean {
    const { socketEndpoint: endpoint } = this.ofConnection;
    const call = this.pending.get(+id);
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
    for (const call of this.pending.values()) call.fail(CLOSED, { reason: "disconnected", closeCode });
  }
}

const CLOSED = "Socket connection closed!";

/** One call. It is its own deadline, and its listener for an abort: all that a call makes is this and its promise. */
class PendingCall extends Deadline {
  readonly method: CompiledMethod;
  /** Its number on the connection; 0, with an empty id, while it does not wait for a reply. */
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
    const { method } = this;
    const calls = this.#calls;
    const signal = this.#signal;
    const { ofConnection: connection } = calls;
    const { path, hasReply } = method;
    try {
      const payload = method.writeInput(data);
      if (!connection.isOpen) return this.fail(CLOSED, { reason: "not-connected" });
      if (signal?.aborted) return this.handleEvent();
      const number = hasReply ? calls.nextNumber() : 0;
      const prefix = hasReply ? `${method.requestPrefix}${number}:` : method.messagePrefix;
      const taken = connection.sendFrame(sizedFrame(prefix, payload), !hasReply && options?.droppable);
      if (!connection.isOpen) return this.fail("The peer reads too slowly:", { reason: "limit" });
      if (!hasReply) return this.settle(ok(undefined), !taken);
      this.number = number;
      this.id = `${number}`;
      this.#frameNumber = taken;
      this.#startedAt = performance.now();
      calls.pending.add(this);
      connection.inbox.expectReply();
      signal?.addEventListener("abort", this);
      this.startDeadline(this.#ms);
    } catch (thrown) {
      const error = unsendable(path, thrown);
      if (!hasReply) logUnsent(connection.namedEndpoint, path, error);
      this.settle(error);
    }
  }

  /** Ends the call: the one place where that happens. */
  settle(outcome: Outcome, isDropped?: boolean): void {
    const { ofConnection: connection, pending } = this.#calls;
    if (this.number && !pending.delete(this)) return;
    this.cancelDeadline();
    this.#signal?.removeEventListener("abort", this);
    connection.callEnded(this.method.path, outcome, this.#startedAt, isDropped);
    this.#resolve(outcome);
    connection.checkIdle();
  }

  /** Ends the call without a reply; `why` is followed by what became of the request. */
  fail(why: string, { reason, ...details }: FailureDetails): void {
    const { ofConnection: connection } = this.#calls;
    const { path } = this.method;
    // On an open connection what waits is sent within this tick.
    const wasSent = connection.outbox.wasSent(this.#frameNumber) || (this.number > 0 && connection.isOpen);
    const fate = wasSent ? "sent and may have run" : "not sent";
    this.settle(serverError(`${why} ${path} was ${fate}`, reason, { wasSent, ...details }));
    if (this.number) connection.sendCancel(path, this.id);
  }

  /** The caller has aborted it. */
  handleEvent(): void {
    this.fail("Aborted by the caller:", { reason: "aborted", cause: this.#signal?.reason });
  }

  protected expire(): void {
    this.fail(`Request timeout after ${this.#ms} ms:`, { reason: "timeout" });
  }
}
