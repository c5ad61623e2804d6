import type { IncomingMessage } from "node:http";
import type { WebSocketSchemaConfig } from "../../api/server.js";
import type { Limits } from "../limits.js";
import type { ConnectionResult } from "../metrics.js";
import { type OriginCheck, originCheck } from "./origins.js";

/** Why an upgrade is rejected, as its sender sees it and as the metrics do. */
export interface UpgradeRejection {
  readonly status: 403 | 429 | 503;
  readonly why: string;
  readonly result: ConnectionResult;
}

/** How many connections an API has. */
export interface ConnectionCounts {
  readonly isClosing: boolean;
  readonly handshakes: number;
  readonly connections: number;
}

/** Decides whether an upgrade may begin, before it costs much. */
export class Admission {
  readonly #isFromAllowedPage: OriginCheck;
  readonly #limits: Limits;
  readonly #addressOf: NonNullable<WebSocketSchemaConfig["addressOf"]>;
  readonly #onAddressFailed: (error: unknown) => void;
  /** Connections by address; kept only where that is limited. */
  readonly #byAddress = new Map<string, number>();

  constructor(
    apiName: string,
    limits: Limits,
    { allowedOrigins, addressOf = () => undefined }: WebSocketSchemaConfig,
    onAddressFailed: (error: unknown) => void,
  ) {
    this.#isFromAllowedPage = originCheck(apiName, allowedOrigins);
    this.#limits = limits;
    this.#addressOf = addressOf;
    this.#onAddressFailed = onAddressFailed;
  }

  /** Why a request may not be upgraded; `undefined` when it may. */
  check(
    request: IncomingMessage,
    { isClosing, handshakes, connections }: ConnectionCounts,
  ): UpgradeRejection | undefined {
    const { maxConnections, maxConnectionsPerAddress, maxHandshakes } = this.#limits;
    if (isClosing) return { status: 503, why: "The server is shutting down", result: "SHUTTING_DOWN" };
    if (!this.#isFromAllowedPage(request)) {
      return { status: 403, why: "This origin may not connect", result: "ORIGIN_REFUSED" };
    }
    if (handshakes >= maxHandshakes) {
      return { status: 503, why: "Too many connections are being made", result: "TOO_MANY_HANDSHAKES" };
    }
    if (handshakes + connections >= maxConnections) {
      return { status: 503, why: "There are too many connections", result: "TOO_MANY_CONNECTIONS" };
    }
    const address = this.#limitedAddress(request);
    if (address !== undefined && (this.#byAddress.get(address) ?? 0) >= maxConnectionsPerAddress) {
      return { status: 429, why: "Too many connections", result: "TOO_MANY_CONNECTIONS_PER_ADDRESS" };
    }
    return undefined;
  }

  /** Counts a connection towards its address. Returns what is to be called when it has ended, if anything. */
  enter(request: IncomingMessage): (() => void) | undefined {
    const address = this.#limitedAddress(request);
    if (address === undefined) return undefined;
    this.#add(address, 1);
    return () => this.#add(address, -1);
  }

  /** What the program finds, else the TCP peer: a request without the proxy's header must not escape the limit. */
  #limitedAddress(request: IncomingMessage): string | undefined {
    if (this.#limits.maxConnectionsPerAddress === Number.POSITIVE_INFINITY) return undefined;
    try {
      return this.#addressOf(request) ?? request.socket.remoteAddress;
    } catch (error) {
      this.#onAddressFailed(error);
      return request.socket.remoteAddress;
    }
  }

  #add(address: string, change: number): void {
    const count = (this.#byAddress.get(address) ?? 0) + change;
    if (count > 0) this.#byAddress.set(address, count);
    else this.#byAddress.delete(address);
  }
}
