import { GGSchema } from "@grest-ts/schema";

/**
 * What is asked for, the wanted first: not every library knows each draft. zod describes a schema that has a part without
 * JSON Schema, such as a `Date`, only when it may leave that part open.
 */
const OPTIONS = ["draft-2020-12", "draft-07"].flatMap((target) => [
  { target },
  { target, libraryOptions: { unrepresentable: "any" } },
]);

/**
 * The JSON Schema of a validator: by its `toJSONSchema()` when it is one of `@grest-ts/schema`, else by
 * `~standard.jsonSchema` (https://standardschema.dev/json-schema), which zod and arktype bring, and valibot's
 * `toStandardJsonSchema` adds. `undefined` where the validator has none, or cannot describe this side of itself, such as
 * the output of a function.
 */
export function jsonSchemaOf(validator: unknown, side: "input" | "output"): object | undefined {
  if (validator instanceof GGSchema) return objectOf(() => validator.toJSONSchema());
  const standard: unknown = Object(validator)["~standard"];
  const converter: unknown = Object(standard).jsonSchema;
  const convert: unknown = Object(converter)[side];
  if (typeof convert !== "function") return undefined;
  for (const options of OPTIONS) {
    const schema = objectOf(() => convert.call(converter, options));
    if (schema) return schema;
  }
  return undefined;
}

function objectOf(make: () => unknown): object | undefined {
  try {
    const made = make();
    return typeof made === "object" && made !== null ? made : undefined;
  } catch {
    return undefined;
  }
}
