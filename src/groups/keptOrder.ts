import type { GGBusError, GGBusMessage, GGBusRead, GGHistory, GGPosition } from "../api/bus.js";
import { Channel, type ChannelListener } from "./channel.js";
import { Checking } from "./checking.js";
import { Healing } from "./healing.js";
import { type Recovered, Recovery } from "./recovery.js";

/** What a node reads after that knows nothing. */
const NOTHING_KNOWN: GGPosition = { epoch: "", offset: 0 };

/** Takes what is kept, and says how to read it. Its functions must not throw, but for `read`, which may reject. */
export interface KeptOrderHooks extends Omit<ChannelListener, "onBegun"> {
  /** What the bus keeps after a position. */
  read(after: GGPosition, limit: number): Promise<GGBusRead>;
  /** Whether an interruption follows, which reads. */
  isBusDown(): boolean;
  /** Nothing is missing any more. */
  onCaughtUp(): void;
  /** There is a position, or `recover` may have an answer that it did not have. */
  onKnown(): void;
  /** A hole was filled. */
  onHealed(): void;
  /** What is missing cannot be read now. The first time since it could. */
  onFailed(error: GGBusError, isFirst: boolean): void;
}

/** The kept messages of one subscription: their order, what is missing here, and what members have missed. */
export class KeptOrder {
  readonly #channel: Channel;
  readonly #healing: Healing;
  readonly #checking: Checking;
  readonly #recovery: Recovery;
  /** Whether the first read is to bring what is kept. */
  #isHistoryWanted = false;

  /** Remembers what the history says. */
  constructor(history: GGHistory, hooks: KeptOrderHooks) {
    const { size } = history;
    const channel = new Channel(history, { ...hooks, onBegun: () => hooks.onKnown() });
    this.#channel = channel;
    this.#checking = new Checking(channel, {
      isHistoryWanted: () => this.#isHistoryWanted,
      readLatest: () => hooks.read(NOTHING_KNOWN, size),
      read: (after) => hooks.read(after, size + 1),
      heal: () => void this.heal(),
      onChecked: () => hooks.onKnown(),
    });
    this.#recovery = new Recovery(channel, this.#checking);
    this.#healing = new Healing(channel, {
      isBusDown: () => hooks.isBusDown(),
      // One more than may be missing: the first is the one that it follows.
      read: (after) => hooks.read(after, channel.position || this.#isHistoryWanted ? size + 1 : 0),
      onCaughtUp: (time) => {
        this.#checking.caughtUp(time);
        hooks.onCaughtUp();
      },
      onHealed: () => hooks.onHealed(),
      onFailed: (error, isFirst) => hooks.onFailed(error, isFirst),
    });
  }

  /** Everything up to here is delivered; `undefined` until the first read. */
  get position(): GGPosition | undefined {
    return this.#channel.position;
  }

  /** Whether it is to read something, so that what comes waits. */
  get isMissingSome(): boolean {
    return this.#channel.missing !== undefined;
  }

  receive(message: GGBusMessage): void {
    this.#channel.receive(message);
    if (this.#channel.missing) void this.heal();
  }

  /** Messages may be missing. Resolves as `heal` does. */
  interrupted(): Promise<void> {
    this.#channel.requireRead();
    return this.heal();
  }

  /** Looks whether messages are missing, while what comes is delivered. */
  check(): Promise<void> {
    return this.isMissingSome ? this.heal() : this.#checking.check();
  }

  /** Resolves when nothing is missing, or it cannot be read now. */
  heal(): Promise<void> {
    return this.#healing.heal();
  }

  /** See `Recovery.find`; `onKnown` follows. */
  recover(after: GGPosition, since: number, isOverdue: boolean): Recovered | undefined {
    this.#isHistoryWanted = true;
    return this.#recovery.find(after, since, isOverdue);
  }

  end(): void {
    this.#healing.end();
    this.#checking.end();
  }
}
