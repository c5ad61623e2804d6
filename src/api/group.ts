import type { GGBus, GGHistory, GGPosition } from "./bus.js";
import type { GGPresenceChange, GGPresenceInfo } from "./presence.js";
import type { AnyValidator } from "./standardSchema.js";
import type { Unsubscribe } from "./unsubscribe.js";

/** What a group of several nodes is given. */
export interface GGSocketGroupOptions<TInfo = GGPresenceInfo> {
  /**
   * Names it among the groups of its API: groups of one name and one bus are one group, on all nodes. Needed with `bus`
   * and `history`. It must not begin with `@`.
   */
  readonly name?: string | undefined;
  /** What carries its messages to the other nodes. Default: none, all stays in this process. */
  readonly bus?: GGBus | undefined;
  /**
   * What is kept of its messages. With it all members of all nodes get them in one order, and a node that has missed
   * some reads them again. Default: nothing is kept, and messages reach other nodes at most once.
   */
  readonly history?: GGHistory | undefined;
  /**
   * Checks the presence information that other nodes send, and gives it its type. What does not fit is left out, and
   * logged. Default: anything with an `id`.
   */
  readonly presence?: AnyValidator<TInfo> | undefined;
}

/** What `add` resolves with. */
export interface GGGroupJoin {
  /**
   * Whether messages of other nodes reach the connection from now on. `false` while the bus is down: it gets those of this
   * node, and of the others once the bus is up.
   */
  readonly isLive: boolean;
  /**
   * Whether its client goes on where an earlier connection was, without a hole: it needs no snapshot then. `undefined` at a
   * first join, for a client without `resume`, and while it is not known after 2 s.
   */
  readonly recovered?: boolean | undefined;
}

/** What every group can do, whatever its contract. */
export interface GGSocketGroupMembers<TInfo = GGPresenceInfo> {
  /** How many connections of this process are in it. */
  readonly size: number;
  /** After the latest kept message that members have; `undefined` without `history`, members, or before it is known. */
  readonly position: GGPosition | undefined;
  /**
   * Adds a connection, which gets what is sent from now on; it is removed when it closes. One that has closed, or is in it
   * already, changes nothing. Resolves once messages of other nodes reach it, and after 2 s at the latest. Never rejects.
   *
   * @throws Error when it is not the `outgoing` of a connection handler, or when the group of this name is in use with another
   *   history
   */
  add(outgoing: object): Promise<GGGroupJoin>;
  /** Takes a connection out. Returns whether it was in. */
  remove(outgoing: object): boolean;
  /** Whether a connection of this process is in it. */
  has(outgoing: object): boolean;
  /** Takes out all connections of this process and closes them, by default with 1000. Returns how many. */
  closeAll(code?: number, reason?: string): number;
  /**
   * How many connections are in it: those of this process, or of all nodes. Rejects with a `GGBusError` when the bus is
   * down.
   */
  count(options?: { readonly everywhere?: boolean | undefined }): Promise<number>;
  /**
   * Who is in it, on all nodes: what the server's `presence` says of each connection, once per `id`. A person whose
   * connections have closed stays for 10 s, since they may reconnect; those of a node that has died for 20 s at most.
   * Rejects with a `GGBusError` when the bus is down.
   */
  present(): Promise<readonly TInfo[]>;
  /**
   * Calls back when persons join or leave, on any node: with the first connection of an `id`, and 10 s after the last one
   * closed. Returns what takes the callback back.
   */
  onPresence(callback: (change: GGPresenceChange<TInfo>) => void): Unsubscribe;
}
