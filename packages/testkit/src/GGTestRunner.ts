import { GGLocatorKey } from "@grest-ts/locator";

/** The runner of a test file, which starts services in workers. */
export interface GGTestRunner {
  readonly discoveryServer: {
    /** The base URL of the router that leads to an API. */
    getRoutingUrl(apiName: string): string;
  };
}

/** The runner at work. */
export const GG_TEST_RUNNER: GGLocatorKey<GGTestRunner> = new GGLocatorKey<GGTestRunner>("GGTestRunner");
