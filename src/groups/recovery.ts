import type { GGBusMessage, GGPosition } from "../api/bus.js";
import type { Channel } from "./channel.js";
import type { Checking } from "./checking.js";

/** What becomes of a member that has a position of an earlier connection. */
export interface Recovered {
  /** Where it goes on. */
  readonly position: GGPosition;
  /** What it has missed, in order; `undefined` when that is not known any more. */
  readonly missed?: readonly GGBusMessage[];
}

/**
 * Finds what members have missed, from what a channel remembers: however many come at once, the bus is read once. Positions
 * come from peers, so they are compared with what this node knows, and never reach the bus.
 */
export class Recovery {
  readonly #order: Channel;
  readonly #checking: Checking;

  constructor(order: Channel, checking: Checking) {
    this.#order = order;
    this.#checking = checking;
  }

  /**
   * What follows a position that a peer has named at `since`. `undefined` while it is not known: it is being found out. One
   * that is overdue goes without what cannot be read now.
   */
  find(after: GGPosition, since: number, isOverdue: boolean): Recovered | undefined {
    const { position } = this.#order;
    if (!position) return undefined;
    const isAhead = after.epoch !== position.epoch || after.offset > position.offset;
    // Another node may know more than this one: what it has passed on comes here as well, and must not be passed on again.
    if (!isAhead || this.#checking.caughtUpTo >= since) {
      const missed = this.#order.since(after);
      if (missed) return { position, missed };
      if (isAhead || isOverdue || !this.#order.canBeFilled) return { position };
    }
    this.#checking.checkSoon();
    return undefined;
  }
}
