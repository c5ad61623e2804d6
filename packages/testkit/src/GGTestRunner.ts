import { GGLocatorKey } from "@grest-ts/locator";

/** The runner of a test file, which starts services in workers. */
export interface GGTestRunner {
  readonly discoveryServer: {
    /** The base URL of an API's router. */
    getRoutingUrl(apiName: string): string;
  };
}

/** The active runner. */
export const GG_TEST_RUNNER: GGLocatorKey<GGTestRunner> = new GGLocatorKey<GGTestRunner>("GGTestRunner");
