import type { GGAsyncApiSchema } from "@grest-ts/websocket/asyncapi";
import { type Resolve, schemasIn } from "./schemas.js";

const WORDS: Readonly<Record<string, string>> = {
  string: "text",
  integer: "whole number",
  number: "number",
  boolean: "true or false",
  array: "list",
  object: "object",
  null: "null",
};

/** What a value is, in a few words. A type within itself is "the same again". */
export function describeType(given: unknown, resolve: Resolve, open: readonly GGAsyncApiSchema[] = []): string {
  const schema = resolve(given);
  if (open.includes(schema)) return "the same again";
  const part = (inner: unknown) => describeType(inner, resolve, [...open, schema]);
  const variants = [...schemasIn(schema.oneOf), ...schemasIn(schema.anyOf)];
  if (variants.length > 0) return joined(variants.map(part));
  if ("const" in schema) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return joined(schema.enum.map((value) => JSON.stringify(value)));
  if (schema.type === "array" && isSchema(schema.items)) return `list of ${part(schema.items)}`;
  if (isSchema(schema.additionalProperties) && !("properties" in schema))
    return `object of ${part(schema.additionalProperties)}`;
  const types = [schema.type].flat().filter((type) => typeof type === "string");
  return types.length > 0 ? joined(types.map((type) => WORDS[type] ?? type)) : "anything";
}

/** The rules for a value beyond its type. */
export function describeRules(schema: GGAsyncApiSchema): string[] {
  const { minLength, maxLength, minimum, maximum, minItems, maxItems, multipleOf, pattern, format } = schema;
  return [
    range(minLength, maxLength, "characters"),
    range(minimum, maximum, ""),
    range(minItems, maxItems, "items"),
    multipleOf === undefined ? "" : `in steps of ${multipleOf}`,
    pattern === undefined ? "" : `like ${pattern}`,
    format === undefined ? "" : `${format}`,
    "default" in schema ? `default ${JSON.stringify(schema.default)}` : "",
    schema.deprecated === true ? "deprecated" : "",
  ].filter((rule) => rule !== "");
}

function range(least: unknown, most: unknown, unit: string): string {
  // The limits of what a number holds exactly say nothing.
  const [from, to] = [least, most].map((limit) =>
    Math.abs(Number(limit)) < Number.MAX_SAFE_INTEGER ? limit : undefined,
  );
  if (from === undefined && to === undefined) return "";
  const text = from === undefined ? `at most ${to}` : to === undefined ? `at least ${from}` : `${from} to ${to}`;
  return `${text} ${unit}`.trim();
}

function isSchema(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0;
}

function joined(words: readonly string[]): string {
  return [...new Set(words)].join(" or ");
}
