import type { GGContractMethod } from "@grest-ts/schema";
import type { GGAsyncApiReference, GGAsyncApiSchema } from "./document.js";
import { keyOf } from "./keys.js";
import { isOptional, type Schemas, type Side } from "./schemas.js";

type ErrorClass = NonNullable<GGContractMethod["errors"]>[number];

/** The errors of the protocol that any method may meet, with what they mean. */
const PROTOCOL_ERRORS = {
  VALIDATION_ERROR: [422, "The payload does not match; `data` lists why."],
  NOT_AUTHORIZED: [401, "There is no identity."],
  FORBIDDEN: [403, "The identity lacks the permission."],
  SERVER_ERROR: [500, "Anything else. What happened is in the log of the end that answers, under `context.ref`."],
} as const;

/** Names an error of the protocol. */
export type ProtocolError = keyof typeof PROTOCOL_ERRORS;

/** A reference to the schema of an error of the protocol. */
export function protocolError(schemas: Schemas, type: ProtocolError): GGAsyncApiReference {
  const [statusCode, description] = PROTOCOL_ERRORS[type];
  return schemas.shared(`errors.${type}`, () => {
    const data = type === "VALIDATION_ERROR" ? { type: "array", items: issue(schemas) } : undefined;
    return errorSchema(schemas, { type, statusCode, description, data, isDataRequired: false });
  });
}

/** Makes references to the schemas of declared errors. Two classes of one type get a schema each. */
export class DeclaredErrors {
  readonly #schemas: Schemas;
  readonly #keys = new Map<ErrorClass, string>();
  readonly #taken = new Set<string>();

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  /** @param side which values of its data travel */
  schemaOf(error: ErrorClass, side: Side): GGAsyncApiReference {
    if (error.TYPE in PROTOCOL_ERRORS) return protocolError(this.#schemas, error.TYPE as ProtocolError);
    const name = this.#keyOf(error);
    // Both directions look the same, unless its data do.
    const key = error.schema && side === "input" ? `${name}.input` : name;
    return this.#schemas.shared(key, () => {
      const { TYPE: type, STATUS_CODE: statusCode, schema } = error;
      const data = schema && this.#schemas.of(schema, side, `${key}.data`);
      return errorSchema(this.#schemas, { type, statusCode, data, isDataRequired: !isOptional(schema) });
    });
  }

  #keyOf(error: ErrorClass): string {
    const known = this.#keys.get(error);
    if (known) return known;
    const wanted = `errors.${keyOf(error.TYPE)}`;
    let key = wanted;
    for (let number = 2; this.#taken.has(key); number++) key = `${wanted}.${number}`;
    this.#taken.add(key);
    this.#keys.set(error, key);
    return key;
  }
}

/** A reference to the schema of an error of any type, as a handshake may be refused with. */
export function anyError(schemas: Schemas): GGAsyncApiReference {
  return schemas.shared("AnyError", () => ({
    type: "object",
    description: "Why the server refuses the connection: an error of the protocol, or one that the program chose.",
    required: ["success", "type"],
    properties: {
      success: { const: false },
      type: { type: "string", pattern: "^[A-Z][A-Za-z0-9_]*$" },
      data: {},
      statusCode: { type: "integer" },
      context: context(schemas),
    },
  }));
}

interface ErrorParts {
  readonly type: string;
  /** Absent in a class that is not made by `ERROR.define`. */
  readonly statusCode: number | undefined;
  readonly description?: string;
  readonly data: GGAsyncApiSchema | undefined;
  readonly isDataRequired: boolean;
}

function errorSchema(schemas: Schemas, parts: ErrorParts): GGAsyncApiSchema {
  const { type, statusCode, description, data, isDataRequired } = parts;
  return {
    type: "object",
    title: type,
    ...(description && { description }),
    required: ["success", "type", ...(data && isDataRequired ? ["data"] : [])],
    properties: {
      success: { const: false },
      type: { const: type },
      ...(data && { data }),
      statusCode: statusCode === undefined ? { type: "integer" } : { const: statusCode },
      context: context(schemas),
    },
  };
}

function context(schemas: Schemas): GGAsyncApiReference {
  return schemas.shared("ErrorContext", () => ({
    type: "object",
    properties: {
      displayMessage: { type: "string", description: "A sentence for people." },
      timestamp: { type: "number", description: "When it happened, in ms since 1970." },
      ref: { type: "string", description: "Finds the error in the log of the end that sent it." },
      reason: { type: "string", description: "`limit`: a limit refused the request, and it has not run." },
    },
  }));
}

function issue(schemas: Schemas): GGAsyncApiReference {
  return schemas.shared("ValidationIssue", () => ({
    type: "object",
    required: ["path", "code", "message"],
    properties: {
      path: { type: "string", description: "The member, with dots between; empty for the whole value." },
      code: { type: "string", description: "Which rule it breaks." },
      message: { type: "string", description: "A sentence for people." },
    },
  }));
}
