import type { Unsubscribe } from "./unsubscribe.js";

/** What a bus keeps of a channel, so that what a node has missed can be read again. */
export interface GGHistory {
  /** How many of the latest messages are kept, at least. */
  readonly size: number;
  /** How long they are kept after the latest one, in ms. */
  readonly ttlMs: number;
}

/** A place in the history of a channel: after the message with this offset. */
export interface GGPosition {
  /** Names one unbroken history. It changes when what was kept is lost, or has gone back in time. */
  readonly epoch: string;
  /** The first message of an epoch has 1; each further one has one more. 0 is the place before the first. */
  readonly offset: number;
}

/** A message that a bus hands to a node. */
export interface GGBusMessage {
  /** What was published. */
  readonly body: string;
  /** Names the publication: the node that published it (`GGBus.node`), `.`, and a number that it uses once. */
  readonly from: string;
  /** Its place in the history; absent for a message that is not kept. */
  readonly position?: GGPosition | undefined;
}

/** What a bus kept after a position: all of it, or nothing. */
export interface GGBusRead {
  /** The position of the latest message, in a real epoch: one begins where nothing is known of the channel. */
  readonly top: GGPosition;
  /**
   * Each message after the position that was asked for, in order; `undefined` when they are not all there, or it is of
   * another epoch. For a node that knows nothing: the latest messages, up to `top`, as far as the bus has them,
   * and `undefined` when `limit` is 0.
   */
  readonly missed?: readonly GGBusMessage[] | undefined;
}

/** Takes what a bus has for one channel. Its functions must not throw. */
export interface GGBusListener {
  /** A message has arrived, also one that this node has published. Messages may be missing, double, and out of order. */
  onMessage(message: GGBusMessage): void;
  /**
   * Messages, or changes of members, may have been missed. The bus publishes what waits for it only after the promise:
   * members get what they have missed first.
   */
  onInterrupted(): Promise<void>;
  /**
   * The members of the channel have changed. Without `change` the bus does not say how, for example since a node is gone:
   * `members.list` does.
   */
  onMembers(change?: GGMembersChange): void;
}

/** One change of the members of a channel. */
export interface GGMembersChange {
  /** One more than that of the change before. With any other, changes were missed: `members.list` has all. */
  readonly version: number;
  /** The member. */
  readonly member: string;
  /** What is known of it; `undefined` when it is not a member any more. */
  readonly info?: string | undefined;
}

/** All members of a channel. */
export interface GGMemberList {
  /** That of the latest change of which the list knows, see `GGMembersChange`. */
  readonly version: number;
  /** Their information, by their names. */
  readonly members: ReadonlyMap<string, string>;
}

/**
 * Who is where. A bus remembers what its node has set and restores it after an interruption, and forgets all of a node that
 * has died, within 20 s. What changes it never throws and needs no answer.
 */
export interface GGBusMembers {
  /** Adds a member of this node, or changes its information. Each node names its members itself. */
  set(channel: string, member: string, info: string): void;
  /** Removes a member of this node. */
  remove(channel: string, member: string): void;
  /** Sets how many connections of this node are in a channel. */
  setCount(channel: string, count: number): void;
  /**
   * All members of living nodes with their information, by names that are unique over all nodes; `version` is that of the
   * latest change. Rejects with a `GGBusError`.
   */
  list(channel: string): Promise<GGMemberList>;
  /** How many connections of living nodes are in a channel. Rejects with a `GGBusError`. */
  count(channel: string): Promise<number>;
}

/** Whether a bus reaches the other nodes. */
export type GGBusHealth = "up" | "down";

/** How a message is published. */
export interface GGPublishOptions {
  /**
   * Keeps it, and gives it a position. Without, it is delivered at most once. Its numbers are above 0 and up to 2 ** 52, its
   * `size` is whole: others are `refused`.
   */
  readonly history?: GGHistory | undefined;
  /** The latest position that this node knows: a bus whose own is behind it has gone back in time, and begins an epoch. */
  readonly known?: GGPosition | undefined;
}

/** A listener on a channel. */
export interface GGBusSubscription {
  /** Resolves when messages that are published from then on arrive. Never rejects. */
  readonly active: Promise<void>;
  /** Ends it. */
  readonly end: Unsubscribe;
}

/**
 * Carries messages between the processes ("nodes") that serve an API. `redisBus` and `clusterBus` are buses; a program may
 * bring its own. A bus may lose, double and swap messages of a channel: groups put them in order.
 */
export interface GGBus {
  /** What it is, for log entries and metrics, such as `"redis"`. */
  readonly name: string;
  /** Names this node among all. Random, and different after a restart. */
  readonly node: string;
  /** Who is where. */
  readonly members: GGBusMembers;
  /** Whether it reaches the other nodes. `"down"` until it has first done so. */
  readonly health: GGBusHealth;
  /** How many messages wait to be published. */
  readonly queued: number;
  /**
   * Calls back when the health has changed, with a sentence on why, and once when it is clear why a bus is down that was
   * never up; not when the bus is closed. Returns what takes the callback back.
   */
  onHealth(callback: (health: GGBusHealth, reason: string) => void): Unsubscribe;
  /**
   * Publishes to all nodes that are subscribed, this one included. A message with `history` waits while the bus is down,
   * within bounds, and is published once; one without is refused then.
   *
   * @returns its position, for a message with `history`, once the bus has it
   * @throws GGBusError (as a rejection) when it is not published, or it is not known whether it is
   */
  publish(channel: string, body: string, options?: GGPublishOptions): Promise<GGPosition | undefined>;
  /**
   * Passes the messages of a channel to a listener, until the function returned is called. Resolves when messages that are
   * published from then on arrive: while the bus is down, that is after it is up again. Never rejects; resolves too when
   * the bus is closed, or the subscription ended first. A channel may have several listeners.
   */
  subscribe(channel: string, listener: GGBusListener): GGBusSubscription;
  /**
   * Reads what is kept after a position, at most `limit` messages. The position must come from this bus, or be
   * `{ epoch: "", offset: 0 }`, of a node that knows nothing, which gets the latest `limit` messages. An epoch begins where
   * nothing is known of the channel; another one begins where the position is ahead of all that is kept, since the bus has
   * gone back in time then. An epoch must not end by itself while it is read: groups that are in use read every 30 s.
   *
   * @throws GGBusError (as a rejection)
   */
  read(channel: string, after: GGPosition, limit: number): Promise<GGBusRead>;
  /** Removes this node and its members, and releases what the bus holds. What waits is rejected. */
  close(): Promise<void>;
}

/** Why a bus did not do what it was asked. */
export type GGBusErrorReason =
  /** It is down. */
  | "down"
  /** It has been down for longer than a message may wait, or has not answered in time. */
  | "timeout"
  /** Too many messages, or bytes, wait. */
  | "limit"
  /** The engine behind it refuses, for example for want of memory or rights. */
  | "refused"
  /** It was closed. */
  | "closed";

/** What a bus rejects with. */
export class GGBusError extends Error {
  /** `"GGBusError"`. */
  override readonly name = "GGBusError";

  constructor(
    /** Completes "GGBus: ". */
    message: string,
    /** Why. */
    readonly reason: GGBusErrorReason,
    /** Whether a message may have been published all the same: its answer was lost. */
    readonly mayHaveBeenPublished = false,
    options?: ErrorOptions,
  ) {
    super(`GGBus: ${message}`, options);
  }
}
