/**
 * Makes the framework's own `callOn` accept a schema in its types: `import "@grest-ts/websocket/testkit/framework"`
 * anywhere in a test project. At run time the framework finds the test kit by itself.
 *
 * @module
 */
import type { GGContext } from "@grest-ts/context";
import type { CALL_ON_FACTORY } from "@grest-ts/testkit";
import type { GGSocketTester } from "./index-testkit.js";

declare module "@grest-ts/websocket" {
  interface GGSchemaMethods<C2S, S2C> {
    /** Tests the API, see `callOn`. */
    [CALL_ON_FACTORY](context?: GGContext): GGSocketTester<C2S, S2C>;
  }
}
