import type { GGBusListener } from "../api/bus.js";
import type { Unsubscribe } from "../api/unsubscribe.js";
import type { Shard } from "./connect.js";
import type { Link } from "./link.js";
import { errorText } from "./replies.js";
import { readWireMessage } from "./wireMessage.js";

/** A listener, once for each time that it was given. */
interface Entry {
  readonly listener: GGBusListener;
  /** It was told that messages arrive. */
  isActive: boolean;
  /** It was, before the present link. */
  isInterrupted: boolean;
  activate(): void;
}

/** A channel that is, or was, subscribed. */
interface Subscription {
  readonly channel: string;
  readonly entries: Set<Entry>;
  /** What Redis has confirmed on the present link. */
  isSubscribed: boolean;
  /** A command is under way. The client mixes up what overlaps for one channel, so the next waits for its end. */
  isChanging: boolean;
}

/** The channels that this node is subscribed to, on whatever link there is. */
export class Subscriptions {
  readonly #channels = new Map<string, Subscription>();
  #changed = new Set<Subscription>();
  #link: Link | undefined;
  #isScheduled = false;

  /** Adds a listener. `active` resolves when Redis has confirmed the subscription. */
  add(channel: string, listener: GGBusListener): { readonly active: Promise<void>; readonly end: Unsubscribe } {
    let subscription = this.#channels.get(channel);
    if (!subscription) {
      subscription = { channel, entries: new Set(), isSubscribed: false, isChanging: false };
      this.#channels.set(channel, subscription);
    }
    const { entries } = subscription;
    let activate = () => {};
    const active = new Promise<void>((resolve) => {
      activate = resolve;
    });
    const entry: Entry = { listener, isActive: false, isInterrupted: false, activate };
    entries.add(entry);
    // Where a command is under way, it may be one that ends the subscription.
    if (subscription.isSubscribed && !subscription.isChanging) markActive(entry);
    else this.#change(subscription);
    return {
      active,
      end: () => {
        if (!entries.delete(entry)) return;
        activate();
        if (entries.size === 0) this.#change(subscription);
      },
    };
  }

  /** Subscribes all channels on a new link. */
  async attach(link: Link): Promise<void> {
    this.#link = link;
    this.#changed = new Set();
    for (const subscription of this.#channels.values()) {
      subscription.isSubscribed = subscription.isChanging = false;
      for (const entry of subscription.entries) entry.isInterrupted = entry.isActive;
      if (subscription.entries.size > 0) this.#changed.add(subscription);
      else this.#channels.delete(subscription.channel);
    }
    await this.#apply();
  }

  /**
   * The link is lost. Listeners learn at once that messages may be missing: a message of the next link must not be taken
   * for the one that follows, while it is the second of its offset since Redis has gone back in time.
   */
  detach(): void {
    this.#link = undefined;
    for (const entry of this.#entries()) entry.isInterrupted ||= entry.isActive;
    void this.interrupt();
  }

  /** Says to those that had messages on an earlier link that some may be missing. Resolves when they are done. */
  async interrupt(): Promise<void> {
    const answers: Promise<void>[] = [];
    for (const { listener, isInterrupted } of this.#entries())
      if (isInterrupted) answers.push(listener.onInterrupted());
    await Promise.allSettled(answers);
  }

  /** Members may have changed, in any channel. */
  membersChanged(): void {
    for (const { listener, isActive } of this.#entries()) if (isActive) listener.onMembers();
  }

  /** No more messages: lets go of all that wait for a subscription. */
  end(): void {
    this.#link = undefined;
    for (const entry of this.#entries()) entry.activate();
    this.#channels.clear();
  }

  *#entries(): Iterable<Entry> {
    for (const { entries } of this.#channels.values()) yield* entries;
  }

  readonly #onMessage = (text: string, channel: string): void => {
    if (this.#link) this.#link.hasReceived = true;
    const entries = this.#channels.get(channel)?.entries;
    if (!entries?.size) return;
    const received = readWireMessage(text);
    if (!received) return;
    for (const { listener } of entries) {
      if ("message" in received) listener.onMessage(received.message);
      else listener.onMembers(received.change);
    }
  };

  #change(subscription: Subscription): void {
    this.#changed.add(subscription);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(() => {
      this.#isScheduled = false;
      void this.#apply();
    });
  }

  /** Brings Redis to what is wanted. */
  async #apply(): Promise<void> {
    const link = this.#link;
    if (!link) {
      for (const { channel, entries } of this.#changed) if (entries.size === 0) this.#channels.delete(channel);
      this.#changed.clear();
      return;
    }
    const changes = [...this.#changed].filter((subscription) => !subscription.isChanging);
    this.#changed.clear();
    for (const subscription of changes) subscription.isChanging = true;
    const byShard = new Map<Shard, Subscription[]>();
    try {
      for (const subscription of changes) {
        const shard = await link.shardOf(subscription.channel);
        const others = byShard.get(shard);
        if (others) others.push(subscription);
        else byShard.set(shard, [subscription]);
      }
      await Promise.all([...byShard].map(([shard, subscriptions]) => this.#applyOn(link, shard, subscriptions)));
    } catch (error) {
      link.lose(`a subscription failed: ${errorText(error)}`);
    }
  }

  async #applyOn(link: Link, shard: Shard, subscriptions: readonly Subscription[]): Promise<void> {
    if (this.#link !== link) return;
    const [wanted, unwanted]: [Subscription[], Subscription[]] = [[], []];
    for (const subscription of subscriptions) {
      const isWanted = subscription.entries.size > 0;
      if (isWanted !== subscription.isSubscribed) (isWanted ? wanted : unwanted).push(subscription);
      else this.#applied(subscription, isWanted);
    }
    const names = (list: readonly Subscription[]) => list.map(({ channel }) => channel);
    await Promise.all([
      wanted.length > 0 && link.track(shard.subscribe(names(wanted), this.#onMessage)),
      unwanted.length > 0 && link.track(shard.unsubscribe(names(unwanted), this.#onMessage)),
    ]);
    if (this.#link !== link) return;
    for (const subscription of wanted) this.#applied(subscription, true);
    for (const subscription of unwanted) this.#applied(subscription, false);
  }

  #applied(subscription: Subscription, isSubscribed: boolean): void {
    const { entries, channel } = subscription;
    subscription.isSubscribed = isSubscribed;
    subscription.isChanging = false;
    if (isSubscribed) for (const entry of entries) markActive(entry);
    if (entries.size > 0 !== isSubscribed) this.#change(subscription);
    else if (!isSubscribed && this.#channels.get(channel) === subscription) this.#channels.delete(channel);
  }
}

function markActive(entry: Entry): void {
  entry.isActive = true;
  entry.activate();
}
