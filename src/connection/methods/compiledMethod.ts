import { ERROR, type GGPermission, type ValidationIssueJson } from "@grest-ts/schema";
import { asFailure } from "../../api/failure.js";
import { FrameType, parsePayload, stringifyPayload } from "../../protocol/frame.js";
import { clean, fieldsOf, type Validator } from "./clean.js";
import { type ErrorClasses, hidden, invalidArguments, isOutcome, type Outcome, ok, readError } from "./outcome.js";

/** Parses a payload for the schema that is to clean it; `undefined` for one that is no JSON or not to be parsed. */
export type PayloadParser = (payload: string, schema?: Validator) => unknown;

/**
 * One method, prepared once for all connections: what every message of it needs, behind one look-up. Its four functions
 * are the only places where payloads become values and values payloads.
 */
export interface CompiledMethod {
  /** `sendMessage` */
  readonly name: string;
  /** `ChatApi.sendMessage` */
  readonly path: string;
  /** `m:ChatApi.sendMessage::`, the payload follows. */
  readonly messagePrefix: string;
  /** `r:ChatApi.sendMessage:`, id and payload follow. */
  readonly requestPrefix: string;
  /** Whether its caller waits for a reply. */
  readonly hasReply: boolean;
  /** The errors that may cross the wire as what they are; `undefined` where no contract says so: all of them. */
  readonly errors: ErrorClasses | undefined;
  readonly permission: GGPermission | undefined;
  /** What every object inherits under this name, such as `toString`: not its handler. */
  readonly inherited: unknown;
  /** Receiver: the handler's argument out of a payload. Throws a `VALIDATION_ERROR`. */
  readInput(payload: string, parse?: PayloadParser): unknown;
  /** Receiver: the payload of a reply out of a handler's value. Throws when the value cannot be sent. */
  writeResult(value: unknown): string;
  /** Sender: a payload out of the caller's argument. Throws a `VALIDATION_ERROR`, or when it cannot be sent. */
  writeInput(data: unknown): string;
  /** Sender: what the caller gets out of a reply's payload. Never throws. */
  readReply(payload: string, parse?: PayloadParser): Outcome;
}

/** A contract's method, as far as compiling it needs. */
export interface MethodDefinition {
  readonly input?: Validator;
  readonly success?: Validator;
  readonly errors?: ErrorClasses;
  readonly permission?: GGPermission;
}

/** Compiles a method of a contract: both ends validate, coerce and strip by its schemas. */
export function compileMethod(
  path: string,
  name: string,
  { input, success, errors = [], permission }: MethodDefinition,
): CompiledMethod {
  const invalidResponse = (issues: readonly ValidationIssueJson[] = []) =>
    hidden(`${path} does not fit the contract: ${fieldsOf(issues)}`, "Invalid response");
  return {
    name,
    path,
    messagePrefix: `${FrameType.MESSAGE}:${path}::`,
    requestPrefix: `${FrameType.REQUEST}:${path}:`,
    hasReply: !!success,
    errors,
    permission,
    inherited: ({} as Record<string, unknown>)[name],

    readInput(payload, parse = parsePayload) {
      if (!input) return undefined;
      const value = parse(payload, input);
      if (value !== undefined || !payload) return clean(input, value, invalidArguments);
      throw invalidArguments([
        {
          path: "",
          code: "invalid.json",
          message: "Payload is not valid JSON, nested too deep, or has too many values",
        },
      ]);
    },
    writeInput: (data) => stringifyPayload(input && clean(input, data, invalidArguments, true)),

    writeResult(value) {
      const data = stringifyPayload(success && clean(success, value, invalidResponse, true));
      return `{"success":true,"type":"OK"${data && `,"data":${data}`}}`;
    },
    readReply(payload, parse = parsePayload) {
      const reply = parse(payload, success);
      let invalid: unknown;
      try {
        if (isOutcome(reply) && reply.success) return ok(success && clean(success, reply.data, invalidResponse));
        // Nothing about the schema of the result holds for an error.
        const error = readError(parse(payload), errors);
        if (error) return error;
      } catch (thrown) {
        invalid = thrown;
      }
      return asFailure(invalid instanceof ERROR ? invalid : invalidResponse(), {
        reason: "invalid-response",
        wasSent: true,
      });
    },
  };
}
