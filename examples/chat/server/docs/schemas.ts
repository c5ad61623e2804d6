import type { GGAsyncApiDocument, GGAsyncApiSchema } from "@grest-ts/websocket/asyncapi";

/** Looks up what a reference of the document leads to. */
export type Resolve = (schema: unknown) => GGAsyncApiSchema;

/** How schemas of this document are looked up: what is no schema takes everything. */
export function resolverOf(document: GGAsyncApiDocument): Resolve {
  const { schemas } = document.components;
  const resolve: Resolve = (schema) => {
    const found: GGAsyncApiSchema = Object(schema);
    const key = typeof found.$ref === "string" ? found.$ref.replace("#/components/schemas/", "") : undefined;
    return key === undefined ? found : resolve(schemas[key]);
  };
  return resolve;
}

/** The schemas in a list of them. */
export function schemasIn(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list : [];
}
