import type { InspectedSchema } from "./types.js";

type JsonSchema = Readonly<Record<string, unknown>>;

/** A part of a JSON Schema, which may mark values as sensitive, and the document that it refers to. */
export interface Mark {
  readonly schema: JsonSchema;
  readonly document: JsonSchema;
}

/** What the validators of a method mark. */
interface MethodMarks {
  readonly input: Mark | undefined;
  readonly success: Mark | undefined;
}

/** What the validators of contracts mark: of methods by their path, of errors by their type. */
export interface ContractMarks extends ReadonlyMap<string, MethodMarks> {
  readonly errors: ReadonlyMap<string, Mark>;
}

/** What is in the description of a sensitive value, where a library takes no other mark. */
const SENSITIVE_TEXT = /\[sensitive\]/i;

/** How often a reference leads to another one, at most. */
const MAX_REFERENCES = 20;

/** The marks of schemas, as far as their validators have a JSON Schema. */
export function marksOf(schemas: readonly InspectedSchema[]): ContractMarks {
  const errors = new Map<string, Mark>();
  const methods = new Map<string, MethodMarks>();
  for (const { name: apiName, methods: directions } of schemas) {
    for (const [name, method] of [directions.clientToServer, directions.serverToClient].flatMap(Object.entries)) {
      methods.set(`${apiName}.${name}`, { input: markOf(method.input), success: markOf(method.success) });
      for (const { TYPE, schema } of method.errors ?? []) {
        const mark = markOf(schema);
        if (mark) errors.set(TYPE, mark);
      }
    }
  }
  return Object.assign(methods, { errors });
}

/** The JSON Schema of a validator of the framework, or of a Standard Schema that has one. */
function markOf(validator: unknown): Mark | undefined {
  const { toJSONSchema, "~standard": standard } = Object(validator) as {
    toJSONSchema?: unknown;
    "~standard"?: { jsonSchema?: { input?(target: object): unknown } };
  };
  try {
    const schema: unknown = standard?.jsonSchema?.input
      ? standard.jsonSchema.input({ target: "draft-2020-12" })
      : typeof toJSONSchema === "function" && toJSONSchema.call(validator);
    return isObject(schema) ? { schema, document: schema } : undefined;
  } catch {
    // It has parts that no JSON Schema can say.
    return undefined;
  }
}

/** Whether what a mark describes, or any form of it, must not be shown. */
export function isSensitive(mark: Mark): boolean {
  return formsOf(mark).some(
    ({ schema: { sensitive, writeOnly, format, description } }) =>
      sensitive === true ||
      writeOnly === true ||
      format === "password" ||
      (typeof description === "string" && SENSITIVE_TEXT.test(description)),
  );
}

/** What describes a member, or an item by its index. */
export function childrenOf(mark: Mark, name: string): Mark[] {
  return formsOf(mark).flatMap(({ schema, document }) => {
    const { properties, prefixItems, items, additionalProperties, patternProperties } = schema;
    const own = [
      isObject(properties) && Object.hasOwn(properties, name) && properties[name],
      Array.isArray(prefixItems) && prefixItems[Number(name)],
      items,
      additionalProperties,
      ...Object.values(Object(patternProperties) as object),
    ];
    return own.flatMap((child: unknown) => (isObject(child) ? [{ schema: child, document }] : []));
  });
}

/** A mark, what it refers to, and the alternatives and parts that it has. */
function formsOf(mark: Mark, references = 0): Mark[] {
  const { schema, document } = mark;
  const { $ref, anyOf, oneOf, allOf } = schema;
  const forms = [anyOf, oneOf, allOf].flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []));
  if (typeof $ref === "string") forms.push(referred($ref, document));
  if (references >= MAX_REFERENCES) return [mark];
  return [
    mark,
    ...forms.flatMap((form) => (isObject(form) ? formsOf({ schema: form, document }, references + 1) : [])),
  ];
}

function referred(reference: string, document: JsonSchema): unknown {
  if (!reference.startsWith("#")) return undefined;
  const segments = reference.slice(1).split("/").slice(1);
  return segments.reduce<unknown>(
    (part, segment) =>
      (Object(part) as JsonSchema)[decodeURIComponent(segment).replaceAll("~1", "/").replaceAll("~0", "~")],
    document,
  );
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null;
}
