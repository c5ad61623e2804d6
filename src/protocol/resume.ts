import { byteLength, FrameType, MAX_PAYLOAD, parsePayload } from "./frame.js";

/** The reserved member of the payload of `h` (PROTOCOL.md section 10.5). */
export const RESUME_MEMBER = "ws-resume";

/** The most positions that a client presents, and a server takes. */
export const MAX_POSITIONS = 100;

/** The longest names of a group and an epoch in a position that a server takes, in UTF-16 units. */
const MAX_NAME = 1_024;

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

/**
 * The frame of a message of a group with its place there, given the frame without, and its path. An advance when the peer
 * would close the connection over its size.
 */
export function withPlace(frame: string, path: string, alias: string, offset: number): string {
  const placed = insertPlace(frame, path, `${alias}.${offset}`);
  const isTooLarge = placed.length > MAX_PAYLOAD / 3 && byteLength(placed) > MAX_PAYLOAD;
  return isTooLarge ? encodeGroup(alias, offset) : placed;
}

/** The longest alias and offset that there can be. */
const LONGEST_PLACE = "9007199254740991.9007199254740991";

/** The same with the longest place, for the start of a frame. */
export function withLongestPlace(frame: string, path: string): string {
  return insertPlace(frame, path, LONGEST_PLACE);
}

function insertPlace(frame: string, path: string, place: string): string {
  const at = FrameType.MESSAGE.length + path.length + 2;
  return frame.slice(0, at) + place + frame.slice(at);
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
  return isName(group) && isName(epoch) && Number.isSafeInteger(offset) && Number(offset) >= 0;
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value.length <= MAX_NAME;
}
