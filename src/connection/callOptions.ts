import type { GGCallOptions } from "../api/methodTypes.js";
import { CALL_OPTIONS, checkOptions } from "../api/optionChecks.js";
import { type AnyError, serverError } from "./methods/outcome.js";

/**
 * Checks the options of one call. Programs pass these functions around, to `map` for example: what is no object has no
 * meaning, and an option that there is not does not warn with each call.
 * Returns a `SERVER_ERROR` naming the method and the option that it refuses.
 */
export function checkCallOptions(path: string, options: GGCallOptions): AnyError | undefined {
  if (typeof options !== "object") return undefined;
  try {
    checkOptions({ apiName: path, call: "a call", warn() {} }, options, CALL_OPTIONS);
  } catch (error) {
    return serverError((error as Error).message, "invalid-input");
  }
  return undefined;
}
