import type { ERROR_JSON } from "@grest-ts/schema";
import type { GGSocketContractMethods } from "../src/api/contract.js";
import { thrownError } from "../src/connection/methods/outcome.js";
import { decodeFrame, FrameType } from "../src/protocol/frame.js";
import { show } from "./failure.js";

/** A message from the server. */
export interface Arrival {
  /** The method's name in the contract. */
  readonly method: string;
  readonly path: string;
  readonly data: unknown;
  /** Answers a request; absent for a push. */
  readonly answer?: (reply: unknown) => void;
}

/** The message of a frame that nobody hands on; `undefined` for frames of other types. */
export function arrivalOf(text: string): Arrival | undefined {
  const { type, path, payload } = decodeFrame(text);
  if (type !== FrameType.MESSAGE && type !== FrameType.REQUEST) return undefined;
  return { method: path.slice(path.lastIndexOf(".") + 1), path, data: parse(payload) };
}

/** A message as a failure shows it. */
export function describeArrival({ path, data }: Arrival): string {
  return data === undefined ? path : `${path}\n${show(data)}`;
}

/** The error of an `x` frame, of its class where the contract declares it; `undefined` when it is the framework's. */
export function refusalOf(payload: string, methods: GGSocketContractMethods): Error | undefined {
  const json = parse(payload) as ERROR_JSON | undefined;
  const declared = [...Object.values(methods.clientToServer), ...Object.values(methods.serverToClient)].flatMap(
    ({ errors }) => errors ?? [],
  );
  const known = declared.some(({ TYPE }) => TYPE === json?.type);
  return known ? thrownError(json, declared) : undefined;
}

/** The value of a payload, or its text when it is not JSON. */
function parse(payload: string): unknown {
  try {
    return JSON.parse(payload);
  } catch {
    return payload === "" ? undefined : payload;
  }
}
