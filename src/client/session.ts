import type { GGWebSocketCloseReason, GGWebSocketDisconnectReason } from "../api/client.js";
import type { Connection } from "../connection/connection.js";
import { setDeadline } from "../connection/deadlines.js";
import { type AnyError, thrownError } from "../connection/methods/outcome.js";
import { CloseCode } from "../protocol/closeCodes.js";
import { CLOSED_MEANWHILE, closedWith, connectionError } from "./errors.js";
import type { ReconnectPolicy } from "./reconnect.js";

/** What an attempt to connect reports on its way. */
export interface AttemptHooks {
  /** There is something to give up from now on, by this. */
  onBegin(giveUp: () => void): void;
  /** There is a connection, which is yet to be set up. */
  onOpen(connection: Connection): void;
  /** The server of a connection is going away: connect elsewhere in this many ms. */
  onDrain(delayMs: number): void;
}

/** What a session needs of its client. */
export interface SessionPlan {
  readonly apiName: string;
  /** Without one, a dropped connection is the end. */
  readonly policy: ReconnectPolicy | undefined;
  /** Makes one connection, and resolves with it when it is set up. */
  open(hooks: AttemptHooks): Promise<Connection>;
  /** See `ClientPlatform.onWake`. */
  onWake(callback: () => void): () => void;
  /** A connection has ended. */
  onDisconnect(reason: GGWebSocketDisconnectReason): void;
  /** It is over for good, after there had been a connection. */
  onEnd(reason: GGWebSocketCloseReason, error?: AnyError): void;
}

/** Created lazily: capturing the stack trace of an error is expensive. */
type Failure = () => AnyError;

/** A client's time from `connect()` until it is over for good. */
export interface Session {
  /** The connection of the moment, or the last one. */
  readonly currentConnection?: Connection;
  /** Resolves when connected and set up; when it is over without, with what makes the error that says why. */
  readonly whenReady: Promise<Failure | undefined>;
  /** Whether there was a connection before. */
  readonly wasConnected: boolean;
  /** Whether there will be no connection after this one, if there is one. */
  readonly isOver: boolean;
  /** No more connections after this one, which the caller closes. */
  leave(): Connection | undefined;
  /** Drops the connection, or ends the wait, and connects at once. */
  reconnectNow(): void;
}

/**
 * Where a session stands: an attempt with its set-ups, a connection, the time between two of these, or the end. ARCHITECTURE.md
 * draws what leads from one to another.
 */
enum SessionState {
  CONNECTING,
  CONNECTED,
  WAITING,
  CLOSED,
}

/** A page that is shown again learns of that a moment before it learns that its connection is gone, in ms. */
const WAKE_MOMENT = 1_000;

