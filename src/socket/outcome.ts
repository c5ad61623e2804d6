import type { GGContractMethod } from "@grest-ts/schema";
import { ERROR, type ERROR_JSON, GGContractExecutor, type OK, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";

/** An error as the wire knows it: a type, and perhaps data and a context. */
export type AnyError = ERROR<string, unknown>;

/** What became of a call: a value, or a typed error. */
export type Outcome = OK<unknown> | AnyError;

/** The error classes that a contract method declares. */
export type ErrorClasses = NonNullable<GGContractMethod["errors"]>;

/** Errors that the framework itself raises: they reach a caller as what they are, declared or not. */
const FRAMEWORK_ERRORS: ReadonlySet<string> = new Set([
  "VALIDATION_ERROR",
  "NOT_AUTHORIZED",
  "FORBIDDEN",
  "ROUTE_NOT_FOUND",
  "SERVER_ERROR",
]);

/** A successful outcome. */
export function ok(data: unknown): OK<unknown> {
  return { success: true, type: "OK", data };
}

/** A `SERVER_ERROR` that says what happened and what to do. */
export function serverError(displayMessage: string, originalError?: unknown): SERVER_ERROR {
  return new SERVER_ERROR({ displayMessage, ...(originalError instanceof Error ? { originalError } : {}) });
}

/** The error for a value that did not pass its schema. */
export function invalidArguments(issues: unknown): VALIDATION_ERROR {
  return new VALIDATION_ERROR(issues as VALIDATION_ERROR["data"], { displayMessage: "Invalid arguments" });
}

/** The error for a payload that is not even JSON. */
export function notJson(): VALIDATION_ERROR {
  return invalidArguments([{ path: "", code: "invalid.json", message: "Payload is not valid JSON" }]);
}

/**
 * Whether a value is an outcome in the form that the wire has: a reply, an error that a handler returned and did not
 * throw, or the result of another call that it passed on with `asResult()`.
 */
export function isOutcome(value: unknown): value is OK<unknown> | ERROR_JSON<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const { success, type } = value as Record<string, unknown>;
  return success === true ? type === "OK" : success === false && typeof type === "string";
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
  if (!isOutcome(json) || json.success) return undefined;
  const error = { ...json, context: readContext(json.context) };
  const declaredClass = declared.find((candidate) => candidate.TYPE === error.type);
  if (!declaredClass && !FRAMEWORK_ERRORS.has(error.type)) return undefined;
  if (error.type === "VALIDATION_ERROR") {
    // An issue may be about the whole value (path ""), which the error's own schema would not take.
    return new VALIDATION_ERROR(Array.isArray(error.data) ? error.data.filter(isIssue) : [], error.context);
  }
  if (declaredClass?.schema) {
    const parsed = declaredClass.schema.safeParse(error.data, true);
    if (!parsed.success) return undefined;
    error.data = parsed.value;
  }
  return GGContractExecutor.createErrorObj(error, declared);
}

/** Makes an `ERROR` of whatever was thrown; the JSON of an error becomes an instance of the class that it names. */
export function thrownError(thrown: unknown, declared: ErrorClasses = []): AnyError {
  if (thrown instanceof ERROR) return thrown;
  return readError(thrown, declared) ?? ERROR.fromUnknown(thrown);
}

function readContext(context: unknown): { displayMessage?: string; timestamp?: number; ref?: string } {
  const { displayMessage, timestamp, ref } = (typeof context === "object" && context) as Record<string, unknown>;
  return {
    ...(typeof displayMessage === "string" ? { displayMessage } : {}),
    ...(typeof timestamp === "number" ? { timestamp } : {}),
    ...(typeof ref === "string" ? { ref } : {}),
  };
}

function isIssue(issue: unknown): issue is VALIDATION_ERROR["data"][number] {
  if (typeof issue !== "object" || issue === null) return false;
  const { path, code, message } = issue as Record<string, unknown>;
  return typeof path === "string" && typeof code === "string" && typeof message === "string";
}
