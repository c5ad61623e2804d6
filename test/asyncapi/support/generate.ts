import type { GGAsyncApiDocument } from "@grest-ts/websocket/asyncapi";
import fc from "fast-check";

type Json = Record<string, unknown>;

/** Values that a schema of a document takes; of the keywords, those that the tests' contracts bring. */
export function valuesOf(schema: unknown, document: GGAsyncApiDocument, depth = 0): fc.Arbitrary<unknown> {
  const { $ref, anyOf, enum: values, type, ...rest } = Object(schema) as Json;
  const of = (part: unknown) => valuesOf(part, document, depth + 1);
  if (typeof $ref === "string") return of(document.components.schemas[$ref.replace("#/components/schemas/", "")]);
  if (Array.isArray(anyOf)) return fc.oneof(...anyOf.map(of));
  if ("const" in rest) return fc.constant(rest.const);
  if (Array.isArray(values)) return fc.constantFrom(...values);
  if (type === "null") return fc.constant(null);
  if (type === "boolean") return fc.boolean();
  if (type === "string") return strings(rest);
  if (type === "integer" || type === "number") return numbers(type, rest);
  if (type === "array") return fc.array(of(rest.items), { maxLength: depth > 6 ? 0 : Number(rest.maxItems ?? 3) });
  if (type === "object") return objects(rest, of);
  return fc.oneof(fc.string(), fc.integer(), fc.boolean());
}

function strings({ pattern, "x-pattern": other, minLength = 0, maxLength = 30 }: Json): fc.Arbitrary<string> {
  // Patterns of the legacy syntax, which generators do not read either.
  if (other !== undefined) return fc.constantFrom("a", "a-b", "a.b_c");
  if (typeof pattern === "string") return fc.stringMatching(new RegExp(pattern, "u"));
  // Nothing that is trimmed, which no schema states, and no surrogates: JSON Schema counts code points.
  const unit = fc.constantFrom("a", "é", ":", "\\", '"', "€", "0");
  return fc.string({ unit, minLength: Number(minLength), maxLength: Number(maxLength) });
}

function numbers(type: string, { minimum, maximum, multipleOf = 1 }: Json): fc.Arbitrary<number> {
  const [min, max] = [Number(minimum ?? -1_000), Number(maximum ?? 1_000)];
  if (type === "number") return fc.double({ min, max, noNaN: true });
  return fc
    .integer({ min: Math.ceil(min / Number(multipleOf)), max: Math.floor(max / Number(multipleOf)) })
    .map((n) => n * Number(multipleOf));
}

function objects(
  { properties, required = [], additionalProperties, propertyNames }: Json,
  of: (part: unknown) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  const members = Object.entries(Object(properties)).map(([name, member]) => [name, of(member)] as const);
  if (members.length === 0 && typeof additionalProperties === "object")
    return fc.dictionary(
      of({ ...Object(propertyNames), type: "string" }) as fc.Arbitrary<string>,
      of(additionalProperties),
      { maxKeys: 3 },
    );
  return fc.record(Object.fromEntries(members), { requiredKeys: required as string[] });
}
