import type { ERROR } from "@grest-ts/schema";
import type { GGWebSocketCloseReason, GGWebSocketDisconnectReason } from "../contract/client.js";
import { thrownError } from "../socket/outcome.js";
import type { GGSocket } from "../socket/socket.js";
import { closedError, connectionError } from "./connectionError.js";
import type { ReconnectPolicy } from "./reconnect.js";

type AnyError = ERROR<string, unknown>;

/** What a session needs of its client. */
export interface SessionPlan {
  readonly apiName: string;
  /** Without one, a dropped line is the end. */
  readonly policy: ReconnectPolicy | undefined;
  /** Makes one connection, hands its socket to `onSocket`, and resolves when it is set up. */
  open(onSocket: (socket: GGSocket) => void, signal: AbortSignal): Promise<void>;
  /** See `ClientPlatform.onWake`. */
  onWake(callback: () => void): () => void;
  /** A connection has ended. */
  onDisconnect(reason: GGWebSocketDisconnectReason): void;
  /** It is over for good, after there had been a connection. */
  onEnd(reason: GGWebSocketCloseReason, error?: AnyError): void;
}

/**
 * A client's time from `connect()` until it is over for good: connections, one after the other, and the waits between.
 * At any moment there is one attempt, one socket or one wait.
 */
export class Session {
  readonly #plan: SessionPlan;
  readonly #abort = new AbortController();
  #socket: GGSocket | undefined;
  #connectedAt = 0;
  #ready: Promise<void>;
  #isAttempting = false;
  #wasConnected = false;
  #isDroppedOnPurpose = false;
  #wake: (() => void) | undefined;
  #isOver = false;

  constructor(plan: SessionPlan) {
    this.#plan = plan;
    this.#ready = this.#attempt().catch((error) => {
      this.#isOver = true;
      throw error;
    });
    this.#ready.catch(() => {});
  }

  /** The connection of the moment. */
  get socket(): GGSocket | undefined {
    return this.#socket;
  }

  /** Whether a connection was lost and another is being made. */
  get isReconnecting(): boolean {
    return this.#wasConnected && !this.#socket && !this.#isOver;
  }

  /** Whether there will be no connection after this one, if there is one. */
  get isEnding(): boolean {
    return this.#isOver || this.#isLeaving;
  }

  /** Resolves when connected and set up; rejects when it is over without. */
  get ready(): Promise<void> {
    return this.#ready;
  }

  /** No more connections after this one; whoever calls it closes the socket of the moment, if there is one. */
  leave(): void {
    if (this.#isLeaving) return;
    this.#abort.abort();
    this.#wake?.();
    if (!this.#socket && this.#wasConnected) this.#end("manual");
  }

  /** Drops the connection, or ends the wait, and connects at once. */
  reconnectNow(): void {
    this.#isDroppedOnPurpose = this.#socket !== undefined;
    this.#wake?.();
    this.#socket?.terminate();
  }

  get #isLeaving(): boolean {
    return this.#abort.signal.aborted;
  }

  /** Makes one connection; rejects when that fails. */
  async #attempt(): Promise<void> {
    if (this.#isLeaving) throw this.#closedMeanwhile();
    this.#isAttempting = true;
    let made: GGSocket | undefined;
    try {
      await this.#unlessLeaving(
        this.#plan.open((socket) => {
          made = socket;
          this.#opened(socket);
        }, this.#abort.signal),
      );
      if (!made?.isOpen) throw connectionError(this.#plan.apiName, "the connection was lost while it was set up");
      this.#wasConnected = true;
    } catch (thrown) {
      this.#socket = undefined;
      made?.close();
      throw thrownError(thrown);
    } finally {
      this.#isAttempting = false;
    }
  }

  #opened(socket: GGSocket): void {
    this.#socket = socket;
    this.#connectedAt = performance.now();
    socket.onClose((code, reason) => {
      if (this.#socket === socket && !this.#isAttempting) this.#lost(code, reason);
    });
  }

  #lost(code: number, reason: string): void {
    this.#socket = undefined;
    const isOnPurpose = this.#isDroppedOnPurpose;
    this.#isDroppedOnPurpose = false;
    this.#plan.onDisconnect(this.#isLeaving || isOnPurpose ? "manual" : "drop");
    if (this.#isOver) return;
    if (this.#isLeaving) return this.#end("manual");
    this.#plan.policy?.lasted(performance.now() - this.#connectedAt);
    const error = isOnPurpose ? undefined : closedError(this.#plan.apiName, code, reason);
    this.#ready = this.#reconnect(error);
    this.#ready.catch(() => {});
  }

  /** Attempts until one succeeds or it makes no sense any more; at once when there is no `error` to recover from. */
  async #reconnect(error: AnyError | undefined): Promise<void> {
    for (let failure = error; ; ) {
      if (failure) {
        const next = this.#plan.policy?.next(failure) ?? "drop";
        if (typeof next === "string") {
          this.#end(next, failure);
          throw failure;
        }
        await this.#wait(next.delay);
      }
      try {
        return await this.#attempt();
      } catch (thrown) {
        if (this.#isLeaving) {
          this.#end("manual");
          throw thrown;
        }
        failure = thrown as AnyError;
      }
    }
  }

  /** Until the time is over, the platform says that it is worth trying, or somebody wants it now. */
  async #wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      // Unlike a deadline this keeps a Node process alive: during an outage it may be all that does.
      const timer = setTimeout(resolve, ms);
      const stopListening = this.#plan.onWake(() => this.#wake?.());
      this.#wake = () => {
        clearTimeout(timer);
        stopListening();
        this.#wake = undefined;
        resolve();
      };
    });
    this.#wake?.();
  }

  /** `work`, or a rejection as soon as the client is closed. */
  #unlessLeaving(work: Promise<void>): Promise<void> {
    const { signal } = this.#abort;
    return new Promise((resolve, reject) => {
      const fail = () => reject(this.#closedMeanwhile());
      signal.addEventListener("abort", fail);
      work.then(resolve, reject).finally(() => signal.removeEventListener("abort", fail));
    });
  }

  #closedMeanwhile(): AnyError {
    return connectionError(this.#plan.apiName, "the client was closed while it was connecting");
  }

  #end(reason: GGWebSocketCloseReason, error?: AnyError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#plan.onEnd(reason, error);
  }
}
