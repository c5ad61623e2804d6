import type { GGSocketContractMethods } from "./contract.js";
import type { GGWebSocketLogger } from "./logger.js";
import type { Unsubscribe } from "./unsubscribe.js";

// What the entry `@grest-ts/websocket/inspect` meets in clients, servers and sockets. It is a build of its own, which shares
// no class with the others, and pages in production have short names for internal members: what is named here is all that it
// uses, and each name is one of the platform, of the public types, or never shortened.

/**
 * The member of a server (its {@link InspectedServer}) and of a raw socket (its transport) for inspections. Clients keep
 * their latest transport as `transport` of the prototype of `incoming`: that is there in what chains a client and in a
 * client that is frozen, too, and takes the fewest bytes.
 */
export const INSPECTED: unique symbol = Symbol.for("@grest-ts/websocket/inspect");

/** A `Transport` as far as it is inspected; in pages it is one with a `socket`. */
export interface InspectedTransport {
  /** The platform's own `WebSocket`. What it is made to do is seen there. */
  readonly socket?: object;
  readonly listener?: InspectedListener | undefined;
  /** Whether it sends what it is given; a `WebSocket` shows that itself. */
  readonly isOpen?: boolean;
  /** Whether it has closed. */
  readonly isOver?: boolean;
  attach(listener: InspectedListener): void;
  send(messages: readonly string[]): void;
  sendShared?(message: { readonly text: string }): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

/** A `TransportListener` as far as it is inspected. */
export interface InspectedListener {
  /** What identifies a connection of a server. */
  readonly id?: string;
  /** Whether both ends of the connection support a capability; absent before the handshake is done. */
  can?(capability: "batch"): boolean;
  onOpen?(): void;
  onText(text: string): void;
  onAlive?(): void;
  onBusy?(): void;
  onClosed(code: number, reason: string): void;
  onFailed(error: Error): void;
}

/** What a server shows of itself. */
export interface InspectedServer {
  readonly apiName: string;
  readonly methods: GGSocketContractMethods;
  readonly logger: GGWebSocketLogger;
  /**
   * Calls back for each connection that is open, or in its handshake, and for each that is opened from now on, before
   * anything of it is read.
   */
  tap(callback: (transport: InspectedTransport, id: string) => void): Unsubscribe;
}
