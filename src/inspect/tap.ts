import type { InspectedTransport } from "../api/inspect.js";
import { type InspectedSocket, tapSocket } from "./tapSocket.js";
import { tapTransport } from "./tapTransport.js";

/** Which way something went, as this end sees it. */
export type Direction = "sent" | "received";

/** What is seen of a connection. */
export interface TapListener {
  onText(direction: Direction, text: string): void;
  onClosed(direction: Direction, code: number, reason: string): void;
}

/** A connection whose frames are seen, by one inspection or by several. */
export interface Tapped {
  readonly side: "client" | "server";
  readonly id: string;
  /** Whether its first frame is yet to come. */
  readonly isNew: boolean;
  /** Whether the connection sends and takes batches, as far as that is known. */
  canBatch(): boolean | undefined;
}

interface Tap extends Tapped {
  readonly listeners: Set<TapListener>;
  remove(): void;
}

/** The member of what is tapped with its tap: all copies of this package in a program share it. */
const TAP = Symbol.for("@grest-ts/websocket/inspect/tap");

let connections = 0;

/**
 * Shows what passes a transport to a listener, until the function returned is called.
 *
 * @param serverId what a server calls the connection
 */
export function tap(
  transport: InspectedTransport,
  serverId: string | undefined,
  begin: (tapped: Tapped) => TapListener,
): () => void {
  const object = (socketOf(transport) ?? transport) as { [TAP]?: Tap };
  const tapped = object[TAP] ?? install(transport, serverId);
  Object.defineProperty(object, TAP, { value: tapped, configurable: true });
  const listener = begin(tapped);
  tapped.listeners.add(listener);
  return () => {
    if (!tapped.listeners.delete(listener) || tapped.listeners.size > 0) return;
    Reflect.deleteProperty(object, TAP);
    tapped.remove();
  };
}

/** Whether nothing passes any more. */
export function isOver(transport: InspectedTransport): boolean {
  const socket = socketOf(transport);
  return socket ? socket.readyState === CLOSED : !!transport.isOver;
}

/** The `readyState` of a `WebSocket` that has closed, and of one that is not open yet. */
const CLOSED = 3;
const CONNECTING = 0;

function install(transport: InspectedTransport, serverId: string | undefined): Tap {
  const socket = socketOf(transport);
  const listeners = new Set<TapListener>();
  const all: TapListener = {
    onText: (...frame) => {
      for (const listener of listeners) listener.onText(...frame);
    },
    onClosed: (...end) => {
      for (const listener of listeners) listener.onClosed(...end);
    },
  };
  // A connection of a server says what it is called there.
  const id = serverId ?? transport.listener?.id;
  return {
    side: id === undefined ? "client" : "server",
    id: id ?? `client-${++connections}`,
    get isNew() {
      return socket ? socket.readyState === CONNECTING : !transport.listener;
    },
    listeners,
    canBatch: () => transport.listener?.can?.("batch"),
    remove: socket ? tapSocket(socket, all) : tapTransport(transport, all),
  };
}

function socketOf({ socket }: InspectedTransport): InspectedSocket | undefined {
  return socket as InspectedSocket | undefined;
}
