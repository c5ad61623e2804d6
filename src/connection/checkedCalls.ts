import type { GGCallOptions } from "../api/methodTypes.js";
import { Calls } from "./calls.js";
import type { CompiledMethod } from "./methods/compiledMethod.js";
import type { Outcome } from "./methods/outcome.js";

/** Calls whose options are checked, and whose signals may be those of many; absent in pages in production. */
export class CheckedCalls extends Calls {
  override call(method: CompiledMethod, data: unknown, options?: GGCallOptions): Promise<Outcome> {
    if (options) {
      const { checkCallOptions, shareSignal } = this.ofConnection.socketEndpoint;
      const refused = checkCallOptions?.(method.path, options);
      if (refused) return Promise.resolve(refused);
      if (options.signal) shareSignal?.(options.signal);
    }
    return super.call(method, data, options);
  }
}
