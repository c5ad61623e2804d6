import type { GGWebSocketLogger } from "../api/logger.js";
import type { ConnectionResult } from "./metrics.js";

/** At most one line a second for each reason: whoever floods the server must not flood its log. */
const INTERVAL = 1_000;

/** Logs refused upgrades. */
export class RefusalLog {
  readonly #apiName: string;
  readonly #logger: GGWebSocketLogger;
  /** For each reason when it was last logged, and how many there were since. */
  readonly #last = new Map<ConnectionResult, { readonly at: number; count: number }>();

  constructor(apiName: string, logger: GGWebSocketLogger) {
    this.#apiName = apiName;
    this.#logger = logger;
  }

  note(result: ConnectionResult): void {
    const last = this.#last.get(result);
    const now = performance.now();
    if (last && now - last.at < INTERVAL) {
      last.count++;
      return;
    }
    this.#last.set(result, { at: now, count: 0 });
    const count = 1 + (last?.count ?? 0);
    this.#logger.warn(`${this.#apiName}: upgrades are refused, ${result}`, { result, count });
  }
}
