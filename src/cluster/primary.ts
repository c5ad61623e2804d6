import cluster from "node:cluster";
import type { Unsubscribe } from "../api/unsubscribe.js";
import { framesOf, type Notice } from "./frames.js";
import type { Send } from "./pipe.js";
import { isNotice } from "./shapes.js";

/** A bus of a worker, as the primary process meets it. */
export interface PrimaryListener {
  onNotice(notice: Notice): void;
  /** The connection with the primary process has ended. */
  onGone(): void;
}

/** The primary process, for a worker. */
export interface Primary {
  readonly isConnected: boolean;
  readonly send: Send;
  /** Passes what comes from it until the function returned is called. */
  listen(listener: PrimaryListener): Unsubscribe;
}

/** The buses of this process, which share what they listen with. */
const listeners = new Set<PrimaryListener>();

const onMessage = (message: unknown) => {
  const notices = framesOf(message).filter(isNotice);
  for (const notice of notices) for (const listener of listeners) listener.onNotice(notice);
};

const onDisconnect = () => {
  for (const listener of listeners) listener.onGone();
};

/** The primary process of this worker. */
export const primaryOfThisWorker: Primary = {
  get isConnected() {
    return !!cluster.worker?.isConnected();
  },
  send: (message, onSent) => process.send!(message, onSent as never),
  listen(listener) {
    if (listeners.size === 0) cluster.worker?.on("message", onMessage).on("disconnect", onDisconnect);
    listeners.add(listener);
    return () => {
      if (listeners.delete(listener) && listeners.size === 0)
        cluster.worker?.off("message", onMessage).off("disconnect", onDisconnect);
    };
  },
};
