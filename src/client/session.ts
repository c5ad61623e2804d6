import type {
  ClientState,
  ClientStateDetail,
  GGWebSocketCloseReason,
  GGWebSocketDisconnectReason,
} from "../api/client.js";
import type { Connection } from "../connection/connection.js";
import { setDeadline } from "../connection/deadlines.js";
import { type AnyError, thrownError } from "../connection/methods/outcome.js";
import { ABORTED, closedWith, connectionError } from "./errors.js";
import type { ReconnectPolicy } from "./reconnect.js";

/** What an attempt to connect reports on its way. */
export interface AttemptHooks {
  /** The attempt can be aborted from now on, by this function. */
  onBegin(giveUp: () => void): void;
  /** There is a connection, which is yet to be set up. */
  onOpen(connection: Connection): void;
  /** The server of this connection is going away: reconnect in this many ms. */
  onDrain(delayMs: number): void;
}

/** What a program is told of a session, by the names of the client's methods. */
export interface SessionCallbacks {
  /** The state, or what is known of it, has changed. */
  onState(state: ClientState, detail: ClientStateDetail): void;
  /** A connection has ended. */
  onDisconnect(reason: GGWebSocketDisconnectReason): void;
  /** The session is over, after at least one connection. */
  onClose(reason: GGWebSocketCloseReason, error?: AnyError): void;
}

/** An event of a session: the name of the client's method, and what its callbacks get. */
export type SessionEvent = {
  readonly [Name in keyof SessionCallbacks]: readonly [Name, ...Parameters<SessionCallbacks[Name]>];
}[keyof SessionCallbacks];

/** What a session needs of its client. */
export interface SessionPlan {
  readonly apiName: string;
  /** Without one, a dropped connection is the end. */
  readonly policy: ReconnectPolicy | undefined;
  /** Makes one connection, and resolves with it when it is set up. */
  open(hooks: AttemptHooks): Promise<Connection>;
  /** See `ClientPlatform.onWake`. */
  onWake(callback: () => void): () => void;
  /** Runs the callbacks of these events, one after the other, behind those of earlier events. */
  notify(...events: readonly SessionEvent[]): void;
}

/** Created lazily: capturing the stack trace of an error is expensive. */
type Failure = () => AnyError;

/** A client's life from `connect()` until no further attempt follows. */
export interface Session {
  readonly currentState: ClientState;
  /** Takes the calls: the latest connection, unless it is lost. One that replaces it does so when it is set up. */
  readonly currentConnection?: Connection | undefined;
  /** Resolves when connected and set up; with a failure when the session ends without. */
  readonly whenReady: Promise<Failure | undefined>;
  /** Whether no further connection follows. */
  readonly isOver: boolean;
  /** Makes the first attempt. What that calls may call the client, which must have its session by then. */
  begin(): void;
  /** Ends the session; returns its open connections, which the caller closes. */
  endSession(): Iterable<Connection>;
  /** Reports the end of a session that is over, before the next one begins, whether or not its connection has closed. */
  concludeSession(): void;
  /** Terminates the connection, or ends the delay or an attempt that takes long, and connects at once. */
  reconnectNow(): void;
}

/**
 * A page that becomes visible gets that event up to this long before the close of its connection, in ms. An attempt that has
 * taken longer is one that takes long.
 */
const MOMENT = 1_000;

