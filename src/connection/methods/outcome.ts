import {
  ERROR,
  type ERROR_JSON,
  EXISTS,
  FORBIDDEN,
  type GGContractMethod,
  NOT_AUTHORIZED,
  NOT_FOUND,
  OK,
  ROUTE_NOT_FOUND,
  SERVER_ERROR,
  VALIDATION_ERROR,
} from "@grest-ts/schema";
import { asFailure, type SocketFailure, type SocketFailureReason } from "../../api/failure.js";
import type { GGWebSocketLogger } from "../../api/logger.js";
import { sizedFrame, stringifyPayload } from "../../protocol/frame.js";
import { clean, fieldsOf } from "./clean.js";
import { ShownError } from "./shownError.js";

/** An error as the wire knows it: a type, and perhaps data and a context. */
export type AnyError = ERROR<string, unknown>;

/** What has a log. */
interface LogOwner {
  readonly logger: GGWebSocketLogger;
}

/** The result of a call: a value, or a typed error. */
export type Outcome = OK<unknown> | AnyError;

/** The error classes that a contract method declares. */
export type ErrorClasses = Readonly<NonNullable<GGContractMethod["errors"]>>;

/** A class of `ErrorClasses`, as its constructor is called: with data only where it has a schema for them. */
type ErrorConstructor = new (...dataAndContext: unknown[]) => AnyError;

/** Errors that the framework itself raises: they reach a caller as what they are, declared or not. */
const FRAMEWORK_ERRORS: ErrorClasses = [SERVER_ERROR, VALIDATION_ERROR, ROUTE_NOT_FOUND, NOT_AUTHORIZED, FORBIDDEN];

/** A successful outcome. */
export function ok(data: unknown): OK<unknown> {
  return { success: true, type: "OK", data };
}

/** A `SERVER_ERROR` that says what happened and what to do; `reason` says it to programs. */
export function serverError(
  displayMessage: string,
  reason: SocketFailureReason = "failed",
  details?: Partial<SocketFailure>,
): typeof SERVER_ERROR.infer {
  const error = new ShownError({ displayMessage, originalError: details?.cause as Error });
  return asFailure(error, { reason, wasSent: false, ...details });
}

/** The error for an input that cannot be sent: that of its validation, or why it has no JSON text. */
export function unsendable(path: string, thrown: unknown): AnyError {
  const error = thrownError(thrown);
  try {
    const reason = thrown instanceof RangeError ? "too-large" : "invalid-input";
    if (error !== thrown) return serverError(`${path} was not sent: ${thrown}`, reason, { cause: thrown });
  } catch {
    // It has no text, or is a revoked proxy.
  }
  return asFailure(error, { reason: "invalid-input", wasSent: false });
}

/** Logs why a message was not sent: programs seldom await one. */
export function logUnsent(to: LogOwner, path: string, error: AnyError): void {
  logMisfit(to, `${path}: a message was not sent`, error, error.context?.displayMessage);
}

/** Logs what did not fit a contract, and `why` where no fields are known. The log names fields, and shows no value of any. */
export function logMisfit({ logger }: LogOwner, text: string, error: AnyError, why?: string): void {
  // Names of fields that are public ones: others are shortened in the build for pages.
  const { type, data, context } = error;
  const isInvalid = type === "VALIDATION_ERROR" && Array.isArray(data);
  const reason = isInvalid ? fieldsOf(data) : (error.getDebugContext()?.debugMessage ?? why);
  logger.warn(text, { type, ref: context?.ref, ...(reason && { reason }) });
}

/** The error for a value that did not pass its schema. */
export function invalidArguments(issues: unknown): typeof VALIDATION_ERROR.infer {
  return new VALIDATION_ERROR(issues as never, { displayMessage: "Invalid arguments" });
}

/**
 * Whether a value is an outcome in the form that the wire has: a reply, an error that a handler returned and did not
 * throw, or the result of another call that it passed on with `asResult()`.
 */
export function isOutcome(value: unknown): value is OK<unknown> | ERROR_JSON<string, unknown> {
  return holds(() => OK.isJson(value) || ERROR.isJson(value));
}

/**
 * The frame of a reply or a refused handshake with the public part of an error: its data as its class declares them,
 * none for a `SERVER_ERROR`. An error that cannot be sent becomes a bare `SERVER_ERROR` under the same reference;
 * `report` gets the reason.
 */
