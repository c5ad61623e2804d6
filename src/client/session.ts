import type {
  ClientState,
  ClientStateDetail,
  GGWebSocketCloseReason,
  GGWebSocketDisconnectReason,
} from "../api/client.js";
import type { Connection } from "../connection/connection.js";
import { setDeadline } from "../connection/deadlines.js";
import { type AnyError, thrownError } from "../connection/methods/outcome.js";
import { abortedError, closedWith, connectionError } from "./errors.js";
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

/** What a session needs of its client. */
export interface SessionPlan {
  readonly apiName: string;
  /** Without one, a dropped connection is the end. */
  readonly policy: ReconnectPolicy | undefined;
  /** Makes one connection, and resolves with it when it is set up. */
  open(hooks: AttemptHooks): Promise<Connection>;
  /** See `ClientPlatform.onWake`. */
  onWake(callback: () => void): () => void;
  /** Runs the callbacks of this name. */
  notify<Name extends keyof SessionCallbacks>(name: Name, ...args: Parameters<SessionCallbacks[Name]>): void;
}

/** Created lazily: capturing the stack trace of an error is expensive. */
type Failure = () => AnyError;

/** A client's life from `connect()` until no further attempt follows. */
export interface Session {
  readonly currentState: ClientState;
  /** Takes the calls: the latest connection, unless it is lost. */
  readonly currentConnection?: Connection | undefined;
  /** Resolves when connected and set up; with a failure when the session ends without. */
  readonly whenReady: Promise<Failure | undefined>;
  /** Whether no further connection follows. */
  readonly isOver: boolean;
  /** Makes the first attempt. What that calls may call the client, which must have its session by then. */
  begin(): void;
  /** Ends the session; returns its open connections, which the caller closes. */
  endSession(): Iterable<Connection>;
  /** Terminates the connection, or ends the delay, and connects at once. */
  reconnectNow(): void;
}

/** A page that becomes visible gets that event up to this long before the close of its connection, in ms. */
const WAKE_MOMENT = 1_000;

