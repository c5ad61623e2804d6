import { IsAny } from "@grest-ts/schema";
import { parsePayload } from "../protocol/frame.js";
import { type CompiledMethod, compileMethod } from "./compiledMethod.js";
import { isOutcome, type Outcome } from "./outcome.js";

/** Compiles a path that no contract describes: payloads and replies pass as they are, and so do errors. */
export function compileRawMethod(path: string, hasReply = true): CompiledMethod {
  const method = compileMethod(path, path, { input: IsAny, success: hasReply ? IsAny : undefined });
  return {
    ...method,
    errors: undefined,
    readReply(payload, isTooDeep) {
      const reply = parsePayload(payload, isTooDeep);
      return isOutcome(reply) ? (reply as Outcome) : method.readReply(payload, isTooDeep);
    },
  };
}
