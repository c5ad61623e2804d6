import type { GGBusRead, GGPosition } from "../api/bus.js";
import { setDeadline } from "../connection/deadlines.js";
import { readOf } from "./busAnswers.js";
import type { Channel } from "./channel.js";

/** How much time is between two checks that members have caused, at least, in ms: what peers say brings them. */
const INTERVAL = 1_000;

/** How long what the bus has may take to come by itself, in ms. */
const MOMENT = 100;

/** What checks need of their channel. */
interface CheckingHooks {
  /** Whether members ask for what they have missed: then a check brings what the bus keeps, once. */
  isHistoryWanted(): boolean;
  /** The latest messages that the bus keeps. Rejects when they cannot be read now. */
  readLatest(): Promise<GGBusRead>;
  /** What the bus keeps after a position. Rejects when it cannot be read now. */
  read(after: GGPosition): Promise<GGBusRead>;
  /** Reads what the channel is missing; `caughtUp` follows. */
  heal(): void;
  /** More may be known than before. */
  onChecked(): void;
}

/**
 * Compares a channel with its bus, beside the channel: what comes meanwhile is delivered. Only what is really missing, or
 * does not agree, makes it wait. A check that fails leaves all as it was.
 */
export class Checking {
  readonly #order: Channel;
  readonly #hooks: CheckingHooks;
  #caughtUpTo = Number.NEGATIVE_INFINITY;
  #notBefore = Number.NEGATIVE_INFINITY;
  #hasFailed = false;
  #isReading = false;
  #cancelNext: (() => void) | undefined;
  /** While the channel is given time to reach what the bus has. */
  #cancelMoment: (() => void) | undefined;
  #isEnded = false;

  constructor(order: Channel, hooks: CheckingHooks) {
    this.#order = order;
    this.#hooks = hooks;
  }

  /** Up to when nothing that the bus had is missing here, on the clock of `performance.now()`. */
  get caughtUpTo(): number {
    return this.#caughtUpTo;
  }

  /** Nothing is missing any more that the bus had at this time. */
  caughtUp(time: number): void {
    this.#caughtUpTo = Math.max(this.#caughtUpTo, time);
    if (this.#hasFailed) {
      this.#notBefore = Number.NEGATIVE_INFINITY;
      this.#endWaiting();
    }
    this.#hooks.onChecked();
  }

  /** Checks as soon as that may be: one check is for all that ask by then. `onChecked` follows. */
  checkSoon(): void {
    if (this.#isEnded || this.#cancelNext || this.#isUnderWay) return;
    this.#cancelNext = setDeadline(Math.max(this.#notBefore - performance.now(), 0), () => {
      this.#cancelNext = undefined;
      void this.check();
    });
  }

  /** Checks now, unless one is under way. Resolves when the bus has answered, or cannot. Never rejects. */
  async check(): Promise<void> {
    const { position, canBeFilled, comparable } = this.#order;
    if (this.#isEnded || this.#isUnderWay || !position || !comparable) return;
    const begun = performance.now();
    this.#notBefore = begun + INTERVAL;
    const isFill = canBeFilled && this.#hooks.isHistoryWanted();
    // It is being read, or waits for the bus.
    if (this.#order.missing && !isFill) return this.#hooks.onChecked();
    this.#isReading = true;
    try {
      const read = readOf(await (isFill ? this.#hooks.readLatest() : this.#hooks.read(comparable)));
      if (this.#isEnded) return;
      this.#hasFailed = false;
      if (isFill) this.#order.fill(position, read);
      else this.#order.compare(position, read);
      this.#conclude(begun, read.top);
    } catch {
      this.#hasFailed = true;
    } finally {
      this.#isReading = false;
    }
    if (!this.#isEnded) this.#hooks.onChecked();
  }

  end(): void {
    this.#isEnded = true;
    this.#endWaiting();
    this.#cancelMoment?.();
  }

  get #isUnderWay(): boolean {
    return this.#isReading || this.#cancelMoment !== undefined;
  }

  #conclude(begun: number, top: GGPosition): void {
    const order = this.#order;
    if (order.missing) return this.#hooks.heal();
    if (order.hasReached(top)) return this.#reached(begun);
    this.#cancelMoment = setDeadline(MOMENT, () => {
      this.#cancelMoment = undefined;
      if (order.hasReached(top)) this.#reached(begun);
      else if (!order.missing) {
        order.requireRead();
        this.#hooks.heal();
      }
      this.#hooks.onChecked();
    });
  }

  #reached(time: number): void {
    if (!this.#order.missing) this.#caughtUpTo = Math.max(this.#caughtUpTo, time);
  }

  #endWaiting(): void {
    this.#cancelNext?.();
    this.#cancelNext = undefined;
  }
}
