import { ERROR } from "@grest-ts/schema";
import type { GGCallOptions } from "../contract/methodTypes.js";
import type { Frame } from "../protocol/frame.js";
import type { CompiledMethod } from "./compiledMethod.js";
import { type Deadline, startDeadline, stopDeadline } from "./deadlines.js";
import type { SocketEndpoint } from "./endpoint.js";
import type { Outbox } from "./outbox.js";
import { type Outcome, ok, serverError } from "./outcome.js";

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
  readonly #endpoint: SocketEndpoint;
  readonly #outbox: Outbox;
  readonly #onIdle: () => void;
  #pending: Map<string, PendingCall> | undefined;
  #lastId = 0;

  constructor(endpoint: SocketEndpoint, outbox: Outbox, onIdle: () => void) {
    this.#endpoint = endpoint;
    this.#outbox = outbox;
    this.#onIdle = onIdle;
  }

  /** How many calls wait for their reply. */
  get size(): number {
    return this.#pending?.size ?? 0;
  }

  /** Sends a call, or a message when the method has no reply. Never rejects. */
  call(method: CompiledMethod, data: unknown, { timeout, signal }: GGCallOptions = {}): Promise<Outcome> {
    const { metrics } = this.#endpoint;
    let outcome: Outcome = ok(undefined);
    try {
      const payload = method.writeInput(data);
      if (signal?.aborted) outcome = serverError(`${method.path} was aborted by its caller before it was sent`);
      else if (method.hasReply) return this.#request(method, payload, timeout ?? this.#endpoint.timeout, signal);
      else this.#outbox.push(method.messagePrefix + payload);
    } catch (thrown) {
      outcome =
        thrown instanceof ERROR ? thrown : serverError(`${method.path}: the input is not JSON`, thrown as Error);
    }
    metrics?.sent(method.path, outcome.type);
    return Promise.resolve(outcome);
  }

  /** Takes a reply. Returns false for one that nobody waits for: late, doubled or stray. */
  settle(frame: Frame): boolean {
    const call = this.#pending?.get(frame.id);
    if (call?.method.path !== frame.path) return false;
    call.settle(call.method.readReply(frame.payload));
    return true;
  }

  /** Settles everything, since no reply can come any more. */
  closeAll(): void {
    this.#pending?.forEach((call) => {
      call.fail("Socket connection closed!", "CONNECTION_CLOSED");
    });
  }

  #request(method: CompiledMethod, payload: string, timeout: number, signal?: AbortSignal): Promise<Outcome> {
    this.#pending ??= new Map();
    const pending = this.#pending;
    const id = String(++this.#lastId);
    const number = this.#outbox.push(`${method.requestPrefix}${id}:${payload}`);
    const startedAt = performance.now();
    return new Promise((resolve) => {
      const onAbort = () => call.fail("Request aborted by its caller:");
      const call: PendingCall = {
        expiresAt: 0,
        method,
        settle: (outcome, result = outcome.type) => {
          if (!pending.delete(id)) return;
          stopDeadline(call);
          signal?.removeEventListener("abort", onAbort);
          this.#endpoint.metrics?.sent(method.path, result, performance.now() - startedAt);
          resolve(outcome);
          if (pending.size === 0) this.#onIdle();
        },
        fail: (why, result) => {
          const fate = this.#outbox.wasSent(number) ? "it had been sent and may have run" : "it had not been sent";
          call.settle(serverError(`${why} ${method.path} got no reply; ${fate}`), result);
        },
        onExpired: () => call.fail(`Request timeout after ${timeout} ms:`),
      };
      pending.set(id, call);
      startDeadline(call, timeout);
      signal?.addEventListener("abort", onAbort);
    });
  }
}
