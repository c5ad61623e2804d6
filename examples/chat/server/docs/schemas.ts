import type { GGAsyncApiDocument, GGAsyncApiSchema } from "@grest-ts/websocket/asyncapi";

/** Looks up what a reference of the document leads to. */
export type Resolve = (schema: unknown) => GGAsyncApiSchema;

/** How schemas of this document are looked up: what is no schema takes everything. */
export function resolverOf(document: GGAsyncApiDocument): Resolve {
  const { schemas } = document.components;
  const resolve = (schema: unknown, passed: readonly string[] = []): GGAsyncApiSchema => {
    const found: GGAsyncApiSchema = Object(schema);
    const key = typeof found.$ref === "string" ? found.$ref.replace("#/components/schemas/", "") : undefined;
    // A type that is only itself takes everything.
    if (key !== undefined && passed.includes(key)) return {};
    return key === undefined ? found : resolve(schemas[key], [...passed, key]);
  };
  return (schema) => resolve(schema);
}

/** The schemas in a list of them. */
export function schemasIn(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list : [];
}