/** Makes connections, one after the other, with waits between. */
export function startSession({ apiName, policy, open, onWake, onDisconnect, onEnd }: SessionPlan): Session {
  let state: SessionState = SessionState.CONNECTING;
  /** Whether another attempt follows the one or the connection at hand at once, whatever the policy says. */
  let isNextNow = false;
  /** Ends the attempt at hand. */
  let giveUp: () => void;
  /** Ends the wait at hand. */
  let stopWaiting = () => {};
  /** Takes leave of the connection at hand, which has closed or will, and goes on to what follows. */
  let lose: (reason: GGWebSocketDisconnectReason, code?: CloseCode, text?: string) => void;
  let settleReady: (failure?: Failure) => void;
  let wokenAt = -WAKE_MOMENT;

  const session: { -readonly [Key in keyof Session]: Session[Key] } = {
    whenReady: expectReady(),
    wasConnected: false,
    isOver: false,
    leave() {
      session.isOver = true;
      stopWaking();
      stopWaiting();
      if (state === SessionState.CONNECTING) giveUp();
      return session.currentConnection;
    },
    reconnectNow() {
      isNextNow = true;
      stopWaiting();
      if (state !== SessionState.CONNECTED) return;
      lose("manual");
      session.currentConnection?.terminate();
    },
  };
  const stopWaking = onWake(() => {
    wokenAt = performance.now();
    stopWaiting();
  });
  run();
  return session;

  async function run(): Promise<void> {
    for (;;) {
      const why = await connectOnce();
      if (!isNextNow && !session.isOver) {
        const error = why();
        const decision = session.wasConnected && policy ? policy.next(error) : "drop";
        if (typeof decision === "string") return end(decision, error);
        await wait(decision);
      }
      if (session.isOver) return end("manual");
      isNextNow = false;
    }
  }

  /** One connection, from the attempt to its end. Resolves with why there is none any more. */
  function connectOnce(): Promise<Failure> {
    return new Promise((resolve) => {
      let giveUpDialling: (() => void) | undefined;
      let whyClosed: Failure | undefined;
      let cancelDrain: (() => void) | undefined;
      const leaveState = (why: Failure) => {
        if (state !== SessionState.CLOSED) state = SessionState.WAITING;
        resolve(why);
      };
      const fail = (thrown: unknown) => {
        session.currentConnection?.close();
        leaveState(() => thrownError(thrown));
      };
      state = SessionState.CONNECTING;
      // Whatever it is waiting for: a `beforeConnect` may take its time.
      giveUp = () => {
        giveUpDialling?.();
        fail(connectionError(apiName, CLOSED_MEANWHILE));
      };

      open({
        onBegin(cancel) {
          giveUpDialling = cancel;
          if (session.isOver) cancel();
        },
        onOpen(connection) {
          const openedAt = performance.now();
          session.currentConnection = connection;
          lose = (reason, code = CloseCode.ABNORMAL, text) => {
            const why = () => connectionError(apiName, closedWith(code, text), code);
            whyClosed = why;
            if (state !== SessionState.CONNECTED) return;
            leaveState(why);
            session.whenReady = expectReady();
            policy?.lasted(performance.now() - openedAt);
            onDisconnect(reason);
          };
          connection.onClose((...end) => {
            cancelDrain?.();
            // A connection that was replaced, by a drain or by the program, closes in its own time.
            if (session.currentConnection === connection) lose(session.isOver ? "manual" : "drop", ...end);
          });
        },
        onDrain(delayMs) {
          cancelDrain ??= setDeadline(delayMs, () => {
            const connection = session.currentConnection;
            if (state !== SessionState.CONNECTED || session.isOver) return;
            // What is in flight finishes on this connection, while the next one is made.
            session.currentConnection = undefined;
            isNextNow = true;
            lose("drop", CloseCode.SERVICE_RESTART);
            connection?.closeGracefully();
          });
        },
      }).then((connection) => {
        if (!connection.isOpen) return fail(whyClosed?.());
        state = SessionState.CONNECTED;
        isNextNow = false;
        session.wasConnected = true;
        settleReady();
      }, fail);
    });
  }

  /** Until the time is over, the platform says that it is worth trying, or the program wants it now. */
  function wait(ms: number): Promise<void> {
    const isJustWoken = performance.now() - wokenAt < WAKE_MOMENT;
    wokenAt = -WAKE_MOMENT;
    return new Promise((resolve) => {
      // Unlike a deadline this keeps a Node process alive: during an outage it may be all that does.
      const timer = setTimeout(resolve, isJustWoken ? 0 : ms);
      stopWaiting = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  function expectReady(): Session["whenReady"] {
    return new Promise((resolve) => {
      settleReady = resolve;
    });
  }

  function end(reason: GGWebSocketCloseReason, error?: AnyError): void {
    state = SessionState.CLOSED;
    session.isOver = true;
    stopWaking();
    settleReady(() => error ?? connectionError(apiName, CLOSED_MEANWHILE));
    if (session.wasConnected) onEnd(reason, error);
  }
}
