import { GGContext } from "@grest-ts/context";
import type { GGBus, GGBusListener, GGBusMessage, GGHistory, GGMembersChange, GGPosition } from "../api/bus.js";
import type { GGWebSocketLogFields, GGWebSocketLogger } from "../api/logger.js";
import { setDeadline, waitAtMost } from "../connection/deadlines.js";
import { runCallback } from "../connection/endpoint.js";
import { messageOf, readOf } from "./busAnswers.js";
import { type BusMonitor, busErrorOf, monitorOf, publishResultOf } from "./busMonitor.js";
import { KeptOrder } from "./keptOrder.js";
import { Presence } from "./presence.js";
import type { Recovered } from "./recovery.js";

/**
 * How long a channel stays subscribed that is not used any more, in ms: clients that reconnect find it as it was. Longer
 * than members may take to return.
 */
const LINGER = 15_000;

/** How long `join` waits until messages of other nodes arrive, in ms. */
const JOIN_TIMEOUT = 2_000;

/** What a topic passes on. */
export interface TopicListener {
  /**
   * A message of another node, or a kept one of any node in its turn: in order, none missing, none double. Returns whether
   * it can be read.
   */
  onMessage(message: GGBusMessage): boolean;
  /** The same for a kept message that has no place in the order any more. */
  onDisplaced(message: GGBusMessage): boolean;
  /** The same for the next message in the order, which was passed on already, before the last so many losses. */
  onRepeated?(message: GGBusMessage, losses: number): boolean;
  /** Messages are missing and cannot be read any more. Positions count from here. */
  onLost(position: GGPosition): void;
  /** It is used, and subscribed. */
  onUsed?(): void;
  /** It is where kept messages are, for the first time: no later one is missing. */
  onCaughtUp?(): void;
  /** There is a position, or `recover` may have an answer that it did not have. */
  onKnown?(): void;
  /** Nothing uses it any more: it is not subscribed. */
  onIdle?(): void;
}

interface TopicOptions {
  readonly apiName: string;
  /** Its name in log entries. */
  readonly name: string;
  /** The channel of the bus. */
  readonly channel: string;
  readonly history?: GGHistory | undefined;
  /** Where log entries go; where there is none, to the log of the bus. */
  logger(): GGWebSocketLogger | undefined;
  readonly listener: TopicListener;
}

/** The channel of a group of an API. */
export function channelOf(apiName: string, name: string): string {
  return `${apiName.replace(/[%/]/g, encodeURIComponent)}/${name}`;
}

/**
 * One channel of a bus on this node. While it is used it is subscribed, and looks for what it has missed: kept messages
 * come in the order that the bus gave them, the same on every node.
 */
export class Topic implements GGBusListener {
  readonly history: GGHistory | undefined;
  readonly #options: TopicOptions;
  readonly #apiName: string;
  readonly #channel: string;
  readonly #bus: GGBus;
  readonly #monitor: BusMonitor;
  readonly #listener: TopicListener;
  readonly #context = new GGContext("ws-group");
  /** While it is subscribed, where messages are kept. */
  #order: KeptOrder | undefined;
  /** The latest that the bus has confirmed to this node: it may be ahead of what has come back. */
  #confirmed: GGPosition | undefined;
  #presence: Presence | undefined;
  #users = 0;
  #subscription: { end(): void } | undefined;
  #cancelLinger: (() => void) | undefined;
  #isActive = false;
  #hasCaughtUp = false;
  /** Those that wait until it is active. */
  readonly #waiting = new Set<() => void>();

  constructor(bus: GGBus, options: TopicOptions) {
    const { apiName, channel, history, listener } = options;
    this.#bus = bus;
    this.#options = options;
    this.#apiName = apiName;
    this.#channel = channel;
    this.history = history;
    this.#listener = listener;
    this.#monitor = monitorOf(bus);
  }

  /** Made when it is needed. */
  get presence(): Presence {
    this.#presence ??= this.#newPresence();
    return this.#presence;
  }

  /** Up to where kept messages were passed on; `undefined` without history, and before the bus has said so. */
  get position(): GGPosition | undefined {
    return this.#order?.position;
  }

  /**
   * What follows a position that a peer has named at `since`, on the clock of `performance.now()`; `undefined` while it is not
   * known: `onKnown` follows. One that is overdue goes without what cannot be read now.
   */
  recover(after: GGPosition, since: number, isOverdue: boolean): Recovered | undefined {
    return this.#order?.recover(after, since, isOverdue);
  }

  /** Publishes to all nodes. Resolves with the position of a kept message; rejects with a `GGBusError`. */
  async publish(body: string, isKept: boolean): Promise<GGPosition | undefined> {
    const history = isKept ? this.history : undefined;
    try {
      const position = await this.#bus.publish(this.#channel, body, history && { history, known: this.#known });
      if (position) this.#confirmed = laterOf(this.#confirmed, position);
      this.#monitor.published(this.#apiName, "OK");
      return position;
    } catch (thrown) {
      const error = busErrorOf(thrown);
      this.#monitor.published(this.#apiName, publishResultOf(error));
      throw error;
    }
  }

  /** It is used, so it is subscribed: once more for each call, until as many of `release`. */
  retain(): void {
    this.#cancelLinger?.();
    if (!this.#subscription) {
      this.#subscription = this.#subscribe();
      this.#listener.onUsed?.();
    }
    this.#users++;
  }

