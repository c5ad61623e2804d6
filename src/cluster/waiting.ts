import { GGBusError, type GGBusErrorReason } from "../api/bus.js";

/** How many publications wait at most, how many characters they have together, and how long an answer may take. */
export const MAX_WAITING = 1_000;
export const MAX_WAITING_CHARACTERS = 4 * 1024 * 1024;
export const MAX_WAITING_MS = 10_000;

/** What was asked and is not answered. */
export interface Waiting {
  readonly id: number;
  /** The request for the other process. */
  readonly frame: object;
  readonly size: number;
  /** Whether it waits where the bus is down. */
  readonly isKept: boolean;
  readonly isPublication: boolean;
  /** Whether it was handed to the other process. */
  isSent: boolean;
  readonly resolve: (value: never) => void;
  readonly reject: (error: GGBusError) => void;
  readonly since: number;
}

/** Requests in the order in which they were made, with one timer for all. */
export class WaitingRequests {
  readonly #requests = new Map<number, Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #kept = 0;
  #keptSize = 0;

  /** How many wait for the bus to be up. */
  get kept(): number {
    return this.#kept;
  }

  /** How many characters those have together. */
  get keptSize(): number {
    return this.#keptSize;
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

  /** Notes whether the other process has a request. */
  mark(request: Waiting, isSent: boolean): void {
    this.#count(request, -1);
    request.isSent = isSent;
    this.#count(request, 1);
  }

  /** Ends the requests that `isIt`. */
  reject(reason: GGBusErrorReason, message: string, isIt: (request: Waiting) => boolean = () => true): void {
    for (const request of this.#requests.values()) {
      if (!isIt(request)) continue;
      this.#remove(request);
      request.reject(new GGBusError(message, reason, request.isPublication && request.isSent));
    }
  }

  /** All of them, in order. */
  [Symbol.iterator](): IterableIterator<Waiting> {
    return this.#requests.values();
  }

  #remove(request: Waiting): void {
    this.#requests.delete(request.id);
    this.#count(request, -1);
    if (this.#requests.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #count({ isKept, isSent, size }: Waiting, sign: number): void {
    if (!isKept || isSent) return;
    this.#kept += sign;
    this.#keptSize += sign * size;
  }

  #startTimer(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#expire(), ms).unref();
  }

  #expire(): void {
    const due = performance.now() - MAX_WAITING_MS;
    this.#timer = undefined;
    this.reject("timeout", `there was no answer within ${MAX_WAITING_MS / 1_000} s`, ({ since }) => since <= due);
    const [oldest] = this.#requests.values();
    if (oldest) this.#timer ??= this.#startTimer(Math.max(oldest.since - due, 1));
  }
}
