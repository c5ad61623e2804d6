import type { GGWebSocketCloseReason, GGWebSocketDisconnectReason } from "../api/client.js";
import type { Connection } from "../connection/connection.js";
import { after } from "../connection/deadlines.js";
import { type AnyError, thrownError } from "../connection/methods/outcome.js";
import { CloseCode } from "../protocol/closeCodes.js";
import { CLOSED_MEANWHILE, closedWith, connectionError } from "./errors.js";
import type { ReconnectPolicy } from "./reconnect.js";

/** What a session needs of its client. */
export interface SessionPlan {
  readonly apiName: string;
  /** Without one, a dropped line is the end. */
  readonly policy: ReconnectPolicy | undefined;
  /**
   * Makes one connection, hands it to `onOpen`, and resolves with it when it is set up. `onBegin` gets what gives it up,
   * once there is something to give up.
   */
  open(onOpen: (connection: Connection) => void, onBegin: (giveUp: () => void) => void): Promise<Connection>;
  /** See `ClientPlatform.onWake`. */
  onWake(callback: () => void): () => void;
  /** A connection has ended. */
  onDisconnect(reason: GGWebSocketDisconnectReason): void;
  /** It is over for good, after there had been a connection. */
  onEnd(reason: GGWebSocketCloseReason, error?: AnyError): void;
}

/** An error is made only for whoever looks at it: its stack is dear. */
type Failure = () => AnyError;

/** A client's time from `connect()` until it is over for good. */
export interface Session {
  /** The connection of the moment, or the last one. */
  readonly connection?: Connection;
  /** Resolves when connected and set up; when it is over without, with what makes the error that says why. */
  readonly whenReady: Promise<Failure | undefined>;
  /** Whether there was a connection before. */
  readonly wasConnected: boolean;
  /** Whether there will be no connection after this one, if there is one. */
  readonly isOver: boolean;
  /** No more connections after this one, which whoever calls it closes. */
  leave(): Connection | undefined;
  /** Drops the connection, or ends the wait, and connects at once. */
  reconnectNow(): void;
}

/** What is under way: an attempt, a connection or a wait. Each hears of what ends it early. */
interface Phase {
  onLeave?(): void;
  onHurry?(): void;
  onWake?(): void;
}

/** A page that is shown again hears of that a moment before it hears that its line is gone, in ms. */
const WAKE_MOMENT = 1_000;

/** Makes connections, one after the other, with waits between. */
export function startSession({ apiName, policy, open, onWake, onDisconnect, onEnd }: SessionPlan): Session {
  let phase: Phase = {};
  let settleReady: (failure?: Failure) => void;
  /** Somebody wants another connection now. */
  let isHurried = false;
  let wokenAt = -WAKE_MOMENT;

  const session: { -readonly [Key in keyof Session]: Session[Key] } = {
    whenReady: expectReady(),
    wasConnected: false,
    isOver: false,
    leave() {
      session.isOver = true;
      stopWaking();
      phase.onLeave?.();
      return session.connection;
    },
    reconnectNow() {
      isHurried = true;
      phase.onHurry?.();
    },
  };
  const stopWaking = onWake(() => {
    wokenAt = performance.now();
    phase.onWake?.();
  });
  run();
  return session;

  async function run(): Promise<void> {
    for (;;) {
      const whyEnded = await connectOnce();
      if (!isHurried && !session.isOver) {
        const error = whyEnded();
        const next = session.wasConnected && policy ? policy.next(error) : "drop";
        if (typeof next === "string") return end(next, error);
        await wait(next);
      }
      if (session.isOver) return end("manual");
      isHurried = false;
    }
  }

  /** One connection, from the attempt to its end. Resolves with what makes the error for that, should somebody want it. */
  function connectOnce(): Promise<Failure> {
    return new Promise((resolve) => {
      let isReady = false;
      let giveUp: (() => void) | undefined;
      let ended: Failure | undefined;
      const fail = (thrown: unknown) => {
        session.connection?.close();
        resolve(() => thrownError(thrown));
      };
      // Whatever it is waiting for: a `beforeConnect` may take its time.
      phase = {
        onLeave() {
          giveUp?.();
          fail(connectionError(apiName, CLOSED_MEANWHILE));
        },
      };
      const onOpen = (connection: Connection) => {
        const openedAt = performance.now();
        const lost = (code: CloseCode, reason: string) => {
          const error = () => connectionError(apiName, closedWith(code, reason), code);
          ended = error;
          if (!isReady) return;
          isReady = false;
          session.whenReady = expectReady();
          policy?.lasted(performance.now() - openedAt);
          onDisconnect(isHurried || session.isOver ? "manual" : "drop");
          resolve(error);
        };
        session.connection = connection;
        connection.onClose(lost);
        connection.onDrain = (delayMs) => {
          connection.onDrain = undefined;
          const stay = after(delayMs, () => {
            if (!isReady || session.isOver) return;
            // What is in flight finishes on this connection, while the next one is made.
            session.connection = undefined;
            lost(CloseCode.SERVICE_RESTART, "");
            isHurried = true;
            connection.finish();
          });
          connection.onClose(stay);
        };
      };
      const onBegin = (cancel: () => void) => {
        giveUp = cancel;
        if (session.isOver) cancel();
      };
      open(onOpen, onBegin).then((connection) => {
        if (!connection.isOpen) return fail(ended?.());
        phase = { onHurry: () => connection.terminate() };
        session.wasConnected = isReady = true;
        isHurried = false;
        settleReady();
      }, fail);
    });
  }

  /** Until the time is over, the platform says that it is worth trying, or somebody wants it now. */
  function wait(ms: number): Promise<void> {
    const isJustWoken = performance.now() - wokenAt < WAKE_MOMENT;
    wokenAt = -WAKE_MOMENT;
    return new Promise((resolve) => {
      // Unlike a deadline this keeps a Node process alive: during an outage it may be all that does.
      const timer = setTimeout(resolve, isJustWoken ? 0 : ms);
      const stop = () => {
        clearTimeout(timer);
        resolve();
      };
      phase = { onLeave: stop, onHurry: stop, onWake: stop };
    });
  }

  function expectReady(): Session["whenReady"] {
    return new Promise((resolve) => {
      settleReady = resolve;
    });
  }

  function end(reason: GGWebSocketCloseReason, error?: AnyError): void {
    session.isOver = true;
    stopWaking();
    settleReady(() => error ?? connectionError(apiName, CLOSED_MEANWHILE));
    if (session.wasConnected) onEnd(reason, error);
  }
}
