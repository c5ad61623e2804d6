import type { GGWebSocketCloseReason, GGWebSocketDisconnectReason } from "../contract/client.js";
import { type AnyError, thrownError } from "../socket/outcome.js";
import type { GGSocket } from "../socket/socket.js";
import { closedWith, connectionError } from "./connectionError.js";
import type { ReconnectPolicy } from "./reconnect.js";

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
  #wasConnected = false;
  #isReady = false;
  /** Somebody wants another connection now. */
  #isHurried = false;
  #wake: (() => void) | undefined;
  #ready!: Promise<void>;
  #settleReady!: (error?: AnyError) => void;

  constructor(plan: SessionPlan) {
    this.#plan = plan;
    this.#expectReady();
    this.#run();
  }

  /** The connection of the moment. */
  get socket(): GGSocket | undefined {
    return this.#socket;
  }

  /** Resolves when connected and set up; rejects when it is over without. */
  get ready(): Promise<void> {
    return this.#ready;
  }

  /** Whether there was a connection before. */
  get wasConnected(): boolean {
    return this.#wasConnected;
  }

  /** Whether there will be no connection after this one, if there is one. */
  get isEnding(): boolean {
    return this.#abort.signal.aborted;
  }

  /** No more connections after this one; whoever calls it closes the socket of the moment, if there is one. */
  leave(): void {
    this.#abort.abort();
    this.#wake?.();
  }

  /** Drops the connection, or ends the wait, and connects at once. */
  reconnectNow(): void {
    this.#isHurried = true;
    this.#wake?.();
    if (this.#isReady) this.#socket?.terminate();
  }

  async #run(): Promise<void> {
    const { policy } = this.#plan;
    for (;;) {
      const error = await this.#connection();
      if (!this.#isHurried && !this.isEnding) {
        const next = this.#wasConnected && policy ? policy.next(error) : "drop";
        if (typeof next === "string") return this.#end(next, error);
        await this.#wait(next);
      }
      if (this.isEnding) return this.#end("manual");
      this.#isHurried = false;
    }
  }

  /** One connection, from the attempt to its end. Resolves with why it ended. */
  async #connection(): Promise<AnyError> {
    let ended: Promise<AnyError> | undefined;
    try {
      const opening = this.#plan.open((socket) => {
        this.#socket = socket;
        ended = this.#endOf(socket);
      }, this.#abort.signal);
      await this.#unlessEnding(opening);
      if (!this.#socket || !ended) throw this.#error("the connection was lost while it was set up");
    } catch (thrown) {
      this.#socket?.close();
      this.#socket = undefined;
      return thrownError(thrown);
    }
    this.#wasConnected = true;
    this.#isReady = true;
    this.#isHurried = false;
    this.#settleReady();
    return ended;
  }

  #endOf(socket: GGSocket): Promise<AnyError> {
    const { policy, onDisconnect } = this.#plan;
    const connectedAt = performance.now();
    return new Promise((resolve) => {
      socket.onClose((code, reason) => {
        if (this.#socket === socket) this.#socket = undefined;
        if (!this.#isReady) return;
        this.#expectReady();
        policy?.lasted(performance.now() - connectedAt);
        onDisconnect(this.#isHurried || this.isEnding ? "manual" : "drop");
        resolve(this.#error(closedWith(code, reason), code));
      });
    });
  }

  /** Until the time is over, the platform says that it is worth trying, or somebody wants it now. */
  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        stopListening();
        this.#wake = undefined;
        resolve();
      };
      // Unlike a deadline this keeps a Node process alive: during an outage it may be all that does.
      const timer = setTimeout(wake, ms);
      const stopListening = this.#plan.onWake(wake);
      this.#wake = wake;
    });
  }

  /** `work`, or a rejection as soon as the client is closed. */
  #unlessEnding(work: Promise<void>): Promise<void> {
    const { signal } = this.#abort;
    return new Promise((resolve, reject) => {
      const fail = () => reject(this.#error(CLOSED));
      signal.addEventListener("abort", fail);
      work.then(resolve, reject).finally(() => signal.removeEventListener("abort", fail));
    });
  }

  #expectReady(): void {
    this.#isReady = false;
    this.#ready = new Promise((resolve, reject) => {
      this.#settleReady = (error) => (error ? reject(error) : resolve());
    });
    // Nobody need be waiting for it.
    this.#ready.catch(() => {});
  }

  #end(reason: GGWebSocketCloseReason, error?: AnyError): void {
    this.#abort.abort();
    this.#settleReady(error ?? this.#error(CLOSED));
    if (this.#wasConnected) this.#plan.onEnd(reason, error);
  }

  #error(why: string, closeCode?: number): AnyError {
    return connectionError(this.#plan.apiName, why, undefined, closeCode);
  }
}

const CLOSED = "the client was closed while it was connecting";
