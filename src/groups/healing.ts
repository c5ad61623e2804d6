import { GGBusError, type GGBusRead, type GGPosition } from "../api/bus.js";
import { setDeadline } from "../connection/deadlines.js";
import { readOf } from "./busAnswers.js";
import { busErrorOf } from "./busMonitor.js";
import type { Channel } from "./channel.js";

/** How long after a read that has failed the next one comes, in ms: longer each time, up to this. */
const FIRST_RETRY = 1_000;
const LONGEST_RETRY = 30_000;

/** How many reads may follow one another. An engine that needs more answers from two histories in turn. */
const MAX_READS = 16;

/** What a channel is healed by, and what comes of it. */
interface HealingHooks {
  /** Whether an interruption follows, which reads. */
  isBusDown(): boolean;
  read(after: GGPosition): Promise<GGBusRead>;
  /** Nothing is missing any more that the bus had at this time, on the clock of `performance.now()`. */
  onCaughtUp(time: number): void;
  /** A hole was filled. */
  onHealed(): void;
  /** What is missing cannot be read now. The first time since it could. */
  onFailed(error: GGBusError, isFirst: boolean): void;
}

/** Reads what a channel is missing, until nothing is, and belongs to that channel: what comes later is left out. */
export class Healing {
  readonly #order: Channel;
  readonly #hooks: HealingHooks;
  #reading: Promise<void> = Promise.resolve();
  #isReading = false;
  #isEnded = false;
  #failures = 0;
  #cancelRetry: (() => void) | undefined;

  constructor(order: Channel, hooks: HealingHooks) {
    this.#order = order;
    this.#hooks = hooks;
  }

  /** Resolves when nothing is missing, or it cannot be read now. Never rejects. */
  heal(): Promise<void> {
    if (this.#isEnded || !this.#order.missing) return Promise.resolve();
    if (this.#isReading) return this.#reading;
    this.#isReading = true;
    this.#reading = this.#readMissing();
    return this.#reading;
  }

  end(): void {
    this.#isEnded = true;
    this.#cancelRetry?.();
  }

  async #readMissing(): Promise<void> {
    const order = this.#order;
    this.#cancelRetry?.();
    try {
      let reads = 0;
      let readAt = 0;
      for (let after = order.missing; after; after = order.missing) {
        if (++reads > MAX_READS) throw new GGBusError("its answers do not agree with one another", "refused");
        const isHole = order.position !== undefined;
        readAt = performance.now();
        const read = readOf(await this.#hooks.read(after));
        if (this.#isEnded) return;
        order.takeRead(after, read);
        if (isHole && read.missed?.length) this.#hooks.onHealed();
      }
      this.#failures = 0;
      this.#hooks.onCaughtUp(readAt);
    } catch (thrown) {
      if (!this.#isEnded) this.#failed(busErrorOf(thrown));
    } finally {
      this.#isReading = false;
    }
  }

  /** A bus that is down says when it is back. Anything else is tried again, also by the next message. */
  #failed(error: GGBusError): void {
    if (this.#hooks.isBusDown() || error.reason === "closed") return;
    this.#hooks.onFailed(error, this.#failures === 0);
    const wait = Math.min(FIRST_RETRY * 2 ** this.#failures++, LONGEST_RETRY);
    this.#cancelRetry = setDeadline(wait, () => void this.heal());
  }
}
