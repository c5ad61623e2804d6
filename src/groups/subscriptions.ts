import type { GGBusHealth, GGBusListener, GGBusMessage, GGMembersChange } from "../api/bus.js";
import { defaultLogger } from "../api/logger.js";
import type { Unsubscribe } from "../api/unsubscribe.js";

/** The listeners of one node of a bus, by channel. */
export class Subscriptions {
  readonly #channels = new Map<string, Set<GGBusListener>>();

  /** The channels that have listeners. */
  get channels(): Iterable<string> {
    return this.#channels.keys();
  }

  /**
   * Adds a listener, also one that is there already. `isFirst` says whether it is the only one of its channel; `remove`
   * returns whether it was the last one.
   */
  add(channel: string, listener: GGBusListener): { readonly isFirst: boolean; readonly remove: () => boolean } {
    // Wrapped: the same listener may be given twice.
    const own: GGBusListener = {
      onMessage: (message) => listener.onMessage(message),
      onInterrupted: () => listener.onInterrupted(),
      onMembers: (change) => listener.onMembers(change),
    };
    const present = this.#channels.get(channel);
    const listeners = present ?? new Set();
    this.#channels.set(channel, listeners.add(own));
    const isLast = () => listeners.size === 0 && this.#channels.get(channel) === listeners;
    return { isFirst: !present, remove: () => listeners.delete(own) && isLast() && this.#channels.delete(channel) };
  }

  clear(): void {
    this.#channels.clear();
  }

  onMessage(channel: string, message: GGBusMessage): void {
    for (const listener of this.#channels.get(channel) ?? []) listener.onMessage(message);
  }

  onMembers(channel: string, change?: GGMembersChange): void {
    for (const listener of this.#channels.get(channel) ?? []) listener.onMembers(change);
  }

  /** Resolves when all listeners have what they have missed. */
  async onInterrupted(): Promise<void> {
    const listeners = [...this.#channels.values()].flatMap((ofChannel) => [...ofChannel]);
    await Promise.allSettled(listeners.map(async (listener) => listener.onInterrupted()));
  }
}

/** The health of a bus, and who watches it. */
export class HealthState {
  #health: GGBusHealth;
  /** Whether the first reason to be down was given. */
  #isDownKnown = false;
  readonly #watchers = new Set<{ callback: (health: GGBusHealth, reason: string) => void }>();

  constructor(health: GGBusHealth) {
    this.#health = health;
  }

  get health(): GGBusHealth {
    return this.#health;
  }

  /** Calls back at each change, and when it is known why a bus is down that was never up. */
  watch(callback: (health: GGBusHealth, reason: string) => void): Unsubscribe {
    const watcher = { callback };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** The bus is closed: it is down for good, which its program knows. */
  close(): void {
    this.#watchers.clear();
    this.#health = "down";
  }

  /** Changes the health. What a callback throws stays with it. */
  set(health: GGBusHealth, reason: string): void {
    if (this.#health === health && (health === "up" || this.#isDownKnown)) return;
    this.#health = health;
    this.#isDownKnown = true;
    for (const { callback } of [...this.#watchers]) {
      try {
        callback(health, reason);
      } catch (error) {
        defaultLogger.error("A callback of `onHealth` has thrown", { error });
      }
    }
  }
}
