import type { GGBus, GGBusListener } from "@grest-ts/websocket";
import { localBusOn } from "../../src/groups/localBus.js";
import { MemoryEngine } from "../../src/groups/memoryEngine.js";

/** A bus of this process that can lose all that it has kept. */
export interface LosingBus extends GGBus {
  /** What it keeps messages in. */
  readonly engine: MemoryEngine;
  /** Goes on with an empty engine, as a bus does whose engine was started again. Resolves when its groups know. */
  lose(): Promise<void>;
}

export function losingBus(): LosingBus {
  const subscriptions = new Set<{ readonly channel: string; readonly listener: GGBusListener; end: () => void }>();
  let engine = new MemoryEngine();
  let bus = localBusOn(engine, "losing");
  return {
    name: "losing",
    queued: 0,
    health: "up",
    get node() {
      return bus.node;
    },
    get members() {
      return bus.members;
    },
    get engine() {
      return engine;
    },
    onHealth: () => () => {},
    publish: (...args) => bus.publish(...args),
    read: (...args) => bus.read(...args),
    subscribe(channel, listener) {
      const { active, end } = bus.subscribe(channel, listener);
      const subscription = { channel, listener, end };
      subscriptions.add(subscription);
      return {
        active,
        end() {
          subscriptions.delete(subscription);
          subscription.end();
        },
      };
    },
    close: () => bus.close(),
    async lose() {
      engine = new MemoryEngine();
      bus = localBusOn(engine, "losing");
      for (const subscription of subscriptions)
        subscription.end = bus.subscribe(subscription.channel, subscription.listener).end;
      await Promise.all(Array.from(subscriptions, ({ listener }) => listener.onInterrupted()));
    },
  };
}