/** Makes connections, one after the other, with delays between. ARCHITECTURE.md draws its states. */
export function startSession({ apiName, policy, open, onWake, notify }: SessionPlan): Session {
  /** Those that are open: the current one, one that is set up, and earlier ones that finish what is in flight. */
  const connections = new Set<Connection>();
  /** The one that is set up. */
  let candidate: Connection | undefined;
  /** When the current one was accepted. */
  let openedAt = 0;
  let wasConnected = false;
  /** Whether a connection was lost that may never have been set up. */
  let wasLost = false;
  let hasEnded = false;
  let isDialling = false;
  let dialledAt = 0;
  /** Whether the next attempt follows at once, whatever the policy says. */
  let isNextNow = false;
  /** How many attempts there were since there was a connection, when the next one follows, and why there is none. */
  let attempt = 0;
  let nextTryAt: number | undefined;
  let error: AnyError | undefined;
  /** Aborts the current attempt. */
  let giveUp = () => {};
  /** Ends the current delay. */
  let stopWaiting = () => {};
  let settleReady: (failure?: Failure) => void;
  let wokenAt = -MOMENT;

  const session: { -readonly [Key in keyof Session]: Session[Key] } = {
    currentState: "connecting",
    whenReady: expectReady(),
    isOver: false,
    begin: () => void dial(0),
    endSession() {
      if (!session.isOver) {
        session.isOver = true;
        error = undefined;
        stopWaking();
        stopWaiting();
        giveUp();
        // Its close is the end.
        if (session.currentConnection) notify(become("closed"));
        else end("manual");
      }
      return connections;
    },
    concludeSession: () => end("manual", session.currentConnection && "manual"),
    reconnectNow() {
      const connection = session.currentConnection;
      isNextNow = true;
      stopWaiting();
      if (isDialling && performance.now() - dialledAt > MOMENT) giveUp();
      if (session.currentState !== "connected") return;
      lose("manual", () => connectionError(apiName, "replaced", { reason: "disconnected" }));
      connection?.terminate();
    },
  };
  const stopWaking = onWake(() => {
    wokenAt = performance.now();
    stopWaiting();
  });
  return session;

  /** Attempts to connect, first in this many ms, until there is a connection or none will be. */
  async function dial(delay: number): Promise<void> {
    let wait: ReturnType<typeof next> = delay;
    isDialling = true;
    while (!session.isOver && typeof wait === "number") {
      if (wait > 0 && !isNextNow) await pause(wait);
      isNextNow = false;
      nextTryAt = undefined;
      dialledAt = performance.now();
      attempt++;
      if (!session.isOver) report();
      // The callback may have ended the session.
      if (session.isOver) break;
      const why = await connectOnce();
      if (!why) return;
      if (session.isOver) break;
      wait = next(why());
      if (typeof wait === "number") report();
      // A connection that is to be replaced still serves; the end comes with its close.
      else if (session.currentState !== "connected") end(wait);
    }
    isDialling = false;
  }

  /** One attempt. Resolves with why it failed, if it did. */
  function connectOnce(): Promise<Failure | undefined> {
    return new Promise((resolve) => {
      let giveUpDialling: (() => void) | undefined;
      let isDone = false;
      let connection: Connection | undefined;
      let acceptedAt = 0;
      let cancelDrain: (() => void) | undefined;
      let isDrainDue = false;
      const settle = (why?: Failure) => {
        isDone = true;
        candidate = undefined;
        resolve(why);
      };
      const fail = (why: Failure) => {
        if (isDone) return;
        settle(why);
        if (session.currentConnection === connection) session.currentConnection = undefined;
        connection?.close();
      };
      // It serves until there is another, and then finishes what is in flight.
      const replaceIfDue = () => {
        if (isDrainDue && session.currentConnection === connection && !isDialling && !session.isOver) dial(0);
      };
      // Works also while `beforeConnect` is pending, before there is a transport.
      giveUp = () => {
        giveUpDialling?.();
        fail(() => connectionError(apiName, ...ABORTED));
      };

      open({
        onBegin(cancel) {
          giveUpDialling = cancel;
          if (isDone) cancel();
        },
        onOpen(opened) {
          acceptedAt = performance.now();
          candidate = connection = opened;
          connections.add(opened);
          if (!session.currentConnection) serve();
          opened.onClose((closeCode, text) => {
            const why = () =>
              connectionError(apiName, closedWith(closeCode, text), { reason: "disconnected", closeCode });
            cancelDrain?.();
            connections.delete(opened);
            if (!isDone) {
              // A connection that is lost in its set-up is one to get back.
              wasLost = true;
              fail(why);
            } else if (session.currentConnection === opened) lose("drop", why);
          });
        },
        onDrain(delayMs) {
          if (cancelDrain) return;
          const wait = policy?.drained(performance.now() - acceptedAt) ?? 0;
          cancelDrain = setDeadline(delayMs + wait, () => {
            isDrainDue = true;
            replaceIfDue();
          });
        },
      }).then(
        (opened) => {
          // Its close reports the failure.
          if (isDone || !opened.isOpen) return;
          const previous = session.currentConnection;
          settle();
          serve();
          wasConnected = true;
          isDialling = isNextNow = false;
          attempt = 0;
          error = undefined;
          // First: what a callback does may begin the next attempt, with a promise of its own.
          settleReady();
          if (session.currentState !== "connected") notify(become("connected"));
          else if (previous !== opened) {
            // Calls end by their own time limits, or with the server.
            previous?.closeGracefully(undefined, undefined, Number.POSITIVE_INFINITY);
            notify(["onDisconnect", "drop"]);
          }
          replaceIfDue();
        },
        (thrown) => fail(() => thrownError(thrown)),
      );

      function serve(): void {
        session.currentConnection = connection;
        openedAt = acceptedAt;
      }
    });
  }

  /** The current connection has closed, or will. */
  function lose(reason: GGWebSocketDisconnectReason, why: Failure): void {
    policy?.lasted(performance.now() - openedAt);
    if (session.isOver) return end("manual", "manual");
    // As when it was made again, one that is set up takes calls.
    session.currentConnection = candidate;
    openedAt = performance.now();
    session.whenReady = expectReady();
    error = why();
    // While an attempt to replace it is under way, or follows, that decides.
    const then = isDialling ? undefined : next(error);
    if (typeof then === "string") return end(then, reason);
    if (isDialling) attempt = nextTryAt === undefined ? 1 : 0;
    notify(["onDisconnect", reason], become("reconnecting"));
    if (then !== undefined) dial(then);
  }

  /** What follows a failure: an attempt in this many ms, or the end. */
  function next(failure: AnyError): number | GGWebSocketCloseReason {
    error = failure;
    let decision: ReturnType<typeof next> = isNextNow ? 1 : "drop";
    if (policy && !isNextNow && (wasConnected || wasLost || policy.initial)) decision = policy.next(failure, attempt);
    const isJustWoken = performance.now() - wokenAt < MOMENT;
    wokenAt = -MOMENT;
    if (typeof decision !== "number") return decision;
    // An attempt that fails before it dials ends in promise jobs: without a timer in between, nothing else would run.
    const delay = isJustWoken ? 1 : Math.max(decision, 1);
    nextTryAt = Date.now() + delay;
    return delay;
  }

  /** Resolves when the time is over, the platform wakes, or the program reconnects or ends the session. */
  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      // During an outage it may be all that keeps a Node process alive.
      const cancel = setDeadline(ms, resolve, true);
      stopWaiting = () => {
        cancel();
        resolve();
      };
    });
  }

  function expectReady(): Session["whenReady"] {
    return new Promise((resolve) => {
      settleReady = resolve;
    });
  }

  /** An attempt is under way, or follows; nothing to report while a connection serves. */
  function report(): void {
    if (session.currentState !== "connected") notify(become(wasConnected ? "reconnecting" : "connecting"));
  }

  /** Changes the state; returns the event. */
  function become(state: ClientState): SessionEvent {
    session.currentState = state;
    return ["onState", state, { attempt, error, nextTryAt }];
  }

  function end(reason: GGWebSocketCloseReason, disconnected?: GGWebSocketDisconnectReason): void {
    if (hasEnded) return;
    hasEnded = session.isOver = true;
    nextTryAt = undefined;
    stopWaking();
    settleReady(() => error ?? connectionError(apiName, ...ABORTED));
    const events: SessionEvent[] = [];
    if (disconnected) events.push(["onDisconnect", disconnected]);
    if (session.currentState !== "closed") events.push(become("closed"));
    if (wasConnected) events.push(["onClose", reason, error]);
    notify(...events);
  }
}
