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

  /** Adds a listener; whether it is the first one of its channel. */
  add(channel: string, listener: GGBusListener): boolean {
    const listeners = this.#channels.get(channel);
    if (listeners) listeners.add(listener);
    else this.#channels.set(channel, new Set([listener]));
    return !listeners;
  }

  /** Removes a listener; whether it was the last one of its channel. */
  remove(channel: string, listener: GGBusListener): boolean {
    const listeners = this.#channels.get(channel);
    return !!listeners?.delete(listener) && listeners.size === 0 && this.#channels.delete(channel);
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
  readonly #watchers = new Set<{ callback: (health: GGBusHealth, reason: string) => void }>();

  constructor(health: GGBusHealth) {
    this.#health = health;
  }

  get health(): GGBusHealth {
    return this.#health;
  }

  /** Calls back at each change. */
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
    if (this.#health === health) return;
    this.#health = health;
    for (const { callback } of [...this.#watchers]) {
      try {
        callback(health, reason);
      } catch (error) {
        defaultLogger.error("A callback of `onHealth` has thrown", { error });
      }
    }
  }
}
