import { publicContext } from "../error/context.js";
import { createError, ERROR, type ERROR_CLASS, type ERROR_JSON, reviveError } from "../error/error.js";
import {
  EXISTS,
  FORBIDDEN,
  NOT_AUTHORIZED,
  NOT_FOUND,
  ROUTE_NOT_FOUND,
  SERVER_ERROR,
  VALIDATION_ERROR,
} from "../error/standard.js";
import type { GGIssuesList } from "../issues/issues-list.js";
import { OK, ok } from "../result/ok.js";
import type { GGSchema } from "../schema/schema.js";
import type { GGContractMethod } from "./types.js";

/** Options of a call. */
export interface GGContractCallOptions {
  /** Passes input and output through unchecked. */
  readonly noValidation?: boolean;
}

// A function, so that bundles without contracts contain none of the standard errors.
const systemErrors = (): ERROR_CLASS[] => [
  NOT_AUTHORIZED,
  FORBIDDEN,
  NOT_FOUND,
  ROUTE_NOT_FOUND,
  EXISTS,
  VALIDATION_ERROR,
  SERVER_ERROR,
];

type ServerError = typeof SERVER_ERROR.infer;
type ValidationError = typeof VALIDATION_ERROR.infer;

/** Runs the methods of a contract and checks their inputs, results and errors. */
// biome-ignore lint/complexity/noStaticOnlyClass: published under this name.
export class GGContractExecutor {
  /** Runs `next` with the checked input and checks its outcome. Never throws: an error is a result. */
  static async call(
    contract: GGContractMethod,
    data: unknown,
    options: GGContractCallOptions | undefined,
    next: (input: unknown) => unknown,
  ): Promise<OK | ERROR> {
    let outcome: unknown;
    try {
      let input: unknown;
      if (contract.input) {
        if (options?.noValidation) input = data;
        else {
          const parsed = contract.input.safeParse(data, true);
          if (!parsed.success) return invalidArguments(parsed.issues);
          input = parsed.value;
        }
      }
      const pending = next(input);
      outcome = isThenable(pending) ? await pending : pending;
    } catch (thrown) {
      outcome = ERROR.fromUnknown(thrown);
    }
    return parseOutcome(contract, outcome, options);
  }

  /** The cleaned input in a result, or a `VALIDATION_ERROR`. Without a schema the input is undefined. */
  static parseInput<T>(schema: GGSchema<T> | undefined, data: unknown): OK<T> | ValidationError {
    if (!schema) return ok(undefined as T);
    const parsed = schema.safeParse(data, true);
    return parsed.success ? ok(parsed.value) : invalidArguments(parsed.issues);
  }

  /** The cleaned data in a result, or a `SERVER_ERROR`. Without a schema the data is undefined. */
  static parseOutputData<T>(schema: GGSchema<T> | undefined, data: unknown): OK<T> | ServerError {
    if (!schema) return ok(undefined as T);
    const parsed = schema.safeParse(data, true);
    if (parsed.success) return ok(parsed.value);
    return invalidResponse("The result does not fit the contract", parsed.issues.toJSON());
  }

  /** The schema of a result's data: undefined when it has none, null when the contract does not list the result. */
  static getResponseSchema(
    contract: GGContractMethod,
    response: OK | ERROR_JSON,
  ): GGSchema<unknown> | undefined | null {
    if (OK.isJson(response)) return contract.success;
    const ErrorClass = findClass(contract, response.type);
    return ErrorClass ? ErrorClass.schema : null;
  }

  /** Throws unless `value` has the form of a result. */
  static assertResponse(value: unknown): asserts value is OK | ERROR_JSON {
    if (!OK.isJson(value) && !ERROR.isJson(value)) throw new Error("Not a result: neither OK nor an error");
  }

  /**
   * An instance of the error's class, from the system's classes and `customErrors`; else a `SERVER_ERROR` without the
   * context. Throws a TypeError on Node 20, where the stack of a frozen error cannot be removed.
   */
  static createErrorObj(json: ERROR_JSON, customErrors: ERROR_CLASS[] = []): ERROR {
    const ErrorClass = byType(systemErrors(), json.type) ?? byType(customErrors, json.type);
    const error = ErrorClass
      ? createError(ErrorClass, json.data, publicContext(json.context))
      : new SERVER_ERROR({ debugData: json });
    error.stack = undefined;
    return error;
  }
}

/** Checks the outcome of a method or a peer: a value, a result, or an error. */
function parseOutcome(contract: GGContractMethod, outcome: unknown, options?: GGContractCallOptions): OK | ERROR {
  try {
    if (ERROR.isJson(outcome)) return parseError(contract, outcome, options);
    const data = OK.isJson(outcome) ? outcome.data : outcome;
    if (options?.noValidation) return ok(data);
    return GGContractExecutor.parseOutputData(contract.success, data);
  } catch (thrown) {
    // A value that cannot be read, such as one with a getter that throws.
    return ERROR.fromUnknown(thrown);
  }
}

function parseError(contract: GGContractMethod, error: ERROR_JSON, options?: GGContractCallOptions): ERROR {
  const ErrorClass = findClass(contract, error.type);
  if (!ErrorClass) {
    const origin = error instanceof ERROR ? { originalError: error } : { debugData: error };
    return new SERVER_ERROR({
      displayMessage: "Invalid response",
      debugMessage: "Tried to reply with not listed error code!",
      ...origin,
    });
  }
  const { schema } = ErrorClass;
  // An instance without data is passed on with its details for developers.
  if (ErrorClass.is(error) && (!schema || options?.noValidation)) return error;
  if (!schema || options?.noValidation) return reviveError(ErrorClass, error, error.data);
  const parsed = schema.safeParse(error.data, true);
  if (!parsed.success)
    return invalidResponse(`The data of ${error.type} does not fit its schema`, parsed.issues.toJSON());
  return reviveError(ErrorClass, error, parsed.value);
}

function findClass({ errors = [] }: GGContractMethod, type: string): ERROR_CLASS | undefined {
  return type === SERVER_ERROR.TYPE ? SERVER_ERROR : byType(errors, type);
}

function byType(classes: readonly ERROR_CLASS[], type: string): ERROR_CLASS | undefined {
  return classes.find(({ TYPE }) => TYPE === type);
}

function invalidArguments(issues: GGIssuesList): ValidationError {
  return new VALIDATION_ERROR(issues.toJSON(), { displayMessage: "Invalid arguments" });
}

function invalidResponse(debugMessage: string, debugData: unknown): ServerError {
  return new SERVER_ERROR({ displayMessage: "Invalid response", debugMessage, debugData });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
