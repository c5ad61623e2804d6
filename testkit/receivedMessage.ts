import type { ERROR_JSON } from "@grest-ts/schema";
import type { GGSocketContractMethods } from "../src/api/contract.js";
import { returnedError } from "../src/connection/methods/outcome.js";
import { decodeFrame, FrameType } from "../src/protocol/frame.js";
import { show } from "./failure.js";

/** A message from the server. */
export interface ReceivedMessage {
  /** The method's name in the contract. */
  readonly method: string;
  readonly path: string;
  readonly data: unknown;
  /** Answers a request; absent for a push. */
  readonly answer?: (reply: unknown) => void;
}

/** The message of a frame that reached no handler; `undefined` for frames of other types. */
export function messageOf(text: string): ReceivedMessage | undefined {
  const { type, path, payload } = decodeFrame(text);
  if (type !== FrameType.MESSAGE && type !== FrameType.REQUEST) return undefined;
  return { method: path.slice(path.lastIndexOf(".") + 1), path, data: parse(payload) };
}

/** The message as text for a failure. */
export function describeMessage({ path, data }: ReceivedMessage): string {
  return data === undefined ? path : `${path}\n${show(data)}`;
}

/** The error of an `x` frame as its declared class; `undefined` when the contract does not declare it. */
export function refusalOf(payload: string, methods: GGSocketContractMethods): Error | undefined {
  const json = parse(payload) as ERROR_JSON | undefined;
  const declared = [...Object.values(methods.clientToServer), ...Object.values(methods.serverToClient)].flatMap(
    ({ errors }) => errors ?? [],
  );
  const known = declared.some(({ TYPE }) => TYPE === json?.type);
  return known ? returnedError(json, declared) : undefined;
}

/** The value of a payload, or its text when it is not JSON. */
function parse(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return payload === "" ? undefined : payload;
  }
}
