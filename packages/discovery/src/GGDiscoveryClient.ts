import { GGLocatorKey } from "@grest-ts/locator";

/** One API that a running service offers. */
export interface GGDiscoveryRoute {
  /** The service that runs it. */
  readonly runtime: string;
  /** The API's name, which clients look up. */
  readonly api: string;
  readonly protocol: "http" | "ws";
  readonly port: number;
  /** The path the API is served under, for routers that forward by path. */
  readonly pathPrefix: string;
}

/** Where services announce their APIs and clients find them. */
export abstract class GGDiscoveryClient {
  /** Whether all services run on this machine. */
  abstract readonly isLocal: boolean;

  /** Adds routes to announce. */
  abstract registerRoutes(routes: GGDiscoveryRoute[]): void;

  /** Announces this service's routes. */
  abstract register(): void | Promise<void>;

  /** Withdraws this service's routes. */
  abstract unregister(): void | Promise<void>;

  /** The base URL (scheme, host and port, no path) of an API; rejects when no service offers it. */
  abstract discoverApi(apiName: string): Promise<string>;
}

/** The discovery client of the running program. Absent unless the program sets one. */
export const GG_DISCOVERY: GGLocatorKey<GGDiscoveryClient> = new GGLocatorKey<GGDiscoveryClient>("GG_DISCOVERY");
