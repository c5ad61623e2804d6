import { GGBusError, type GGBusErrorReason } from "../api/bus.js";
import { PendingTable } from "../connection/pendingTable.js";
import type { Answers } from "./frames.js";

/** How many publications wait at most while the bus is down, and how many characters they have together. */
export const MAX_WAITING = 1_000;
export const MAX_WAITING_CHARACTERS = 4 * 1024 * 1024;

/** How much more than that is on its way to the other process while the bus is up. */
export const UNDER_WAY = 16;

/** How long an answer may take, in ms. */
export const MAX_WAITING_MS = 10_000;

/** What was asked and is not answered. */
export interface Waiting {
  readonly id: number;
  readonly op: keyof Answers;
  /** The request for the other process. */
  readonly frame: object;
  readonly size: number;
  /** Whether it waits where the bus is down. */
  readonly isKept: boolean;
  /** Whether it was handed to the other process. */
  isSent: boolean;
  readonly resolve: (value: never) => void;
  readonly reject: (error: GGBusError) => void;
  readonly since: number;
}

/** Requests in the order in which they were made, with one timer for all. */
export class WaitingRequests {
  readonly #requests = new PendingTable<Waiting>();
  readonly #whyUnsent: () => string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #unsent = 0;
  #unsentSize = 0;

  /** `whyUnsent` completes "GGBus: " for what is not sent in time. */
  constructor(whyUnsent: () => string | undefined = () => undefined) {
    this.#whyUnsent = whyUnsent;
  }

  /** How many publications wait to be handed to the other process. */
  get unsent(): number {
    return this.#unsent;
  }

  /** Whether there is room for one more that waits. A publication that is longer than all of it has to wait alone. */
  hasRoom(size: number, factor: number): boolean {
    if (this.#unsent === 0) return true;
    return this.#unsent < MAX_WAITING * factor && this.#unsentSize + size <= MAX_WAITING_CHARACTERS * factor;
  }

  add(request: Waiting): void {
    this.#requests.set(request.id, request);
    this.#count(request, 1);
    this.#timer ??= this.#startTimer(MAX_WAITING_MS);
  }

  take(id: number): Waiting | undefined {
    const request = this.#requests.get(id);
    if (request) this.#remove(request);
    return request;
  }

  /** Notes whether the other process has a request; `false` when that has ended. */
  mark(request: Waiting, isSent: boolean): boolean {
    if (!this.#requests.get(request.id)) return false;
    this.#count(request, -1);
    request.isSent = isSent;
    this.#count(request, 1);
    return true;
  }

  /** Ends the requests that `isIt`. */
  reject(reason: GGBusErrorReason, message: string, isIt: (request: Waiting) => boolean = () => true): void {
    for (const request of this.#requests.values()) {
      if (!isIt(request)) continue;
      this.#remove(request);
      request.reject(new GGBusError(message, reason, request.op === "publish" && request.isSent));
    }
  }

  /** All of them, in order. */
  [Symbol.iterator](): Iterator<Waiting> {
    return this.#requests.values().values();
  }

  #remove(request: Waiting): void {
    this.#requests.delete(request.id);
    this.#count(request, -1);
    if (this.#requests.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #count({ op, isSent, size }: Waiting, sign: number): void {
    if (op !== "publish" || isSent) return;
    this.#unsent += sign;
    this.#unsentSize += sign * size;
  }

  #startTimer(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#expire(), ms).unref();
  }

  #expire(): void {
    const due = performance.now() - MAX_WAITING_MS;
    const within = `within ${MAX_WAITING_MS / 1_000} s`;
    this.#timer = undefined;
    this.reject("timeout", `there was no answer ${within}`, ({ since, isSent }) => isSent && since <= due);
    this.reject("timeout", this.#whyUnsent() ?? `it could not be sent ${within}`, ({ since }) => since <= due);
    const [oldest] = this.#requests.values();
    if (oldest) this.#timer ??= this.#startTimer(Math.max(oldest.since - due, 1));
  }
}
