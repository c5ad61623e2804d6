import { GG_METRICS } from "@grest-ts/metrics";
import { type GGBus, GGBusError, type GGBusErrorReason } from "../api/bus.js";
import { GGWebSocketMetrics } from "../api/metrics.js";
import { setDeadline } from "../connection/deadlines.js";
import type { AsyncScope } from "../connection/endpoint.js";
import { hasService } from "../connection/locate.js";
import { frameworkLogger } from "../connection/logger.js";
import { captureScope } from "../connection/node/asyncScope.js";
import { throttledLogger } from "../connection/throttledLogger.js";

/** How often each channel asks its bus whether it has missed something, in ms. */
const CHECK_INTERVAL = 30_000;

/** In how many parts of this time: thousands of channels must not ask at once. */
const SLICES = 30;

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
  readonly logger = throttledLogger(frameworkLogger("GGBus", (fn, ...args) => this.scope(fn, ...args)));
  readonly #bus: GGBus;
  readonly #checks = Array.from({ length: SLICES }, () => new Set<() => void>());
  #checkCount = 0;
  #slice = 0;
  #scope: AsyncScope = captureScope();
  #hasStore = false;
  #stopChecking = () => {};

  constructor(bus: GGBus) {
    this.#bus = bus;
    bus.onHealth((health, reason) => {
      const message = `GGBus ${bus.name}: ${health}, ${reason}`;
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

  /** Takes the caller's scope when it has a metrics store, and the present one has none. */
  useScope(): void {
    if (this.#hasStore || !hasService(GG_METRICS)) return;
    this.#hasStore = true;
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

  healed(api: string, result: "OK" | "LOST" | "FAILED"): void {
    this.#count(() => GGWebSocketMetrics.busHealed.inc(1, { api, result }));
  }

  /** Calls back in each interval, until the function returned is called. Does not keep the process alive. */
  checkRegularly(check: () => void): () => void {
    const slice = this.#checks[Math.floor(Math.random() * SLICES)] as Set<() => void>;
    slice.add(check);
    if (++this.#checkCount === 1) this.#expectChecks();
    return () => {
      if (slice.delete(check) && --this.#checkCount === 0) this.#stopChecking();
    };
  }

  #expectChecks(): void {
    this.#stopChecking = setDeadline(CHECK_INTERVAL / SLICES, () => {
      this.#slice = (this.#slice + 1) % SLICES;
      this.#expectChecks();
      for (const check of this.#checks[this.#slice] ?? []) check();
      if (this.#slice === 0) this.#countBus();
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
    try {
      this.#scope(() => {
        if (hasService(GG_METRICS)) count();
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
