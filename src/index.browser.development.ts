/**
 * What a bundler sees under the `browser` and `development` conditions: the same as in production, and the checks of
 * definitions.
 *
 * @module
 */

import type { GGSocketContract, GGSocketMethodMap } from "./api/contract.js";
import { CheckedSchemaBuilder } from "./api/definitionChecks.js";
import type { GGWebSocketSchemaBuilder } from "./api/schema.js";
import { browserEnds } from "./client/platform/browser.js";

export { defineSocketContract } from "./api/definitionChecks.js";
export * from "./index.browser.js";

/** Begins a schema for a contract: give it a path and middlewares, then call `done()`. */
export function webSocketSchema<C2S extends GGSocketMethodMap, S2C extends GGSocketMethodMap>(
  contract: GGSocketContract<{ readonly clientToServer: C2S; readonly serverToClient: S2C }>,
): GGWebSocketSchemaBuilder<C2S, S2C> {
  return new CheckedSchemaBuilder(contract, browserEnds);
}
