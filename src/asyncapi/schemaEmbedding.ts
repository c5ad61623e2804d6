import type { GGAsyncApiSchema } from "./document.js";
import { keyOf } from "./keys.js";
import { plainJson } from "./plainJson.js";
import { propertiesOf } from "./properties.js";

type Json = Record<string, unknown>;

/** Keywords whose value is a schema, a list of schemas, or either. */
const SCHEMAS = new Set(
  "additionalItems additionalProperties allOf anyOf contains else if items not oneOf propertyNames then".split(" "),
);

/** Keywords whose value has a schema for each name. */
const SCHEMA_MAPS = new Set(["properties", "patternProperties", "dependencies"]);

/** Keywords that say where a schema is, and what only references lead to. */
const LEFT_OUT = new Set(
  "$schema $id $anchor $dynamicAnchor $dynamicRef $recursiveAnchor $recursiveRef $vocabulary $comment $defs definitions".split(
    " ",
  ),
);

/**
 * Takes one JSON Schema, of draft 07 or 2020-12, into a document: what its references lead to becomes a component, and what
 * draft 07 writes in another way is written so.
 */
export class SchemaEmbedding {
  readonly #root: object;
  readonly #name: string;
  readonly #components: Record<string, GGAsyncApiSchema>;
  readonly #open = new Set<object>();
  /** What references lead to, by its key: it comes once the schema that refers to it is done. */
  readonly #waiting = new Map<string, unknown>();

  /**
   * @param name begins the keys of its components
   * @param components gets what references lead to
   */
  constructor(root: object, name: string, components: Record<string, GGAsyncApiSchema>) {
    this.#root = root;
    this.#name = name;
    this.#components = components;
  }

  /** The whole schema, for the place where it is used. */
  embed(): GGAsyncApiSchema {
    const whole = this.#object(this.#root as Json);
    // What they refer to joins them meanwhile.
    for (const [key, target] of this.#waiting) this.#components[key] = asObject(this.#schema(target));
    return whole;
  }

  #schema(schema: unknown): unknown {
    if (typeof schema === "boolean") return schema;
    if (Array.isArray(schema)) return schema.map((one) => asObject(this.#schema(one)));
    return typeof schema === "object" && schema !== null ? this.#object(schema as Json) : {};
  }

  #object(schema: Json): GGAsyncApiSchema {
    // A schema that holds itself has no JSON.
    if (this.#open.has(schema)) return {};
    this.#open.add(schema);
    const { $ref, ...keywords } = schema;
    const made = this.#keywords(keywords);
    this.#open.delete(schema);
    if (typeof $ref !== "string") return made;
    const target = this.#reference($ref);
    // In draft 07 nothing beside a reference counts.
    return Object.keys(made).length === 0 ? target : { ...made, allOf: [target, ...((made.allOf as object[]) ?? [])] };
  }

  #keywords({ prefixItems, ...schema }: Json): Json {
    // Since 2019-09 `items` is about what follows `prefixItems`.
    const { items, ...others } = schema;
    const all =
      Array.isArray(prefixItems) && prefixItems.length > 0
        ? { ...others, items: prefixItems, ...(items !== undefined && { additionalItems: items }) }
        : schema;
    const made: [string, unknown][] = [];
    for (const [keyword, value] of Object.entries(all)) {
      if (LEFT_OUT.has(keyword) || value === undefined) continue;
      if (SCHEMAS.has(keyword)) made.push([keyword, this.#schema(value)]);
      else if (SCHEMA_MAPS.has(keyword)) continue;
      else if (keyword === "pattern" && !isUnicodePattern(value)) made.push(["x-pattern", String(value)]);
      else {
        const plain = plainJson(value);
        if (plain !== undefined) made.push([keyword, plain]);
      }
    }
    return { ...Object.fromEntries(made), ...this.#maps(all) };
  }

  #maps({ properties, patternProperties, dependencies }: Json): object {
    const patterns = this.#map(patternProperties).filter(([pattern]) => isUnicodePattern(pattern));
    return {
      ...((properties || patterns.length > 0) && propertiesOf(this.#map(properties), patterns)),
      ...(dependencies !== undefined && { dependencies: Object.fromEntries(this.#map(dependencies)) }),
    };
  }

  #map(schemas: unknown): [string, unknown][] {
    return Object.entries(Object(schemas)).map(([name, schema]) =>
      // A dependency may be a list of names.
      [name, Array.isArray(schema) ? plainJson(schema) : this.#schema(schema)],
    );
  }

  /** A reference to the component of what a reference within this schema leads to. */
  #reference($ref: string): GGAsyncApiSchema {
    const pointer = $ref.startsWith("#") ? decoded($ref.slice(1)) : undefined;
    const target = pointer === undefined ? undefined : follow(this.#root, pointer);
    if (pointer === undefined || target === undefined)
      return { description: "Its JSON Schema refers to another document." };
    const within = pointer.replace(/^\/\$defs\//, "");
    const key = within ? `${this.#name}.${keyOf(within)}` : this.#name;
    this.#waiting.set(key, target);
    return { $ref: `#/components/schemas/${key}` };
  }
}

/** `true` takes everything, and `false` nothing. */
function asObject(schema: unknown): GGAsyncApiSchema {
  return typeof schema === "boolean" ? (schema ? {} : { not: {} }) : (schema as GGAsyncApiSchema);
}

/** What a JSON Pointer (RFC 6901) leads to. */
function follow(root: object, pointer: string): unknown {
  if (pointer === "") return root;
  if (!pointer.startsWith("/")) return undefined;
  let at: unknown = root;
  for (const part of pointer.slice(1).split("/")) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    at = Object.hasOwn(Object(at), name) ? (at as Json)[name] : undefined;
  }
  return at;
}

/** The text of a fragment; `undefined` for one that is not encoded as URLs are. */
function decoded(fragment: string): string | undefined {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return undefined;
  }
}

/** Whether readers of JSON Schema can use a pattern: it is one with the flag `u`. */
function isUnicodePattern(pattern: unknown): boolean {
  try {
    return typeof pattern === "string" && !!new RegExp(pattern, "u");
  } catch {
    return false;
  }
}
