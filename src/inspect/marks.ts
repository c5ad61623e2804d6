import { SchemaPart } from "./schemaPart.js";
import type { InspectedSchema } from "./types.js";

/** What the schemas of a method say about its payloads. */
interface MethodMarks {
  readonly input: readonly SchemaPart[];
  readonly success: readonly SchemaPart[];
}

/** What the validators of contracts mark as sensitive, as far as they have a JSON Schema. */
export class ContractMarks {
  /** By direction and path. */
  readonly #methods = new Map<string, MethodMarks>();
  readonly #errors = new Map<string, readonly SchemaPart[]>();
  readonly #parts = new Map<unknown, readonly SchemaPart[]>();

  constructor(schemas: readonly InspectedSchema[]) {
    for (const { name, methods } of schemas) {
      this.#add(name, true, methods.clientToServer);
      this.#add(name, false, methods.serverToClient);
    }
  }

  /** What is marked in what a method takes and returns. A path may be of both directions: the way says which is meant. */
  method(path: string, isToServer: boolean): MethodMarks | undefined {
    // Raw sockets may use a contract the other way round.
    return this.#methods.get(keyOf(path, isToServer)) ?? this.#methods.get(keyOf(path, !isToServer));
  }

  /** What is marked in the data of errors of a type; `undefined` when no schema describes it. */
  error(type: string): readonly SchemaPart[] | undefined {
    return this.#errors.get(type);
  }

  #add(apiName: string, isToServer: boolean, methods: InspectedSchema["methods"]["clientToServer"]): void {
    for (const [name, { input, success, errors = [] }] of Object.entries(methods)) {
      const key = keyOf(`${apiName}.${name}`, isToServer);
      const { input: inputs = [], success: successes = [] } = this.#methods.get(key) ?? {};
      this.#methods.set(key, {
        input: [...inputs, ...this.#partsOf(input)],
        success: [...successes, ...this.#partsOf(success)],
      });
      for (const { TYPE, schema } of errors)
        if (schema) this.#errors.set(TYPE, [...new Set([...(this.error(TYPE) ?? []), ...this.#partsOf(schema)])]);
    }
  }

  #partsOf(validator: unknown): readonly SchemaPart[] {
    const parts = this.#parts.get(validator) ?? jsonSchemasOf(validator).map((schema) => new SchemaPart(schema));
    this.#parts.set(validator, parts);
    return parts;
  }
}

function keyOf(path: string, isToServer: boolean): string {
  return `${isToServer ? ">" : "<"}${path}`;
}

type JsonSchema = Readonly<Record<string, unknown>>;

/** In place of a JSON Schema that a validator cannot make: which of its parts are sensitive is not known. */
const SENSITIVE: JsonSchema = { sensitive: true };

/** So that parts which no JSON Schema can say do not hide the marks of others: of zod, of valibot, and of arktype. */
const LENIENT = {
  unrepresentable: "any",
  errorMode: "ignore",
  fallback: ({ base }: { readonly base: unknown }) => base,
};

/** Not every library knows the first, nor every version the options. */
const REQUESTS: readonly object[] = ["draft-2020-12", "draft-07"].flatMap((target) => [
  { target, libraryOptions: LENIENT },
  { target },
]);

/**
 * The JSON Schemas of a validator, none when it has no way to make one. A payload may be what a validator takes or what it
 * makes of that, so both are asked for.
 */
function jsonSchemasOf(validator: unknown): readonly JsonSchema[] {
  try {
    const { toJSONSchema, "~standard": standard } = Object(validator) as Readonly<Record<string, unknown>>;
    const { jsonSchema: converter } = Object(standard) as { readonly jsonSchema?: unknown };
    if (converter) return [standardSchemaOf(converter, "input"), standardSchemaOf(converter, "output")];
    return typeof toJSONSchema === "function" ? [objectOf(toJSONSchema.call(validator)) ?? SENSITIVE] : [];
  } catch {
    return [SENSITIVE];
  }
}

function standardSchemaOf(converter: unknown, side: "input" | "output"): JsonSchema {
  for (const request of REQUESTS) {
    try {
      const schema = objectOf((converter as Record<typeof side, (request: object) => unknown>)[side](request));
      if (schema) return schema;
    } catch {
      // The next may be understood.
    }
  }
  return SENSITIVE;
}

function objectOf(value: unknown): JsonSchema | undefined {
  return typeof value === "object" && value !== null ? (value as JsonSchema) : undefined;
}
