import { failureOf, type SocketFailure } from "../api/failure.js";
import type { GGCallOptions } from "../api/methodTypes.js";
import { type Frame, sizedFrame } from "../protocol/frame.js";
import type { Connection } from "./connection.js";
import { setDeadline } from "./deadlines.js";
import type { CompiledMethod } from "./methods/compiledMethod.js";
import { logMisfit, logUnsent, type Outcome, ok, serverError, unsendable } from "./methods/outcome.js";

type FailureDetails = Pick<SocketFailure, "reason" | "cause" | "closeCode">;

/** A request that waits for its reply. */
interface PendingCall {
  readonly method: CompiledMethod;
  /** Ends the call: the one place where that happens. */
  settle(outcome: Outcome, isDropped?: boolean): void;
  /** Ends the call without a reply; `why` is followed by what became of the request. */
  fail(why: string, details: FailureDetails): void;
}

/** The calls that one end makes on the other: each settles exactly once, by reply, time-out, abort or close. */
export class Calls {
  /** @internal */
  readonly ofConnection: Connection;
  readonly #pending = new Map<string, PendingCall>();
  #lastId = 0;

  constructor(connection: Connection) {
    this.ofConnection = connection;
  }

  /** How many calls wait for their reply. */
  get size(): number {
    return this.#pending.size;
  }

  /** Sends a call, or a message when the method has no reply. Never rejects. */
  call(method: CompiledMethod, data: unknown, options?: GGCallOptions): Promise<Outcome> {
    const { ofConnection: connection } = this;
    const { socketEndpoint: endpoint, outbox } = connection;
    const { path, hasReply } = method;
    const { timeout, signal, droppable } = options ?? {};
    const pending = this.#pending;
    const ms = timeout ?? endpoint.timeout;
    return new Promise((resolve) => {
      let id = "";
      let number = Number.POSITIVE_INFINITY;
      let startedAt: number | undefined;
      let cancelTimeout: (() => void) | undefined;
      const settle: PendingCall["settle"] = (outcome, isDropped) => {
        if (id && !pending.delete(id)) return;
        cancelTimeout?.();
        signal?.removeEventListener("abort", onAbort);
        connection.callEnded(path, outcome, startedAt, isDropped);
        resolve(outcome);
        connection.checkIdle();
      };
      const fail: PendingCall["fail"] = (why, { reason, ...details }) => {
        // On an open connection what waits is sent within this tick.
        const wasSent = outbox.wasSent(number) || !!(id && connection.isOpen);
        const fate = wasSent ? "sent and may have run" : "not sent";
        settle(serverError(`${why} ${path} was ${fate}`, reason, { wasSent, ...details }));
        if (id) connection.sendCancel(path, id);
      };
      const onAbort = () => fail("Aborted by the caller:", { reason: "aborted", cause: signal?.reason });

      try {
        const payload = method.writeInput(data);
        if (!connection.isOpen) return fail(CLOSED, { reason: "not-connected" });
        if (signal?.aborted) return onAbort();
        const newId = hasReply ? `${++this.#lastId}` : "";
        const prefix = hasReply ? `${method.requestPrefix}${newId}:` : method.messagePrefix;
        const taken = connection.sendFrame(sizedFrame(prefix, payload), !hasReply && droppable);
        if (!connection.isOpen) return fail("The peer reads too slowly:", { reason: "limit" });
        if (!hasReply) return settle(ok(undefined), !taken);
        id = newId;
        number = taken;
        startedAt = performance.now();
        pending.set(id, { method, settle, fail });
        connection.inbox.expectReply();
        signal?.addEventListener("abort", onAbort);
        cancelTimeout = setDeadline(ms, () => fail(`Request timeout after ${ms} ms:`, { reason: "timeout" }));
      } catch (thrown) {
        const error = unsendable(path, thrown);
        if (!hasReply) logUnsent(connection.namedEndpoint, path, error);
        settle(error);
      }
    });
  }

  /** Takes a reply. Returns whether it was expected: one that is late, duplicate or stray is counted and ignored. */
  settle({ id, path, payload }: Frame): boolean {
    const { socketEndpoint: endpoint } = this.ofConnection;
    const call = this.#pending.get(id);
    const isExpected = call?.method.path === path;
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
    for (const call of this.#pending.values()) call.fail(CLOSED, { reason: "disconnected", closeCode });
  }
}

const CLOSED = "Socket connection closed!";
