import type { GGWebSocketCloseReason, GGWebSocketDisconnectReason } from "../contract/client.js";
import type { Connection } from "../socket/connection.js";
import { type AnyError, thrownError } from "../socket/outcome.js";
import { CLOSED_MEANWHILE, closedWith, connectionError } from "./connectionError.js";
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

/** A client's time from `connect()` until it is over for good. */
export interface Session {
  /** The connection of the moment. */
  readonly connection?: Connection;
  /** Resolves when connected and set up; rejects when it is over without. */
  readonly ready: Promise<void>;
  /** Whether there was a connection before. */
  readonly wasConnected: boolean;
  /** Whether there will be no connection after this one, if there is one. */
  readonly isEnding: boolean;
  /** No more connections after this one; whoever calls it closes the connection of the moment, if there is one. */
  leave(): void;
  /** Drops the connection, or ends the wait, and connects at once. */
  reconnectNow(): void;
}

/** A page that is shown again hears of that a moment before it hears that its line is gone, in ms. */
const WAKE_MOMENT = 1_000;

/**
 * Makes connections, one after the other, with waits between. At any moment there is one attempt, one connection or one
 * wait.
 */
export function startSession({ apiName, policy, open, onWake, onDisconnect, onEnd }: SessionPlan): Session {
  let isReady: boolean;
  let settleReady: (error?: AnyError) => void;
  /** Somebody wants another connection now. */
  let isHurried = false;
  let cancelAttempt: (() => void) | undefined;
  let endWait: (() => void) | undefined;
  let wokenAt = Number.NEGATIVE_INFINITY;
  const over = new AbortController();

  const session: { -readonly [Key in keyof Session]: Session[Key] } = {
    ready: expectReady(),
    wasConnected: false,
    isEnding: false,
    leave() {
      session.isEnding = true;
      cancelAttempt?.();
      endWait?.();
    },
    reconnectNow() {
      isHurried = true;
      endWait?.();
      if (isReady) session.connection?.terminate();
    },
  };
  onWake(() => {
    wokenAt = performance.now();
    endWait?.();
  }, over.signal);
  run();
  return session;

  async function run(): Promise<void> {
    for (;;) {
      const error = await connectOnce();
      if (!isHurried && !session.isEnding) {
        const next = session.wasConnected && policy ? policy.next(error) : "drop";
        if (typeof next === "string") return end(next, error);
        await wait(next);
      }
      if (session.isEnding) return end("manual");
      isHurried = false;
    }
  }

  /** One connection, from the attempt to its end. Resolves with why it ended. */
  async function connectOnce(): Promise<AnyError> {
    let ended: Promise<AnyError> | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const attempt = new AbortController();
        cancelAttempt = () => {
          attempt.abort();
          // Whatever it is waiting for: a `beforeConnect` may take its time.
          reject(connectionError(apiName, CLOSED_MEANWHILE));
        };
        const onOpen = (connection: Connection) => {
          session.connection = connection;
          ended = endOf(connection);
        };
        open(onOpen, attempt.signal).then(resolve, reject);
      });
      if (!session.connection || !ended) throw connectionError(apiName, "the connection was lost while it was set up");
    } catch (thrown) {
      session.connection?.close();
      session.connection = undefined;
      return thrownError(thrown);
    }
    session.wasConnected = true;
    isReady = true;
    isHurried = false;
    settleReady();
    return ended;
  }

  function endOf(connection: Connection): Promise<AnyError> {
    const connectedAt = performance.now();
    return new Promise((resolve) => {
      connection.onClose((code, reason) => {
        if (session.connection === connection) session.connection = undefined;
        if (!isReady) return;
        session.ready = expectReady();
        policy?.lasted(performance.now() - connectedAt);
        onDisconnect(isHurried || session.isEnding ? "manual" : "drop");
        resolve(connectionError(apiName, closedWith(code, reason), undefined, code));
      });
    });
  }

  /** Until the time is over, the platform says that it is worth trying, or somebody wants it now. */
  function wait(ms: number): Promise<void> {
    const isJustWoken = performance.now() - wokenAt < WAKE_MOMENT;
    wokenAt = Number.NEGATIVE_INFINITY;
    return new Promise((resolve) => {
      endWait = () => {
        clearTimeout(timer);
        resolve();
      };
      // Unlike a deadline this keeps a Node process alive: during an outage it may be all that does.
      const timer = setTimeout(endWait, isJustWoken ? 0 : ms);
    });
  }

  function expectReady(): Promise<void> {
    isReady = false;
    const ready = new Promise<void>((resolve, reject) => {
      settleReady = (error) => (error ? reject(error) : resolve());
    });
    // Nobody need be waiting for it.
    ready.catch(() => {});
    return ready;
  }

  function end(reason: GGWebSocketCloseReason, error?: AnyError): void {
    session.isEnding = true;
    over.abort();
    settleReady(error ?? connectionError(apiName, CLOSED_MEANWHILE));
    if (session.wasConnected) onEnd(reason, error);
  }
}
