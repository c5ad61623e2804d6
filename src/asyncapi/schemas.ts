import type { GGAsyncApiSchema } from "./document.js";
import { jsonSchemaOf } from "./jsonSchemaOf.js";
import { SchemaEmbedding } from "./schemaEmbedding.js";

/** Which values of a validator travel: what it takes, or what it makes of that. */
export type Side = "input" | "output";

/** The JSON Schemas of a document. */
export class Schemas {
  /** What several places refer to, by key. */
  readonly components: Record<string, GGAsyncApiSchema> = {};

  /** The JSON Schema of a validator, for the place where it is used; `name` begins the keys of its parts. */
  of(validator: unknown, side: Side, name: string): GGAsyncApiSchema {
    const schema = jsonSchemaOf(validator, side);
    if (!schema) return { description: "Its validator has no JSON Schema: see the contract." };
    return new SchemaEmbedding(schema, name, this.components).embed();
  }

  /** A reference to a component, which is made when it is first needed. */
  shared(key: string, make: () => GGAsyncApiSchema): { readonly $ref: string } {
    if (!(key in this.components)) this.components[key] = make();
    return { $ref: `#/components/schemas/${key}` };
  }
}

/** Whether a value is a validator: one of `@grest-ts/schema`, or a Standard Schema. */
export function isValidator(value: unknown): boolean {
  return typeof Object(value).safeParse === "function" || typeof Object(value)["~standard"] === "object";
}

/** Whether a validator takes `undefined`, and lets it stay so: there may be no value then. */
export function isOptional(validator: unknown): boolean {
  try {
    const standard = Object(validator)["~standard"];
    const result = Object(standard ? standard.validate(undefined) : Object(validator).safeParse(undefined, true));
    // A promise is no answer, and its rejection must not end the process.
    Promise.resolve(result).catch(() => {});
    return "value" in result && result.value === undefined && result.success !== false;
  } catch {
    return false;
  }
}
