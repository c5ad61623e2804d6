import {
  type GGBus,
  GGBusError,
  type GGBusErrorReason,
  type GGBusHealth,
  type GGBusListener,
  type GGBusMessage,
} from "@grest-ts/websocket";

/** A node of a bus that a test can cut off: nothing reaches it, and what it asks is refused. */
export interface CuttableBus extends GGBus {
  /** Cuts it off; what it is asked then fails for this reason. */
  cut(reason?: GGBusErrorReason): void;
  /** Connects it again, as a bus does that was interrupted. */
  heal(): Promise<void>;
  /** Which messages do not reach it while it is up: a bus may lose any. */
  loses: (message: GGBusMessage) => boolean;
}

export function cuttable(bus: GGBus): CuttableBus {
  const listeners = new Set<GGBusListener>();
  const callbacks = new Set<(health: GGBusHealth, reason: string) => void>();
  let failure: GGBusErrorReason | undefined;
  const ask = <T>(answer: () => Promise<T>): Promise<T> =>
    failure ? Promise.reject(new GGBusError(`it is ${failure}`, failure, failure === "timeout")) : answer();
  return {
    name: "cuttable",
    node: bus.node,
    get health() {
      return failure ? "down" : bus.health;
    },
    queued: 0,
    loses: () => false,
    members: {
      set: (...args) => bus.members.set(...args),
      remove: (...args) => bus.members.remove(...args),
      setCount: (...args) => bus.members.setCount(...args),
      list: (channel) => ask(() => bus.members.list(channel)),
      count: (channel) => ask(() => bus.members.count(channel)),
    },
    onHealth(callback) {
      callbacks.add(callback);
      return () => callbacks.delete(callback);
    },
    publish: (...args) => ask(() => bus.publish(...args)),
    read: (...args) => ask(() => bus.read(...args)),
    subscribe(channel, listener) {
      const { active, end } = bus.subscribe(channel, {
        onMessage: (message) => failure || this.loses(message) || listener.onMessage(message),
        onInterrupted: () => listener.onInterrupted(),
        onMembers: (change) => failure || listener.onMembers(change),
      });
      listeners.add(listener);
      return {
        active,
        end() {
          listeners.delete(listener);
          end();
        },
      };
    },
    close: () => bus.close(),
    cut(reason = "down") {
      failure = reason;
      for (const callback of callbacks) callback("down", "the test has cut it off");
    },
    async heal() {
      failure = undefined;
      await Promise.all(Array.from(listeners, (listener) => listener.onInterrupted()));
      for (const callback of callbacks) callback("up", "the test has connected it");
    },
  };
}
