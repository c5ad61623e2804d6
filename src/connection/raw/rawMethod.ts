import { parsePayload } from "../../protocol/frame.js";
import type { Cleaner } from "../methods/clean.js";
import { type CompiledMethod, compileMethod } from "../methods/compiledMethod.js";
import { isOutcome, type Outcome } from "../methods/outcome.js";

/**
 * Accepts every value as it is, `undefined` too: the validators of the schema package all refuse `undefined` or `null`.
 */
const AS_IT_IS: Cleaner = { safeParse: (value) => ({ success: true, value }) };

/** Compiles a path that no contract describes: payloads and replies pass as they are, and so do errors. */
export function compileRawMethod(path: string, hasReply = true): CompiledMethod {
  const method = compileMethod(path, path, { input: AS_IT_IS, success: hasReply ? AS_IT_IS : undefined });
  return {
    ...method,
    errors: undefined,
    readReply(payload, parse = parsePayload) {
      const reply = parse(payload);
      return isOutcome(reply) ? (reply as Outcome) : method.readReply(payload, parse);
    },
  };
}