/** Makes connections, one after the other, with delays between. ARCHITECTURE.md draws its states. */
export function startSession({ apiName, policy, open, onWake, notify }: SessionPlan): Session {
  /** Those that are open: the current one, and earlier ones that finish what is in flight. */
  const connections = new Set<Connection>();
  let openedAt = 0;
  let wasConnected = false;
  let isDialling = false;
  /** Whether the next attempt follows at once, whatever the policy says. */
  let isNextNow = false;
  /** How many attempts there were since there was a connection, and why there is none. */
  let attempt = 0;
  let error: AnyError | undefined;
  /** Aborts the current attempt. */
  let giveUp = () => {};
  /** Ends the current delay. */
  let stopWaiting = () => {};
  let settleReady: (failure?: Failure) => void;
  let wokenAt = -WAKE_MOMENT;

  const session: { -readonly [Key in keyof Session]: Session[Key] } = {
    currentState: "connecting",
    whenReady: expectReady(),
    isOver: false,
    begin: () => void dial(0),
    endSession() {
      if (!session.isOver) {
        error = undefined;
        finish();
        stopWaiting();
        giveUp();
        if (!session.currentConnection) end("manual");
      }
      return connections;
    },
    reconnectNow() {
      const connection = session.currentConnection;
      isNextNow = true;
      stopWaiting();
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
      attempt++;
      if (!session.isOver) report();
      // The callback may have ended the session.
      if (session.isOver) break;
      const why = await connectOnce();
      if (!why) return;
      if (session.isOver) break;
      wait = next(why());
      if (typeof wait === "number") report(wait);
      // A connection that is to be replaced still serves; the end comes with its close.
      else if (!session.currentConnection) end(wait);
    }
    isDialling = false;
  }

  /** One attempt. Resolves with why it failed, if it did. */
  function connectOnce(): Promise<Failure | undefined> {
    return new Promise((resolve) => {
      let giveUpDialling: (() => void) | undefined;
      let isDone = false;
      let connection: Connection | undefined;
      /** The one that it replaces. */
      let previous: Connection | undefined;
      let cancelDrain: (() => void) | undefined;
      const fail = (why: Failure) => {
        if (isDone) return;
        isDone = true;
        resolve(why);
        if (!connection) return;
        session.currentConnection = previous;
        connection.close();
        if (previous && !previous.isOpen) lose("drop", why);
      };
      // Works also while `beforeConnect` is pending, before there is a transport.
      giveUp = () => {
        giveUpDialling?.();
        fail(() => abortedError(apiName));
      };

      open({
        onBegin(cancel) {
          giveUpDialling = cancel;
          if (isDone) cancel();
        },
        onOpen(opened) {
          openedAt = performance.now();
          connection = opened;
          previous = session.currentConnection;
          session.currentConnection = opened;
          connections.add(opened);
          opened.onClose((closeCode, text) => {
            const why = () =>
              connectionError(apiName, closedWith(closeCode, text), { reason: "disconnected", closeCode });
            cancelDrain?.();
            connections.delete(opened);
            if (!isDone) {
              // A connection that is lost in its set-up is one to get back.
              wasConnected = true;
              fail(why);
            } else if (session.currentConnection === opened) lose("drop", why);
          });
        },
        onDrain(delayMs) {
          if (cancelDrain) return;
          const wait = policy?.drained(performance.now() - openedAt) ?? 0;
          cancelDrain = setDeadline(delayMs + wait, () => {
            // It serves until there is another, and then finishes what is in flight.
            if (session.currentConnection === connection && !isDialling && !session.isOver) dial(0);
          });
        },
      }).then(
        (opened) => {
          // Its close reports the failure.
          if (isDone || !opened.isOpen) return;
          isDone = wasConnected = true;
          isDialling = false;
          attempt = 0;
          error = undefined;
          // First: what a callback does may begin the next attempt, with a promise of its own.
          settleReady();
          resolve(undefined);
          if (session.currentState !== "connected") setState("connected");
          if (!previous) return;
          notify("onDisconnect", "drop");
          previous.closeGracefully();
        },
        (thrown) => fail(() => thrownError(thrown)),
      );
    });
  }

  /** The current connection has closed, or will. */
  function lose(reason: GGWebSocketDisconnectReason, why: Failure): void {
    session.currentConnection = undefined;
    policy?.lasted(performance.now() - openedAt);
    if (session.isOver) return end("manual", "manual");
    session.whenReady = expectReady();
    error = why();
    // While an attempt to replace it is under way, that decides.
    const then = isDialling ? undefined : next(error);
    if (typeof then === "string") return end(then, reason);
    report(then);
    notify("onDisconnect", reason);
    if (then !== undefined) dial(then);
  }

  /** What follows a failure: an attempt in this many ms, or the end. */
  function next(failure: AnyError): number | GGWebSocketCloseReason {
    error = failure;
    if (isNextNow) return 0;
    const decision = policy && (wasConnected || policy.initial) ? policy.next(failure) : "drop";
    const isJustWoken = performance.now() - wokenAt < WAKE_MOMENT;
    wokenAt = -WAKE_MOMENT;
    return isJustWoken && typeof decision === "number" ? 0 : decision;
  }

  /** Resolves when the time is over, the platform wakes, or the program reconnects or ends the session. */
  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      // Unlike a deadline this keeps a Node process alive: during an outage it may be all that does.
      const timer = setTimeout(resolve, ms);
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

  /** There is no connection: an attempt is under way, or follows in this many ms. */
  function report(delay?: number): void {
    if (!session.currentConnection) setState(wasConnected ? "reconnecting" : "connecting", delay);
  }

  function setState(state: ClientState, delay?: number): void {
    session.currentState = state;
    notify("onState", state, { attempt, error, nextTryAt: delay === undefined ? undefined : Date.now() + delay });
  }

  /** No attempt follows any more. */
  function finish(): void {
    if (session.isOver) return;
    session.isOver = true;
    stopWaking();
    setState("closed");
  }

  function end(reason: GGWebSocketCloseReason, disconnected?: GGWebSocketDisconnectReason): void {
    finish();
    settleReady(() => error ?? abortedError(apiName));
    if (disconnected) notify("onDisconnect", disconnected);
    if (wasConnected) notify("onClose", reason, error);
  }
}
