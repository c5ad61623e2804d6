import type { GGWebSocketCloseReason, GGWebSocketDisconnectReason } from "../contract/client.js";
import type { Connection } from "../socket/connection.js";
import { type AnyError, thrownError } from "../socket/outcome.js";
import { closedWith, connectionError } from "./connectionError.js";
import type { ReconnectPolicy } from "./reconnect.js";

/** What a session needs of its client. */
export interface SessionPlan {
  readonly apiName: string;
  /** Without one, a dropped line is the end. */
  readonly policy: ReconnectPolicy | undefined;
  /** Makes one connection, hands it to `onOpen`, and resolves when it is set up. */
  open(onOpen: (connection: Connection) => void, signal: AbortSignal): Promise<void>;
  /** See `ClientPlatform.onWake`. */
  onWake(callback: () => void, signal: AbortSignal): void;
  /** A connection has ended. */
  onDisconnect(reason: GGWebSocketDisconnectReason): void;
  /** It is over for good, after there had been a connection. */
  onEnd(reason: GGWebSocketCloseReason, error?: AnyError): void;
}

/**
 * A client's time from `connect()` until it is over for good: connections, one after the other, and the waits between.
 * At any moment there is one attempt, one connection or one wait.
 */
export class Session {
  /** The connection of the moment. */
  connection: Connection | undefined;
  /** Resolves when connected and set up; rejects when it is over without. */
  ready!: Promise<void>;
  /** Whether there was a connection before. */
  wasConnected = false;
  /** Whether there will be no connection after this one, if there is one. */
  isEnding = false;
  readonly #plan: SessionPlan;
  #isReady = false;
  /** Somebody wants another connection now. */
  #isHurried = false;
  #settleReady!: (error?: AnyError) => void;
  #cancelAttempt: (() => void) | undefined;
  #endWait: (() => void) | undefined;

  constructor(plan: SessionPlan) {
    this.#plan = plan;
    this.#expectReady();
    this.#run();
  }

  /** No more connections after this one; whoever calls it closes the connection of the moment, if there is one. */
  leave(): void {
    this.isEnding = true;
    this.#cancelAttempt?.();
    this.#endWait?.();
  }

  /** Drops the connection, or ends the wait, and connects at once. */
  reconnectNow(): void {
    this.#isHurried = true;
    this.#endWait?.();
    if (this.#isReady) this.connection?.terminate();
  }

  async #run(): Promise<void> {
    const { policy } = this.#plan;
    for (;;) {
      const error = await this.#connect();
      if (!this.#isHurried && !this.isEnding) {
        const next = this.wasConnected && policy ? policy.next(error) : "drop";
        if (typeof next === "string") return this.#finish(next, error);
        await this.#wait(next);
      }
      if (this.isEnding) return this.#finish("manual");
      this.#isHurried = false;
    }
  }

  /** One connection, from the attempt to its end. Resolves with why it ended. */
  async #connect(): Promise<AnyError> {
    let ended: Promise<AnyError> | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const attempt = new AbortController();
        this.#cancelAttempt = () => {
          attempt.abort();
          // Whatever it is waiting for: a `beforeConnect` may take its time.
          reject(this.#error(CLOSED));
        };
        const onOpen = (connection: Connection) => {
          this.connection = connection;
          ended = this.#endOf(connection);
        };
        this.#plan.open(onOpen, attempt.signal).then(resolve, reject);
      });
      if (!this.connection || !ended) throw this.#error("the connection was lost while it was set up");
    } catch (thrown) {
      this.connection?.close();
      this.connection = undefined;
      return thrownError(thrown);
    }
    this.wasConnected = true;
    this.#isReady = true;
    this.#isHurried = false;
    this.#settleReady();
    return ended;
  }

  #endOf(connection: Connection): Promise<AnyError> {
    const { policy, onDisconnect } = this.#plan;
    const connectedAt = performance.now();
    return new Promise((resolve) => {
      connection.onClose((code, reason) => {
        if (this.connection === connection) this.connection = undefined;
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
    const waiting = new AbortController();
    return new Promise((resolve) => {
      const endWait = () => {
        clearTimeout(timer);
        waiting.abort();
        resolve();
      };
      // Unlike a deadline this keeps a Node process alive: during an outage it may be all that does.
      const timer = setTimeout(endWait, ms);
      this.#plan.onWake(endWait, waiting.signal);
      this.#endWait = endWait;
    });
  }

  #expectReady(): void {
    this.#isReady = false;
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = (error) => (error ? reject(error) : resolve());
    });
    // Nobody need be waiting for it.
    this.ready.catch(() => {});
  }

  #finish(reason: GGWebSocketCloseReason, error?: AnyError): void {
    this.isEnding = true;
    this.#settleReady(error ?? this.#error(CLOSED));
    if (this.wasConnected) this.#plan.onEnd(reason, error);
  }

  #error(why: string, closeCode?: number): AnyError {
    return connectionError(this.#plan.apiName, why, undefined, closeCode);
  }
}

const CLOSED = "the client was closed while it was connecting";
