/**
 * What a bundler sees under the `browser` and `development` conditions: the same as in production, and the checks of
 * definitions.
 *
 * @module
 */
import { browserEnds } from "./client/browser.js";
import { CheckedSchemaBuilder } from "./contract/checked.js";
import type { GGWebSocketSchemaBuilder } from "./contract/schema.js";
import type { GGSocketContract, GGSocketMethodMap } from "./contract/socketContract.js";

export { defineSocketContract } from "./contract/checked.js";
export * from "./index.browser.js";

/** Begins a schema for a contract: give it a path and middlewares, then call `done()`. */
export function webSocketSchema<C2S extends GGSocketMethodMap, S2C extends GGSocketMethodMap>(
  contract: GGSocketContract<{ readonly clientToServer: C2S; readonly serverToClient: S2C }>,
): GGWebSocketSchemaBuilder<C2S, S2C> {
  return new CheckedSchemaBuilder(contract, browserEnds);
}
