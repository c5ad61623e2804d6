import {
  type GGBus,
  GGBusError,
  type GGBusHealth,
  type GGBusListener,
  type GGBusMembers,
  type GGBusRead,
  type GGPosition,
  type GGPublishOptions,
} from "../api/bus.js";
import type { Unsubscribe } from "../api/unsubscribe.js";
import { historyError } from "./history.js";
import { type EngineNode, MemoryEngine, randomName } from "./memoryEngine.js";
import { HealthState, Subscriptions } from "./subscriptions.js";

/**
 * A bus of this process alone: its only node is itself, which is up until it is closed. What it keeps ends with the
 * process. Members get a message while `publish` runs.
 */
export function localBus(): GGBus {
  return localBusOn(new MemoryEngine(), "local");
}

/** A node of an engine of this process. `onClose` is called once. */
export function localBusOn(engine: MemoryEngine, name: string, onClose: () => void = () => {}): GGBus {
  return new LocalBus(engine, name, onClose);
}

class LocalBus implements GGBus {
  readonly node = randomName();
  readonly queued = 0;
  readonly members: GGBusMembers;
  readonly name: string;
  readonly #engine: MemoryEngine;
  readonly #onClose: () => void;
  readonly #subscriptions = new Subscriptions();
  readonly #health = new HealthState("up");
  readonly #engineNode: EngineNode;
  #published = 0;

  constructor(engine: MemoryEngine, name: string, onClose: () => void) {
    this.name = name;
    this.#engine = engine;
    this.#onClose = onClose;
    const subscriptions = this.#subscriptions;
    const node: EngineNode = {
      id: this.node,
      onMessage: (channel, message) => subscriptions.onMessage(channel, message),
      onMembers: (channel, change) => subscriptions.onMembers(channel, change),
    };
    this.#engineNode = node;
    const ifOpen = (change: () => void) => this.#isOpen && change();
    this.members = {
      set: (channel, member, info) => ifOpen(() => engine.setMember(node, channel, member, info)),
      remove: (channel, member) => ifOpen(() => engine.setMember(node, channel, member, undefined)),
      setCount: (channel, count) => ifOpen(() => engine.setCount(node, channel, count)),
      list: async (channel) => this.#open().list(channel),
      count: async (channel) => this.#open().count(channel),
    };
  }

  get health(): GGBusHealth {
    return this.#health.health;
  }

  onHealth(callback: (health: GGBusHealth, reason: string) => void): Unsubscribe {
    return this.#health.watch(callback);
  }

  async publish(channel: string, body: string, options?: GGPublishOptions): Promise<GGPosition | undefined> {
    const impossible = historyError(options?.history);
    if (impossible) throw impossible;
    return this.#open().publish(channel, body, `${this.node}.${++this.#published}`, options);
  }

  async read(channel: string, after: GGPosition, limit: number): Promise<GGBusRead> {
    return this.#open().read(channel, after, limit);
  }

  subscribe(channel: string, listener: GGBusListener): { readonly active: Promise<void>; readonly end: Unsubscribe } {
    const active = Promise.resolve();
    if (!this.#isOpen) return { active, end: () => {} };
    const { isFirst, remove } = this.#subscriptions.add(channel, listener);
    if (isFirst) this.#engine.subscribe(this.#engineNode, channel);
    const end = () => {
      if (remove()) this.#engine.unsubscribe(this.#engineNode, channel);
    };
    return { active, end };
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#subscriptions.clear();
    this.#health.close();
    this.#engine.detach(this.#engineNode);
    this.#onClose();
  }

  get #isOpen(): boolean {
    return this.health === "up";
  }

  #open(): MemoryEngine {
    if (this.#isOpen) return this.#engine;
    throw new GGBusError("it was closed", "closed");
  }
}
