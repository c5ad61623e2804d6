import { GG_METRICS } from "@grest-ts/metrics";
import { type GGBus, GGBusError, type GGBusErrorReason } from "../api/bus.js";
import { GGWebSocketMetrics } from "../api/metrics.js";
import { setDeadline } from "../connection/deadlines.js";
import type { AsyncScope } from "../connection/endpoint.js";
import { frameworkLogger } from "../connection/logger.js";
import { captureScope } from "../connection/node/asyncScope.js";
import { throttledLogger } from "../connection/throttledLogger.js";

/** How often each channel asks its bus whether it has missed something, in ms, and by how much that varies. */
const CHECK_INTERVAL = 30_000;
const JITTER = 0.1;

/** What a publication came to, as the metrics show it. */
type PublishResult = "OK" | Uppercase<GGBusErrorReason>;

/** One monitor for each bus of this process. */
const monitors = new WeakMap<GGBus, BusMonitor>();

/** The monitor of a bus. */
export function monitorOf(bus: GGBus): BusMonitor {
  const monitor = monitors.get(bus) ?? new BusMonitor(bus);
  monitors.set(bus, monitor);
  return monitor;
}

/** Logs and counts what a bus does, and brings its channels to look for what they have missed. */
export class BusMonitor {
  /** The source of its log entries. */
  readonly source: string;
  readonly logger = throttledLogger(frameworkLogger("GGBus", (fn, ...args) => this.scope(fn, ...args)));
  readonly #bus: GGBus;
  readonly #checks = new Set<() => void>();
  #scope: AsyncScope = captureScope();
  #hasStore = false;
  #stopChecking = () => {};

  constructor(bus: GGBus) {
    this.#bus = bus;
    this.source = `GGBus ${bus.name}`;
    bus.onHealth((health, reason) => {
      const message = `${this.source}: ${health}, ${reason}`;
      const fields = { node: bus.node, queued: bus.queued };
      if (health === "up") this.logger.info?.(message, fields);
      else this.logger.error(message, fields);
      this.#countBus();
    });
  }

  /** Where callbacks of the program run, and where its metrics and its log are. */
  get scope(): AsyncScope {
    return this.#scope;
  }

  /** Takes the caller's scope, of an app that uses the bus, unless an earlier one has a metrics store. */
  useScope(): void {
    if (this.#hasStore) return;
    this.#hasStore = GG_METRICS.has();
    this.#scope = captureScope();
    this.#countBus();
  }

  published(api: string, result: PublishResult): void {
    this.#count(() => {
      GGWebSocketMetrics.busPublished.inc(1, { api, result });
      GGWebSocketMetrics.busQueue.set(this.#bus.queued, { bus: this.#bus.name });
    });
  }

  received(api: string, result: "OK" | "UNREADABLE"): void {
    this.#count(() => GGWebSocketMetrics.busReceived.inc(1, { api, result }));
  }

  healed(api: string, result: "OK" | "LOST"): void {
    this.#count(() => GGWebSocketMetrics.busHealed.inc(1, { api, result }));
  }

  /** Calls back from time to time, until the function returned is called. Does not keep the process alive. */
  checkRegularly(check: () => void): () => void {
    this.#checks.add(check);
    if (this.#checks.size === 1) this.#expectCheck();
    return () => {
      this.#checks.delete(check);
      if (this.#checks.size === 0) this.#stopChecking();
    };
  }

  #expectCheck(): void {
    const jitter = 1 + JITTER * (2 * Math.random() - 1);
    this.#stopChecking = setDeadline(CHECK_INTERVAL * jitter, () => {
      for (const check of this.#checks) check();
      this.#countBus();
      this.#expectCheck();
    });
  }

  #countBus(): void {
    const { name: bus, health, queued } = this.#bus;
    this.#count(() => {
      GGWebSocketMetrics.busUp.set(health === "up" ? 1 : 0, { bus });
      GGWebSocketMetrics.busQueue.set(queued, { bus });
    });
  }

  #count(count: () => void): void {
    if (!this.#hasStore) return;
    try {
      this.#scope(() => {
        if (GG_METRICS.has()) count();
      });
    } catch (error) {
      this.logger.warn("GGBus: the metrics store failed", { error });
    }
  }
}

/** The reason that a bus gave, whatever it rejected with. */
export function busErrorOf(thrown: unknown): GGBusError {
  if (thrown instanceof GGBusError) return thrown;
  return new GGBusError("it failed", "refused", true, { cause: thrown });
}

/** How the metrics show what a bus rejected with. */
export function publishResultOf({ reason }: GGBusError): PublishResult {
  return reason.toUpperCase() as Uppercase<typeof reason>;
}