export function errorFrame(
  prefix: string,
  error: AnyError,
  report: (cause: unknown) => void,
  reason?: SocketFailureReason,
): string {
  try {
    return sizedFrame(prefix, errorPayload(error, reason));
  } catch (cause) {
    report(cause);
    return prefix + errorPayload(new SERVER_ERROR({ ref: error.context?.ref }));
  }
}

function errorPayload(error: AnyError, reason?: SocketFailureReason): string {
  const json = error.toJSON();
  const { schema } = error.constructor as unknown as ErrorClasses[number];
  let { data } = json;
  if (json.type === "SERVER_ERROR") data = undefined;
  else if (schema && json.type !== "VALIDATION_ERROR") {
    data = clean(schema, data, (issues) => hidden(`its data does not fit the contract: ${fieldsOf(issues)}`));
  }
  return stringifyPayload({ ...json, data, context: { ...json.context, reason } });
}

/** A `SERVER_ERROR` whose reason is for developers only. */
export function hidden(debugMessage: string, displayMessage?: string): typeof SERVER_ERROR.infer {
  return new ShownError({ displayMessage, debugMessage });
}

/** An instance of the error that a peer sent, when it is one of `declared` or of the framework's; else `undefined`. */
export function readError(json: unknown, declared: ErrorClasses): AnyError | undefined {
  if (!ERROR.isJson(json)) return undefined;
  const errorClass = [...declared, ...FRAMEWORK_ERRORS].find(({ TYPE }) => TYPE === json.type);
  if (!errorClass) return undefined;
  let { data } = json;
  if (errorClass.TYPE === "VALIDATION_ERROR") {
    // Not by the error's own schema, which does not take an issue about the whole value (path "").
    data = Array.isArray(data) ? data.filter(isIssue) : [];
  } else if (errorClass.schema) {
    try {
      data = clean(errorClass.schema, data, hidden as never);
    } catch {
      return undefined;
    }
  }
  return revive(errorClass, json, data);
}

/**
 * The error of a refused handshake: of its class when that is known, else a `SERVER_ERROR` with the same display
 * message.
 */
export function readRefusal(json: unknown, known: ErrorClasses): AnyError | undefined {
  // No contract declares the standard errors that a middleware may refuse with.
  return (
    readError(json, [...known, NOT_FOUND, EXISTS]) ?? (ERROR.isJson(json) ? revive(SERVER_ERROR, json) : undefined)
  );
}

function isIssue(issue: unknown): boolean {
  const { path, code, message } = Object(issue) as Record<string, unknown>;
  return [path, code, message].every((text) => typeof text === "string");
}

/** An instance of what a peer sent: with the public part of its context, whatever its class. */
function revive(errorClass: ErrorClasses[number], { context }: ERROR_JSON, data?: unknown): AnyError {
  const { displayMessage, timestamp, ref, reason }: Record<string, unknown> = Object(context);
  const shown = { displayMessage: alike(displayMessage, ""), timestamp: alike(timestamp, 0), ref: alike(ref, "") };
  if (errorClass === SERVER_ERROR)
    return asFailure(new ShownError(shown), { reason: reason === "limit" ? reason : "failed", wasSent: true });
  const Class = errorClass as unknown as ErrorConstructor;
  return errorClass.schema ? new Class(data, shown) : new Class(shown);
}

/** A peer's value, where it is of the kind that it should be. */
function alike<T>(value: unknown, example: T): T | undefined {
  return typeof value === typeof example ? (value as T) : undefined;
}

/** An `ERROR` that was thrown, or a `SERVER_ERROR` that shows nothing of anything else, whatever its form. */
export function thrownError(thrown: unknown): AnyError {
  try {
    if (!(thrown instanceof ERROR)) return new SERVER_ERROR({ originalError: (thrown ?? null) as Error });
    // A Proxy of an error may throw at any of these: better here than where they are needed.
    thrown.toJSON();
    thrown.hasDebugContext();
    return thrown;
  } catch {
    return new SERVER_ERROR({ debugData: thrown }); // A Proxy that does not say what it is.
  }
}

/** The error that a program returned: one in the form of the wire becomes an instance of the class that it names. */
export function returnedError(returned: unknown, declared: ErrorClasses = []): AnyError {
  const error = thrownError(returned);
  if (error === returned) return error;
  try {
    return readError(returned, declared) ?? error;
  } catch {
    return error;
  }
}

/** Whether what a program returned is to be waited for. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return holds(() => typeof (value as { then?: unknown } | null | undefined)?.then === "function");
}

/** Whether something holds of a value of the program, whose members and Proxy may throw when they are asked. */
function holds(test: () => boolean): boolean {
  try {
    return test();
  } catch {
    return false;
  }
}
