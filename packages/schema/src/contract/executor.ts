import { ERROR, type ERROR_JSON, type GGAnyErrorClass, reviveError } from "../error/error.js";
import {
  BAD_REQUEST,
  EXISTS,
  FORBIDDEN,
  NOT_AUTHORIZED,
  NOT_FOUND,
  PAYLOAD_TOO_LARGE,
  ROUTE_NOT_FOUND,
  SERVER_ERROR,
  VALIDATION_ERROR,
} from "../error/standard.js";
import type { GGIssuesList } from "../issues/issues-list.js";
import { OK, ok } from "../result/ok.js";
import type { GGSchema } from "../schema/schema.js";
import type { GGContractMethod } from "./types.js";

/** How a call is carried out. */
export interface GGContractCallOptions {
  /** Passes input and output through unchecked. */
  readonly noValidation?: boolean;
  /**
   * Lets the errors that the framework itself raises through, even when the method does not list them. For the
   * calling side: there they come from the peer's framework, on the serving side from a handler that has no right to.
   */
  readonly frameworkErrors?: boolean;
}

// Functions, so that a page which uses no contract carries none of the standard errors.
const frameworkErrors = (): readonly GGAnyErrorClass[] => [
  VALIDATION_ERROR,
  NOT_AUTHORIZED,
  FORBIDDEN,
  ROUTE_NOT_FOUND,
  PAYLOAD_TOO_LARGE,
];
const systemErrors = (): readonly GGAnyErrorClass[] => [
  ...frameworkErrors(),
  SERVER_ERROR,
  NOT_FOUND,
  EXISTS,
  BAD_REQUEST,
];

/** Carries out the methods of a contract: checks what goes in, what comes out, and which errors may. */
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
    return GGContractExecutor.parseOutcome(contract, outcome, options);
  }

  /** The cleaned input in a result, or a `VALIDATION_ERROR`. Without a schema the input is undefined. */
  static parseInput<T>(schema: GGSchema<T> | undefined, data: unknown): OK<T> | VALIDATION_ERROR {
    if (!schema) return ok(undefined as T);
    const parsed = schema.safeParse(data, true);
    return parsed.success ? ok(parsed.value) : invalidArguments(parsed.issues);
  }

  /** Checks what a method or a peer gave: a value, a result, or an error. */
  static parseOutcome(contract: GGContractMethod, outcome: unknown, options?: GGContractCallOptions): OK | ERROR {
    try {
      if (ERROR.isJson(outcome)) return parseError(contract, outcome, options);
      const data = OK.isJson(outcome) ? outcome.data : outcome;
      if (options?.noValidation) return ok(data);
      return GGContractExecutor.parseOutputData(contract.success, data);
    } catch (thrown) {
      // A value that cannot even be read, such as one with a getter that throws.
      return ERROR.fromUnknown(thrown);
    }
  }

  /** The cleaned data in a result, or a `SERVER_ERROR`. Without a schema the data is undefined. */
  static parseOutputData<T>(schema: GGSchema<T> | undefined, data: unknown): OK<T> | SERVER_ERROR {
    if (!schema) return ok(undefined as T);
    const parsed = schema.safeParse(data, true);
    if (parsed.success) return ok(parsed.value);
    return invalidResponse("The result does not fit the contract", parsed.issues.toJSON());
  }

  /** The schema of a result's data: undefined when it has none, null when the contract does not know the result. */
  static getResponseSchema(
    contract: GGContractMethod,
    response: OK | ERROR_JSON,
    options?: GGContractCallOptions,
  ): GGSchema<unknown> | undefined | null {
    if (OK.isJson(response)) return contract.success;
    const ErrorClass = findClass(contract, response.type, options);
    return ErrorClass ? ErrorClass.schema : null;
  }

  /** Throws unless `value` has the form of a result. */
  static assertResponse(value: unknown): asserts value is OK | ERROR_JSON {
    if (!OK.isJson(value) && !ERROR.isJson(value)) throw new Error("Not a result: neither OK nor an error");
  }

  /** An instance of the error's class, from the framework's classes and `customErrors`; else a `SERVER_ERROR`. */
  static createErrorObj(json: ERROR_JSON, customErrors: readonly GGAnyErrorClass[] = []): ERROR {
    const ErrorClass = byType(customErrors, json.type) ?? byType(systemErrors(), json.type) ?? SERVER_ERROR;
    return reviveError(ErrorClass, json, json.data);
  }
}

function parseError(contract: GGContractMethod, error: ERROR_JSON, options?: GGContractCallOptions): ERROR {
  const ErrorClass = findClass(contract, error.type, options);
  if (!ErrorClass) {
    const origin = error instanceof ERROR ? { originalError: error } : { debugData: error };
    return new SERVER_ERROR({
      displayMessage: "Invalid response",
      debugMessage: "Tried to reply with not listed error code!",
      ...origin,
    });
  }
  const { schema } = ErrorClass;
  // An instance without data goes on as it is, with all that it tells developers.
  if (error instanceof ErrorClass && (!schema || options?.noValidation)) return error as ERROR;
  if (!schema || options?.noValidation) return reviveError(ErrorClass, error, error.data);
  const parsed = schema.safeParse(error.data, true);
  if (!parsed.success)
    return invalidResponse(`The data of ${error.type} does not fit its schema`, parsed.issues.toJSON());
  return reviveError(ErrorClass, error, parsed.value);
}

function findClass(
  contract: GGContractMethod,
  type: string,
  options?: GGContractCallOptions,
): GGAnyErrorClass | undefined {
  if (type === SERVER_ERROR.TYPE) return SERVER_ERROR;
  const listed = contract.errors && byType(contract.errors, type);
  return listed ?? (options?.frameworkErrors ? byType(frameworkErrors(), type) : undefined);
}

function byType(classes: readonly GGAnyErrorClass[], type: string): GGAnyErrorClass | undefined {
  return classes.find(({ TYPE }) => TYPE === type);
}

function invalidArguments(issues: GGIssuesList): VALIDATION_ERROR {
  return new VALIDATION_ERROR(issues.toJSON(), { displayMessage: "Invalid arguments" });
}

function invalidResponse(debugMessage: string, debugData: unknown): SERVER_ERROR {
  return new SERVER_ERROR({ displayMessage: "Invalid response", debugMessage, debugData });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
