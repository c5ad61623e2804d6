import type { GGWebSocketCloseReason, GGWebSocketDisconnectReason } from "../api/client.js";
import type { Connection } from "../connection/connection.js";
import { setDeadline } from "../connection/deadlines.js";
import { type AnyError, thrownError } from "../connection/methods/outcome.js";
import { CloseCode } from "../protocol/closeCodes.js";
import { CLOSED_MEANWHILE, closedWith, connectionError } from "./errors.js";
import type { ReconnectPolicy } from "./reconnect.js";

/** What an attempt to connect reports on its way. */
export interface AttemptHooks {
  /** The attempt can be aborted from now on, by this function. */
  onBegin(giveUp: () => void): void;
  /** There is a connection, which is yet to be set up. */
  onOpen(connection: Connection): void;
  /** The server of a connection is going away: reconnect in this many ms. */
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
  /** The session is over, after at least one connection. */
  onEnd(reason: GGWebSocketCloseReason, error?: AnyError): void;
}

/** Created lazily: capturing the stack trace of an error is expensive. */
type Failure = () => AnyError;

/** A client's life from `connect()` until no further attempt follows. */
export interface Session {
  /** The current connection, or the last one. */
  readonly currentConnection?: Connection;
  /** Resolves when connected and set up; with a failure when the session ends without. */
  readonly whenReady: Promise<Failure | undefined>;
  /** Whether there was a connection before. */
  readonly wasConnected: boolean;
  /** Whether no further connection follows. */
  readonly isOver: boolean;
  /** Ends the session; returns its connection, which the caller closes. */
  endSession(): Connection | undefined;
  /** Terminates the connection, or ends the delay, and connects at once. */
  reconnectNow(): void;
}

/**
 * The state of a session: an attempt with its set-ups, a connection, the delay between two of these, or the end.
 * ARCHITECTURE.md draws the transitions.
 */
enum SessionState {
  CONNECTING,
  CONNECTED,
  WAITING,
  CLOSED,
}

/** A page that becomes visible gets that event up to this long before the close of its connection, in ms. */
const WAKE_MOMENT = 1_000;

/** Makes connections, one after the other, with delays between. */
export function startSession({ apiName, policy, open, onWake, onDisconnect, onEnd }: SessionPlan): Session {
  let state: SessionState = SessionState.CONNECTING;
  /** Whether the next attempt follows at once, whatever the policy says. */
  let isNextNow = false;
  /** Aborts the current attempt. */
  let giveUp: () => void;
  /** Ends the current delay. */
  let stopWaiting = () => {};
  /** Gives up the current connection, which has closed or will, and moves on to the next state. */
  let lose: (reason: GGWebSocketDisconnectReason, code?: CloseCode, text?: string) => void;
  let settleReady: (failure?: Failure) => void;
  let wokenAt = -WAKE_MOMENT;

  const session: { -readonly [Key in keyof Session]: Session[Key] } = {
    whenReady: expectReady(),
    wasConnected: false,
    isOver: false,
    endSession() {
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

  /** One connection, from the attempt to its end. Resolves with why it ended. */
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
      // Works also while `beforeConnect` is pending, before there is a transport.
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
            // The close of a connection that was replaced, by a drain or by the program, is no drop.
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

  /** Resolves when the time is over, the platform wakes, or the program reconnects or ends the session. */
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
