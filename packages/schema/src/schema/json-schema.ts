import type { GGSchemaDef } from "./def.js";
import type { GGSchema } from "./schema.js";

/** A JSON Schema document or part of one. */
export type JsonSchema = { [keyword: string]: unknown };

type Bare = (schema: GGSchema<unknown, GGSchemaDef>, builder: JsonSchemaBuilder) => JsonSchema;

/** Collects the parts of one JSON Schema document; a validator that contains itself becomes a `$ref`. */
export class JsonSchemaBuilder {
  readonly #bare: Bare;
  readonly #open = new Set<GGSchema<unknown>>();
  readonly #names = new Map<GGSchema<unknown>, string>();
  readonly #defs: Record<string, JsonSchema> = {};

  constructor(bare: Bare) {
    this.#bare = bare;
  }

  /** The whole document for `schema`. */
  document(schema: GGSchema<unknown>): JsonSchema {
    const root = this.schema(schema);
    return {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      ...root,
      ...(this.#names.size > 0 && { $defs: this.#defs }),
    };
  }

  /** The part for `schema`, for use inside another. */
  schema(schema: GGSchema<unknown>): JsonSchema {
    const known = this.#names.get(schema);
    if (known !== undefined) return { $ref: `#/$defs/${known}` };
    if (this.#open.has(schema)) {
      const name = `Type${this.#names.size + 1}`;
      this.#names.set(schema, name);
      return { $ref: `#/$defs/${name}` };
    }
    this.#open.add(schema);
    const json = this.#complete(schema);
    this.#open.delete(schema);
    const name = this.#names.get(schema);
    if (name === undefined) return json;
    this.#defs[name] = json;
    return { $ref: `#/$defs/${name}` };
  }

  #complete(schema: GGSchema<unknown>): JsonSchema {
    const { nullable, default: fallback, docs, kind } = schema.def;
    const bare = this.#bare(schema, this);
    const takesNull = nullable && kind !== "any" && kind !== "unknown" && kind !== "union";
    const { example, examples = example === undefined ? undefined : [example], ...text } = docs ?? {};
    return {
      ...(takesNull ? { anyOf: [bare, { type: "null" }] } : bare),
      ...(fallback && { default: fallback.value }),
      ...text,
      ...(examples && { examples }),
    };
  }
}
