import { onTestFinished, vi } from "vitest";
import type { GGBus, GGBusMessage, GGBusRead, GGHistory, GGMembersChange, GGPosition } from "../../src/api/bus.js";
import type { GGRedisBusOptions } from "../../src/redis/options.js";
import { redisBus } from "../../src/redis/redisBus.js";

/** What waits in these tests is bounded by them. */
const PATIENCE = { timeout: 15_000, interval: 10 };

/** Waits for a state. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, PATIENCE);
}

/** A `redisBus` that is closed after the test, with all that it said. */
export interface TestNode {
  readonly bus: GGBus;
  /** `"up"`, and `"down: "` with the reason. */
  readonly health: string[];
  up(): Promise<void>;
  down(): Promise<void>;
}

/** Starts a node. It gives Redis little time to answer. */
export function startNode(options: GGRedisBusOptions): TestNode {
  const bus = redisBus({ timeoutMs: 1_000, ...options });
  onTestFinished(() => bus.close());
  const health: string[] = [];
  bus.onHealth((now, reason) => health.push(now === "up" ? now : `${now}: ${reason}`));
  const is = (wanted: string) => () =>
    eventually(() => {
      if (bus.health !== wanted) throw new Error(`the bus is ${bus.health}: ${health.join(", ")}`);
    });
  return { bus, health, up: is("up"), down: is("down") };
}

/** Listens like a group: after an interruption it reads what it has missed. */
export interface TestListener {
  readonly messages: GGBusMessage[];
  readonly bodies: string[];
  readonly changes: (GGMembersChange | undefined)[];
  readonly reads: GGBusRead[];
  readonly active: Promise<void>;
  readonly end: () => void;
  interruptions: number;
}

export function listen(bus: GGBus, channel: string): TestListener {
  const [messages, bodies, changes, reads]: [GGBusMessage[], string[], (GGMembersChange | undefined)[], GGBusRead[]] = [
    [],
    [],
    [],
    [],
  ];
  let latest: GGPosition | undefined;
  const subscription = bus.subscribe(channel, {
    onMessage(message) {
      messages.push(message);
      bodies.push(message.body);
      latest = message.position ?? latest;
    },
    async onInterrupted() {
      listener.interruptions++;
      if (latest) reads.push(await bus.read(channel, latest, 1_000));
    },
    onMembers: (change) => changes.push(change),
  });
  const listener: TestListener = { messages, bodies, changes, reads, interruptions: 0, ...subscription };
  return listener;
}

export const HISTORY: GGHistory = { size: 1_000, ttlMs: 60_000 };

/** Publishes texts at once, kept, and waits for the positions. */
export function publishAll(bus: GGBus, channel: string, bodies: readonly string[], known?: GGPosition) {
  return Promise.all(bodies.map((body) => bus.publish(channel, body, { history: HISTORY, known })));
}

/** `count` texts. */
export function texts(count: number, name = "text"): string[] {
  return Array.from({ length: count }, (_, index) => `${name} ${index}`);
}

/** All that is kept, from the beginning of an epoch. */
export async function keptIn(bus: GGBus, channel: string, epoch: string): Promise<string[] | undefined> {
  return (await bus.read(channel, { epoch, offset: 0 }, 10_000)).missed?.map(({ body }) => body);
}
