import type { GGBusMessage, GGBusRead, GGPosition } from "../api/bus.js";
import { setDeadline } from "../connection/deadlines.js";
import type { Channel } from "./channel.js";

/**
 * The bus is not asked more often than this because of positions that this node cannot explain, and not sooner after it has
 * failed, in ms: peers bring them.
 */
const INTERVAL = 1_000;

/** What becomes of a member that has a position of an earlier connection. */
export interface Recovered {
  /** Where it goes on. */
  readonly position: GGPosition;
  /** What it has missed, in order; `undefined` when that is not known any more. */
  readonly missed?: readonly GGBusMessage[];
}

/** What a recovery needs of its topic. */
interface RecoveryHooks {
  /** The latest messages that the bus keeps. Rejects when they cannot be read now. */
  readLatest(): Promise<GGBusRead>;
  /** Reads what the channel is missing, if anything; `caughtUp` follows. */
  heal(): void;
  /** What was not known may be known now. */
  onKnown(): void;
}

/**
 * Finds what members have missed, from what a channel remembers: however many come at once, the bus is read once. Positions
 * come from peers, so they are compared with what this node knows, and never reach the bus.
 */
export class Recovery {
  readonly #order: Channel;
  readonly #hooks: RecoveryHooks;
  /** Up to when nothing that the bus had is missing here, on the clock of `performance.now()`. */
  #caughtUpTo = Number.NEGATIVE_INFINITY;
  #isReading = false;
  /** While the latest read has failed, and the next one is not due. */
  #cancelRetry: (() => void) | undefined;
  /** When the latest check began. */
  #checkedAt = Number.NEGATIVE_INFINITY;
  #cancelCheck: (() => void) | undefined;
  #isEnded = false;

  constructor(order: Channel, hooks: RecoveryHooks) {
    this.#order = order;
    this.#hooks = hooks;
  }

  /**
   * What follows a position that a peer has named at `since`. `undefined` while it is not known: it is being found out, and
   * `onKnown` follows. One that is overdue goes without what cannot be read now.
   */
  find(after: GGPosition, since: number, isOverdue: boolean): Recovered | undefined {
    const { position } = this.#order;
    if (!position) return undefined;
    const isAhead = after.epoch !== position.epoch || after.offset > position.offset;
    // Another node may know more than this one: what it has passed on comes here as well, and must not be passed on again.
    if (isAhead && this.#caughtUpTo < since) return this.#check();
    const missed = this.#order.since(after);
    if (missed) return { position, missed };
    if (isAhead || isOverdue || !this.#order.canBeFilled) return { position };
    void this.#fill();
    return undefined;
  }

  /** Nothing is missing any more that the bus had at this time. */
  caughtUp(time: number): void {
    this.#caughtUpTo = time;
    this.#endPause();
    this.#hooks.onKnown();
  }

  end(): void {
    this.#isEnded = true;
    this.#endPause();
    this.#cancelCheck?.();
  }

  #check(): undefined {
    // What is missing is being read, or waits for the bus.
    if (this.#isEnded || this.#cancelCheck || this.#order.missing) return;
    const wait = this.#checkedAt + INTERVAL - performance.now();
    this.#cancelCheck = setDeadline(Math.max(wait, 0), () => {
      this.#cancelCheck = undefined;
      this.#checkedAt = performance.now();
      this.#order.requireRead();
      this.#hooks.heal();
    });
  }

  async #fill(): Promise<void> {
    const { position } = this.#order;
    if (!position || this.#isEnded || this.#isReading || this.#cancelRetry) return;
    this.#isReading = true;
    try {
      const latest = await this.#hooks.readLatest();
      if (this.#isEnded) return;
      this.#order.fill(position, latest);
      this.#hooks.heal();
    } catch {
      if (this.#isEnded) return;
      this.#pause();
    } finally {
      this.#isReading = false;
    }
    this.#hooks.onKnown();
  }

  /** Those that wait are not kept waiting for long, but may be by then. */
  #pause(): void {
    this.#cancelRetry = setDeadline(INTERVAL, () => {
      this.#endPause();
      this.#hooks.onKnown();
    });
  }

  #endPause(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
  }
}
