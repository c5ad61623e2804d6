import type { GGCallOptions } from "../contract/methodTypes.js";
import type { Frame } from "../protocol/frame.js";
import type { CompiledMethod } from "./compiledMethod.js";
import { Deadline, startDeadline, stopDeadline } from "./deadlines.js";
import type { SocketEndpoint } from "./endpoint.js";
import type { Outbox } from "./outbox.js";
import { type Outcome, ok, serverError, thrownError } from "./outcome.js";

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
  call(method: CompiledMethod, data: unknown, options?: GGCallOptions): Promise<Outcome> {
    let payload: string;
    try {
      payload = method.writeInput(data);
    } catch (thrown) {
      return Promise.resolve(this.#refused(method, unsendable(method, thrown)));
    }
    const signal = options?.signal;
    if (signal?.aborted) return Promise.resolve(this.#refused(method, aborted(method, false)));
    if (!method.hasReply) {
      this.#outbox.push(method.messagePrefix + payload);
      this.#endpoint.metrics?.sent(method.path, "OK");
      return Promise.resolve(ok(undefined));
    }
    return new Promise((resolve) => {
      const id = String(++this.#lastId);
      const number = this.#outbox.push(`${method.requestPrefix}${id}:${payload}`);
      const call = new PendingCall(
        this,
        method,
        id,
        number,
        resolve,
        options?.timeout ?? this.#endpoint.timeout,
        signal,
      );
      this.#pending ??= new Map();
      this.#pending.set(id, call);
    });
  }

  /** Takes a reply. Returns false for one that nobody waits for: late, doubled or stray. */
  settle(frame: Frame): boolean {
    const call = this.#pending?.get(frame.id);
    if (!call || call.method.path !== frame.path) return false;
    this.finish(call, call.method.readReply(frame.payload));
    return true;
  }

  /** Settles everything, since no reply can come any more. */
  closeAll(): void {
    for (const call of this.#pending?.values() ?? [])
      this.finish(call, lineClosed(call.method, this.wasSent(call)), "CONNECTION_CLOSED");
  }

  /** @internal The one place where a call ends. */
  finish(call: PendingCall, outcome: Outcome, result: string = outcome.type): void {
    if (!this.#pending?.delete(call.id)) return;
    call.release();
    this.#endpoint.metrics?.sent(call.method.path, result, performance.now() - call.startedAt);
    call.resolve(outcome);
    if (this.#pending.size === 0) this.#onIdle();
  }

  /** @internal Whether the request of a call has left. */
  wasSent(call: PendingCall): boolean {
    return this.#outbox.wasSent(call.number);
  }

  #refused(method: CompiledMethod, error: Outcome): Outcome {
    this.#endpoint.metrics?.sent(method.path, error.type);
    return error;
  }
}

/** One call that waits for its reply; it is its own deadline. */
class PendingCall extends Deadline {
  readonly startedAt = performance.now();
  #onAbort: (() => void) | undefined;

  constructor(
    readonly calls: Calls,
    readonly method: CompiledMethod,
    readonly id: string,
    readonly number: number,
    readonly resolve: (outcome: Outcome) => void,
    readonly timeout: number,
    readonly signal: AbortSignal | undefined,
  ) {
    super();
    startDeadline(this, timeout);
    if (signal) {
      this.#onAbort = () => calls.finish(this, aborted(method, calls.wasSent(this)));
      signal.addEventListener("abort", this.#onAbort);
    }
  }

  onExpired(): void {
    const message = `Request timeout: ${this.method.path} got no reply within ${this.timeout} ms`;
    this.calls.finish(this, serverError(message));
  }

  release(): void {
    stopDeadline(this);
    if (this.#onAbort) this.signal?.removeEventListener("abort", this.#onAbort);
  }
}

/** The error of a call on a connection that is not there. */
export function notConnected(path: string, what: string): Outcome {
  return serverError(`${path}: ${what}`);
}

function lineClosed(method: CompiledMethod, sent: boolean): Outcome {
  const fate = sent ? "it had been sent and may have run" : "it had not been sent";
  return serverError(`Socket connection closed! ${method.path} got no reply: ${fate}`);
}

function aborted(method: CompiledMethod, sent: boolean): Outcome {
  return serverError(`${method.path} was aborted by its caller ${sent ? "after" : "before"} it was sent`);
}

function unsendable(method: CompiledMethod, thrown: unknown): Outcome {
  const error = thrownError(thrown);
  if (error.type === "VALIDATION_ERROR") return error;
  return serverError(`${method.path}: the input cannot be sent as JSON`, thrown);
}
