import {
  ERROR,
  type ERROR_JSON,
  GGContractExecutor,
  type GGContractMethod,
  OK,
  SERVER_ERROR,
  VALIDATION_ERROR,
} from "@grest-ts/schema";

/** An error as the wire knows it: a type, and perhaps data and a context. */
export type AnyError = ERROR<string, unknown>;

/** What became of a call: a value, or a typed error. */
export type Outcome = OK<unknown> | AnyError;

/** The error classes that a contract method declares. */
export type ErrorClasses = NonNullable<GGContractMethod["errors"]>;

/** Errors that the framework itself raises: they reach a caller as what they are, declared or not. */
const FRAMEWORK_ERRORS = ["VALIDATION_ERROR", "NOT_AUTHORIZED", "FORBIDDEN", "ROUTE_NOT_FOUND", "SERVER_ERROR"];

/** A successful outcome. */
export function ok(data: unknown): OK<unknown> {
  return { success: true, type: "OK", data };
}

/** A `SERVER_ERROR` that says what happened and what to do. */
export function serverError(displayMessage: string, originalError?: Error): SERVER_ERROR {
  return new SERVER_ERROR({ displayMessage, originalError });
}

/** The error for an input that cannot be sent: that of its validation, or why it has no JSON text. */
export function unsendable(path: string, thrown: unknown): AnyError {
  return thrown instanceof ERROR ? thrown : serverError(`${path}: the input is not JSON: ${thrown}`, thrown as Error);
}

/** The error for a value that did not pass its schema. */
export function invalidArguments(issues: unknown): VALIDATION_ERROR {
  return new VALIDATION_ERROR(issues as VALIDATION_ERROR["data"], { displayMessage: "Invalid arguments" });
}

/**
 * Whether a value is an outcome in the form that the wire has: a reply, an error that a handler returned and did not
 * throw, or the result of another call that it passed on with `asResult()`.
 */
export function isOutcome(value: unknown): value is OK<unknown> | ERROR_JSON<string, unknown> {
  return OK.isJson(value) || ERROR.isJson(value);
}

/** The public part of an error, as a reply or a refused handshake carries it. The data of a `SERVER_ERROR` stays here. */
export function errorPayload(error: AnyError): string {
  const json = error.toJSON();
  try {
    return JSON.stringify(json.type === "SERVER_ERROR" ? { ...json, data: undefined } : json);
  } catch (notSerialisable) {
    return errorPayload(new SERVER_ERROR({ originalError: notSerialisable as Error }));
  }
}

/** An instance of the error that a peer sent, when it is one of `declared` or of the framework's; else `undefined`. */
export function readError(json: unknown, declared: ErrorClasses): AnyError | undefined {
  if (!ERROR.isJson(json)) return undefined;
  const { type } = json;
  let { data } = json;
  const errorClass = declared.find(({ TYPE }) => TYPE === type);
  if (type === "VALIDATION_ERROR") {
    // Not by the error's own schema: an issue may be about the whole value (path ""), which that may not take.
    data = Array.isArray(data) ? data.filter((issue) => typeof Object(issue).path === "string") : [];
  } else if (errorClass?.schema) {
    const parsed = errorClass.schema.safeParse(data, true);
    if (!parsed.success) return undefined;
    data = parsed.value;
  } else if (!errorClass && !FRAMEWORK_ERRORS.includes(type)) return undefined;
  return revive(json, data, declared);
}

/** The error of a refused handshake: of its class when that is known, else a `SERVER_ERROR` that says the same to people. */
export function readRefusal(json: unknown, known: ErrorClasses): AnyError | undefined {
  return readError(json, known) ?? (ERROR.isJson(json) ? revive(json, undefined, []) : undefined);
}

function revive(json: ERROR_JSON<string, unknown>, data: unknown, known: ErrorClasses): AnyError {
  return GGContractExecutor.createErrorObj({ ...json, data, context: Object(json.context) }, known);
}

/** Makes an `ERROR` of whatever was thrown; the JSON of an error becomes an instance of the class that it names. */
export function thrownError(thrown: unknown, declared: ErrorClasses = []): AnyError {
  if (thrown instanceof ERROR) return thrown;
  return readError(thrown, declared) ?? ERROR.fromUnknown(thrown);
}
