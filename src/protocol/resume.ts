import { FrameType, parsePayload } from "./frame.js";

/** The reserved member of the payload of `h` (PROTOCOL.md section 10.5). */
export const RESUME_MEMBER = "ws-resume";

/** The most positions that a client presents, and a server takes. */
export const MAX_POSITIONS = 100;

/** Group, epoch and offset: everything up to here has been handled. */
export type PresentedPosition = readonly [group: string, epoch: string, offset: number];

/** What a client presents. */
export interface Resumption {
  /** Names the client, on all its connections; `""` when it has no valid name. */
  readonly session: string;
  /** One more on each of them. */
  readonly serial: number;
  readonly at: readonly PresentedPosition[];
}

/** The payload of a `g` frame: a member joins, or goes on from another position. */
export interface GroupPosition {
  /** Absent where the alias is known. */
  readonly group?: string;
  readonly epoch: string;
  readonly offset: number;
  /** Whether all that was missed follows; absent at a first join. */
  readonly recovered?: boolean;
  /** How many messages follow that were missed. */
  readonly missed?: number;
}

/** A `g` frame; without a payload the member has left. */
export function encodeGroup(alias: string, payload: GroupPosition | number | "" = ""): string {
  return `${FrameType.GROUP}::${alias}:${payload && JSON.stringify(payload)}`;
}

/** The frame of a message of a group with its place there, given the frame without, and its path. */
export function withPlace(frame: string, path: string, alias: string, offset: number): string {
  const at = FrameType.MESSAGE.length + path.length + 2;
  return `${frame.slice(0, at)}${alias}.${offset}${frame.slice(at)}`;
}

/** What the reserved member says; nothing of it that is not as it must be. */
export function readResumption(text: string | undefined): Resumption {
  const { session, serial, at } = Object(parsePayload(text ?? "")) as Record<keyof Resumption, unknown>;
  return {
    session: typeof session === "string" && /^[\w-]{8,64}$/.test(session) ? session : "",
    serial: Number.isSafeInteger(serial) ? (serial as number) : 0,
    at: Array.isArray(at) ? at.slice(0, MAX_POSITIONS).filter(isPosition) : [],
  };
}

function isPosition(value: unknown): value is PresentedPosition {
  if (!Array.isArray(value)) return false;
  const [group, epoch, offset] = value as unknown[];
  return typeof group === "string" && typeof epoch === "string" && Number.isSafeInteger(offset) && Number(offset) >= 0;
}