  /** All that is kept, from the beginning; `undefined` when it is not whole. Rejects with a `GGBusError`. */
  async readKept(): Promise<readonly GGBusMessage[] | undefined> {
    const { position, history } = this;
    if (!position || !history) return undefined;
    return readOf(await this.#bus.read(this.#channel, { ...position, offset: 0 }, history.size + 1)).missed;
  }

  release(): void {
    if (--this.#users > 0) return;
    this.#cancelLinger = setDeadline(LINGER, () => this.#end());
  }

  /** Whether messages of other nodes arrive by now. Waits for that, not for long. */
  async isLive(): Promise<boolean> {
    const since = performance.now();
    if (!this.#isActive) {
      let done = () => {};
      await waitAtMost(JOIN_TIMEOUT, (resolve) => {
        done = resolve;
        this.#waiting.add(done);
      });
      this.#waiting.delete(done);
    }
    const left = JOIN_TIMEOUT - (performance.now() - since);
    if (this.#order?.isMissingSome && left > 0) await waitAtMost(left, (done) => void this.#order?.heal().then(done));
    return this.#isActive && !this.#order?.isMissingSome && this.#bus.health === "up";
  }

  #end(): void {
    this.#subscription?.end();
    this.#order?.end();
    this.#subscription = this.#order = undefined;
    this.#isActive = this.#hasCaughtUp = false;
    this.#presence?.dispose();
    this.#listener.onIdle?.();
  }

  /** How many connections of this node are in it. */
  setCount(count: number): void {
    this.#bus.members.setCount(this.#channel, count);
  }

  /** How many connections of all nodes are in it. */
  countEverywhere(): Promise<number> {
    return this.#bus.members.count(this.#channel);
  }

  onMessage(received: GGBusMessage): void {
    if (!this.#subscription) return;
    const message = messageOf(received);
    if (!message) return this.#received(false);
    // This node's own connections have what is not kept already.
    if (!message.position && message.from.startsWith(`${this.#bus.node}.`)) return;
    if (this.#order) this.#order.receive(message);
    else this.#received(this.#listener.onMessage(message));
  }

  async onInterrupted(): Promise<void> {
    await Promise.all([this.#order?.interrupted(), this.#presence?.sync()]);
  }

  onMembers(change?: GGMembersChange): void {
    this.#presence?.onMembers(change);
  }

  #received(isReadable: boolean): void {
    if (isReadable) return this.#monitor.received(this.#apiName, "OK");
    this.#monitor.received(this.#apiName, "UNREADABLE");
    this.#warn("another node sends what this version does not know");
  }

  #warn(message: string, fields?: GGWebSocketLogFields): void {
    const { name: group, logger } = this.#options;
    (logger() ?? this.#monitor.logger).warn(`${this.#apiName}: ${message}`, { group, ...fields });
  }

  #subscribe(): { end(): void } {
    if (this.history) this.#order = this.#newOrder(this.history);
    const { active, end } = this.#bus.subscribe(this.#channel, this);
    let isEnded = false;
    const stopChecking = this.#monitor.checkRegularly(() => {
      void this.#order?.check();
      void this.#presence?.sync();
    });
    const activate = async () => {
      if (isEnded) return;
      this.#isActive = true;
      // A read before this may have missed what came between the two.
      await this.onInterrupted();
      if (isEnded) return;
      for (const done of this.#waiting) done();
    };
    active.then(activate).catch((error) => this.#warn("a subscription has failed", { error }));
    return {
      end() {
        isEnded = true;
        stopChecking();
        end();
      },
    };
  }

  #newOrder(history: GGHistory): KeptOrder {
    const listener = this.#listener;
    return new KeptOrder(history, {
      read: (after, limit) => this.#bus.read(this.#channel, after, limit),
      isBusDown: () => this.#bus.health === "down",
      onDelivered: (message) => this.#received(listener.onMessage(message)),
      onDisplaced: (message) => this.#received(listener.onDisplaced(message)),
      onRepeated: (message, losses) => this.#received(listener.onRepeated?.(message, losses) ?? true),
      onKnown: () => listener.onKnown?.(),
      onLost: (position) => {
        this.#confirmed = undefined;
        this.#monitor.healed(this.#apiName, "LOST");
        this.#warn("messages of other nodes are lost");
        listener.onLost(position);
      },
      onCaughtUp: () => {
        if (!this.#isActive || this.#hasCaughtUp) return;
        this.#hasCaughtUp = true;
        listener.onCaughtUp?.();
      },
      onHealed: () => this.#monitor.healed(this.#apiName, "OK"),
      onFailed: (error, isFirst) => {
        this.#monitor.healed(this.#apiName, "FAILED");
        if (isFirst) this.#warn("messages of a group wait, since what is missing cannot be read", { error });
      },
    });
  }

  get #known(): GGPosition | undefined {
    return this.position ? laterOf(this.#confirmed, this.position) : this.#confirmed;
  }

  #newPresence(): Presence {
    const { logger, scope: asyncScope } = this.#monitor;
    const endpoint = { apiName: this.#apiName, logger, asyncScope };
    return new Presence(this.#bus.members, this.#channel, {
      onWatched: (isWatched) => (isWatched ? this.retain() : this.release()),
      warn: (message, fields) => this.#warn(message, fields),
      run: (callback) => void runCallback(endpoint, this.#context, "onPresence", callback),
    });
  }
}

/** Of two positions of one epoch the one that is ahead; of two epochs the other one. */
function laterOf(one: GGPosition | undefined, other: GGPosition): GGPosition {
  return one?.epoch === other.epoch && one.offset > other.offset ? one : other;
}
