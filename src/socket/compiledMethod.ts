import { type GGContractMethod, type GGPermission, SERVER_ERROR } from "@grest-ts/schema";
import { FrameType, framePrefix, parsePayload, stringifyPayload } from "../protocol/frame.js";
import { type ErrorClasses, invalidArguments, isOutcome, notJson, type Outcome, ok, readError } from "./outcome.js";

/**
 * One method, prepared once for all connections: what every message of it needs, behind one look-up. The four functions
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
  /** `s:ChatApi.sendMessage:`, id and payload follow. */
  readonly replyPrefix: string;
  /** Whether its caller waits for a reply. */
  readonly hasReply: boolean;
  /** The errors that may cross the wire as what they are; `undefined` where no contract says so: all of them. */
  readonly errors: ErrorClasses | undefined;
  readonly permission: GGPermission | undefined;
  /** The value of `GG_WS_MESSAGE` while it is handled. */
  readonly message: { readonly path: string };
  /** Receiver: the handler's argument out of a payload. Throws a `VALIDATION_ERROR`. */
  readInput(payload: string): unknown;
  /** Receiver: the payload of a reply out of a handler's value. Throws when the value cannot be sent. */
  writeResult(value: unknown): string;
  /** Sender: a payload out of the caller's argument. Throws a `VALIDATION_ERROR`, or when it cannot be sent. */
  writeInput(data: unknown): string;
  /** Sender: what the caller gets out of a reply's payload. Never throws. */
  readReply(payload: string): Outcome;
}

const OK_REPLY = '{"success":true,"type":"OK"}';

/** Compiles a method of a contract: both ends validate, coerce and strip by its schemas. */
export function compileMethod(apiName: string, name: string, method: GGContractMethod): CompiledMethod {
  const { input, success } = method;
  const path = `${apiName}.${name}`;
  const errors = Object.freeze([...(method.errors ?? [])]);
  return Object.freeze({
    ...frameParts(path),
    name,
    hasReply: success !== undefined,
    errors,
    permission: method.permission,

    readInput: input ? (payload: string) => clean(input, parseInput(payload)) : () => undefined,
    writeInput: input ? (data: unknown) => stringifyPayload(clean(input, data)) : () => "",

    writeResult: success
      ? (value: unknown) => {
          const parsed = success.safeParse(value, true);
          if (!parsed.success) throw invalidResponse(path, "the handler's result does not match the success schema");
          return writeOk(parsed.value);
        }
      : () => OK_REPLY,
    readReply(payload: string): Outcome {
      const reply = parseReply(payload);
      if (!isOutcome(reply)) return invalidResponse(path, "the reply is neither a result nor an error");
      if (!reply.success) {
        return (
          readError(reply, errors) ?? invalidResponse(path, "the reply is an error that the contract does not declare")
        );
      }
      if (!success) return ok(undefined);
      const parsed = success.safeParse(reply.data, true);
      if (!parsed.success) return invalidResponse(path, "the value in the reply does not match the success schema");
      return ok(parsed.value);
    },
  });
}

/** Compiles a path that no contract describes, for the raw level: payloads pass as they are. */
export function compileRawMethod(path: string, hasReply = true): CompiledMethod {
  return {
    ...frameParts(path),
    name: path,
    hasReply,
    errors: undefined,
    permission: undefined,
    readInput: parseInput,
    writeInput: stringifyPayload,
    writeResult: writeOk,
    readReply(payload) {
      const reply = parseReply(payload);
      return isOutcome(reply)
        ? (reply as Outcome)
        : invalidResponse(path, "the reply is neither a result nor an error");
    },
  };
}

function frameParts(path: string) {
  return {
    path,
    messagePrefix: `${framePrefix(FrameType.MESSAGE, path)}:`,
    requestPrefix: framePrefix(FrameType.REQUEST, path),
    replyPrefix: framePrefix(FrameType.REPLY, path),
    message: Object.freeze({ path }),
  };
}

function clean(schema: NonNullable<GGContractMethod["input"]>, value: unknown): unknown {
  const parsed = schema.safeParse(value, true);
  if (parsed.success) return parsed.value;
  throw invalidArguments(parsed.issues.toJSON());
}

function writeOk(value: unknown): string {
  const json = stringifyPayload(value);
  return json === "" ? OK_REPLY : `{"success":true,"type":"OK","data":${json}}`;
}

function parseInput(payload: string): unknown {
  try {
    return parsePayload(payload);
  } catch {
    throw notJson();
  }
}

function parseReply(payload: string): unknown {
  try {
    return parsePayload(payload);
  } catch {
    return undefined;
  }
}

function invalidResponse(path: string, why: string): SERVER_ERROR {
  return new SERVER_ERROR({ displayMessage: "Invalid response", debugMessage: `${path}: ${why}` });
}
