import { GGSchema, type GGSchemaDef } from "@grest-ts/schema";
import { memoizeByKey } from "../methods/methodTable.js";

/**
 * How deep the arrays and objects nest that a schema reads; infinite where it does not bound that itself: anything,
 * shapes that may contain themselves, conversions of the program, validators of others.
 */
export const schemaDepth = memoizeByKey((schema: object): number => {
  if (!(schema instanceof GGSchema)) return Number.POSITIVE_INFINITY;
  const def: GGSchemaDef = schema.def;
  return def.coerce ? Number.POSITIVE_INFINITY : depthOf(def);
});

function depthOf(def: GGSchemaDef): number {
  switch (def.kind) {
    case "string":
    case "number":
    case "boolean":
    case "literal":
      return 0;
    case "array":
      return 1 + schemaDepth(def.item);
    case "record":
      return 1 + schemaDepth(def.value);
    case "union":
      return deepest(def.options);
    case "object":
      return typeof def.shape === "function" ? Number.POSITIVE_INFINITY : 1 + deepest(Object.values(def.shape));
    default:
      return Number.POSITIVE_INFINITY;
  }
}

/** Of schemas, and of the values that stand for literals in a shape. */
function deepest(parts: readonly unknown[]): number {
  return Math.max(0, ...parts.map((part) => (typeof part === "object" && part ? schemaDepth(part) : 0)));
}
