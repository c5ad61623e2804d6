type JsonSchema = Readonly<Record<string, unknown>>;

/** What is in the description of a sensitive value, where a library takes no other mark. */
const SENSITIVE_TEXT = /\[sensitive\]/i;

/** In place of what a reference leads to, when that is not found: what it describes may be anything. */
const UNKNOWN: JsonSchema = { sensitive: true };

/** The parts of one JSON Schema. Each is made once, so that sets of them have no doubles. */
class Document {
  readonly #root: JsonSchema;
  readonly #parts = new Map<JsonSchema, SchemaPart>();

  constructor(root: JsonSchema) {
    this.#root = root;
  }

  /** The parts that some members of a schema are; others are `true`, `false`, or none. */
  partsOf(members: readonly unknown[]): SchemaPart[] {
    return members.filter(isObject).map((schema) => {
      const part = this.#parts.get(schema) ?? new SchemaPart(schema, this);
      this.#parts.set(schema, part);
      return part;
    });
  }

  referred(reference: string): JsonSchema {
    const path = reference.slice(1);
    const found = reference.startsWith("#") ? (find(this.#root, path) ?? find(this.#root, decoded(path))) : undefined;
    return isObject(found) ? found : UNKNOWN;
  }
}

/** A part of a JSON Schema, which may mark what it describes as sensitive. */
export class SchemaPart {
  readonly #schema: JsonSchema;
  readonly #document: Document;
  #others: readonly SchemaPart[] | undefined;

  constructor(schema: JsonSchema, document = new Document(schema)) {
    this.#schema = schema;
    this.#document = document;
  }

  /** Whether what this describes must not be shown. */
  get isSensitive(): boolean {
    const { sensitive, writeOnly, format, description } = this.#schema;
    return (
      sensitive === true ||
      writeOnly === true ||
      format === "password" ||
      (typeof description === "string" && SENSITIVE_TEXT.test(description))
    );
  }

  /** What describes the same value: what this refers to, its alternatives and its parts. */
  get others(): readonly SchemaPart[] {
    if (this.#others) return this.#others;
    const { anyOf, oneOf, allOf, then, else: otherwise, $ref, $dynamicRef, $recursiveRef } = this.#schema;
    const references = [$ref, $dynamicRef, $recursiveRef].filter((one) => typeof one === "string");
    this.#others = this.#document.partsOf([
      ...[anyOf, oneOf, allOf].filter(Array.isArray).flat(),
      ...references.map((reference) => this.#document.referred(reference)),
      then,
      otherwise,
    ]);
    return this.#others;
  }

  /** What describes a member, or an item by its index. */
  childrenOf(name: string): readonly SchemaPart[] {
    const { properties, additionalProperties, unevaluatedProperties, patternProperties } = this.#schema;
    const { prefixItems, items, additionalItems, unevaluatedItems } = this.#schema;
    const own = isObject(properties) && Object.hasOwn(properties, name) && properties[name];
    const listed = [prefixItems, items].find(Array.isArray)?.[Number(name)] as unknown;
    return this.#document.partsOf([
      ...Object.values(Object(patternProperties) as JsonSchema),
      ...(own ? [own] : [additionalProperties, unevaluatedProperties]),
      ...(listed ? [listed] : [Array.isArray(items) ? undefined : items, additionalItems, unevaluatedItems]),
    ]);
  }
}

/** Parts that describe a value, with all others that describe it. */
export function withOthers(parts: Iterable<SchemaPart>): ReadonlySet<SchemaPart> {
  const all = new Set(parts);
  // Goes on to those that it adds.
  for (const part of all) for (const other of part.others) all.add(other);
  return all;
}

/** What a JSON Pointer leads to. Not all libraries escape the names in theirs. */
function find(schema: unknown, path: string): unknown {
  if (path === "") return schema;
  for (const [name, member] of Object.entries(Object(schema) as JsonSchema)) {
    for (const segment of [`/${name}`, `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`]) {
      const found =
        path === segment || path.startsWith(`${segment}/`) ? find(member, path.slice(segment.length)) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

/** A fragment of a URL as text; a `%` that encodes nothing stays. */
function decoded(fragment: string): string {
  return fragment.replace(/(?:%[\da-f]{2})+/gi, (octets) => {
    try {
      return decodeURIComponent(octets);
    } catch {
      return octets;
    }
  });
}

function isObject(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null;
}
