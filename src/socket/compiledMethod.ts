import { type GGContractMethod, type GGPermission, IsAny, SERVER_ERROR } from "@grest-ts/schema";
import { FrameType, stringifyPayload } from "../protocol/frame.js";
import { type ErrorClasses, invalidArguments, isOutcome, type Outcome, ok, readError } from "./outcome.js";

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

/** Compiles a method of a contract: both ends validate, coerce and strip by its schemas. */
export function compileMethod(api: string, name: string, method: GGContractMethod): CompiledMethod {
  return compile(`${api}.${name}`, name, method, method.errors ?? []);
}

/** Compiles a path that no contract describes, for the raw level: payloads pass as they are. */
export function compileRawMethod(path: string, hasReply = true): CompiledMethod {
  return compile(path, path, { input: IsAny, success: hasReply ? IsAny : undefined }, undefined);
}

function compile(
  path: string,
  name: string,
  { input, success, permission }: GGContractMethod,
  errors: ErrorClasses | undefined,
): CompiledMethod {
  const invalidResponse = (why: string) =>
    new SERVER_ERROR({ displayMessage: "Invalid response", debugMessage: `${path}: ${why} does not fit the contract` });
  return {
    name,
    path,
    messagePrefix: `${FrameType.MESSAGE}:${path}::`,
    requestPrefix: `${FrameType.REQUEST}:${path}:`,
    replyPrefix: `${FrameType.REPLY}:${path}:`,
    hasReply: success !== undefined,
    errors,
    permission,
    message: Object.freeze({ path }),

    readInput(payload) {
      if (!input) return undefined;
      let value: unknown;
      try {
        if (payload) value = JSON.parse(payload);
      } catch {
        throw invalidArguments([{ path: "", code: "invalid.json", message: "Payload is not valid JSON" }]);
      }
      return clean(input, value);
    },
    writeInput: (data) => (input ? stringifyPayload(clean(input, data)) : ""),

    writeResult(value) {
      const parsed = success?.safeParse(value, true);
      if (parsed?.success === false) throw invalidResponse("the handler's result");
      const data = stringifyPayload(parsed?.value);
      return `{"success":true,"type":"OK"${data && `,"data":${data}`}}`;
    },
    readReply(payload) {
      try {
        const reply: unknown = JSON.parse(payload);
        if (!errors && isOutcome(reply)) return reply as Outcome;
        if (isOutcome(reply) && reply.success) {
          const parsed = success?.safeParse(reply.data, true);
          if (parsed?.success !== false) return ok(parsed?.value);
        } else {
          const error = readError(reply, errors ?? []);
          if (error) return error;
        }
      } catch {
        // Not JSON: no more a reply than anything else that the contract does not know.
      }
      return invalidResponse("the reply");
    },
  };
}

function clean(schema: NonNullable<GGContractMethod["input"]>, value: unknown): unknown {
  const parsed = schema.safeParse(value, true);
  if (parsed.success) return parsed.value;
  throw invalidArguments(parsed.issues.toJSON());
}
