import type { GGWebSocketLogFields, GGWebSocketLogger } from "../../api/logger.js";
import type { SocketEndpoint } from "../../connection/endpoint.js";
import type { Slot } from "../ledger.js";

/** Adds to each log entry whose connection it is about. */
class SlotLogger implements GGWebSocketLogger {
  readonly #logger: GGWebSocketLogger;
  readonly #slot: Slot;

  constructor(logger: GGWebSocketLogger, slot: Slot) {
    this.#logger = logger;
    this.#slot = slot;
  }

  debug(message: string, fields?: GGWebSocketLogFields): void {
    this.#logger.debug(message, this.#of(fields));
  }

  info(message: string, fields?: GGWebSocketLogFields): void {
    this.#logger.info?.(message, this.#of(fields));
  }

  warn(message: string, fields?: GGWebSocketLogFields): void {
    this.#logger.warn(message, this.#of(fields));
  }

  error(message: string, fields?: GGWebSocketLogFields): void {
    this.#logger.error(message, this.#of(fields));
  }

  #of(fields: GGWebSocketLogFields | undefined): GGWebSocketLogFields {
    const { id: connection, address } = this.#slot;
    return { ...fields, connection, address };
  }
}

/** The endpoint of an API, for one connection: its log entries say whose they are. */
export function endpointOf(endpoint: SocketEndpoint, slot: Slot): SocketEndpoint {
  // Inherits everything else, so that a connection costs no copy.
  return Object.assign(Object.create(endpoint) as SocketEndpoint, { logger: new SlotLogger(endpoint.logger, slot) });
}
