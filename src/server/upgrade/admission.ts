import type { IncomingMessage } from "node:http";
import type { Ledger } from "../ledger.js";
import type { Limits } from "../limits.js";
import type { ConnectionResult } from "../metrics.js";
import { type OriginCheck, type OriginConfig, originCheck } from "./origins.js";

/** Why an upgrade is rejected, as its sender sees it and as the metrics do. */
export interface UpgradeRejection {
  readonly status: 403 | 429 | 503;
  readonly why: string;
  readonly result: ConnectionResult;
}

/** Decides whether an upgrade may begin, before it costs much. */
export class Admission {
  readonly #isFromAllowedPage: OriginCheck;
  readonly #limits: Limits;
  readonly #ledger: Ledger;

  constructor(apiName: string, limits: Limits, ledger: Ledger, origins: OriginConfig) {
    this.#isFromAllowedPage = originCheck(apiName, origins);
    this.#limits = limits;
    this.#ledger = ledger;
  }

  /** Why a request from this address may not be upgraded; `undefined` when it may. */
  check(
    request: IncomingMessage,
    address: string | undefined,
    isClosing: boolean,
    isCutOff: boolean,
  ): UpgradeRejection | undefined {
    const { maxConnections, maxConnectionsPerAddress, maxHandshakes } = this.#limits;
    if (isClosing) return { status: 503, why: "The server is shutting down", result: "SHUTTING_DOWN" };
    if (isCutOff) return { status: 503, why: "The server is cut off from the others", result: "BUS_DOWN" };
    if (!this.#isFromAllowedPage(request)) {
      return { status: 403, why: "This origin may not connect", result: "ORIGIN_REFUSED" };
    }
    if (this.#ledger.unaccepted >= maxHandshakes) {
      return { status: 503, why: "Too many connections are being made", result: "TOO_MANY_HANDSHAKES" };
    }
    if (this.#ledger.sockets >= maxConnections) {
      return { status: 503, why: "There are too many connections", result: "TOO_MANY_CONNECTIONS" };
    }
    if (address !== undefined && this.#ledger.of(address) >= maxConnectionsPerAddress) {
      return { status: 429, why: "Too many connections", result: "TOO_MANY_CONNECTIONS_PER_ADDRESS" };
    }
    return undefined;
  }
}
