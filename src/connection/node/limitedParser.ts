import { type Excess, excessOf } from "../../protocol/depth.js";
import { parsePayload } from "../../protocol/frame.js";
import type { SocketEndpoint } from "../endpoint.js";
import { schemaDepth } from "./schemaDepth.js";

/** The limits of a payload. */
export interface PayloadLimits {
  readonly maxDepth: number;
  readonly maxValues: number;
}

/** Parses payloads that keep to the limits. A schema that bounds the depth itself saves looking for it in the text. */
export function limitedParser(
  { maxDepth, maxValues }: PayloadLimits,
  onExcess?: (excess: Excess) => void,
): NonNullable<SocketEndpoint["parseLimited"]> {
  return (payload, schema) => {
    const isBounded = payload.length > 2 * maxDepth && !!schema && schemaDepth(schema) <= maxDepth;
    const excess = excessOf(payload, isBounded ? Number.POSITIVE_INFINITY : maxDepth, maxValues);
    if (!excess) return parsePayload(payload);
    onExcess?.(excess);
    return undefined;
  };
}
