import type { GGPresenceChange, GGPresenceInfo } from "../api/presence.js";
import type { AnyValidator } from "../api/standardSchema.js";
import { clean, fieldsOf } from "../connection/methods/clean.js";
import { byteLength, parsePayload, stringifyPayload } from "../protocol/frame.js";
import type { ChangedMembers } from "./memberTable.js";

/** The longest information of a member as JSON text, in bytes. */
const MAX_INFO_BYTES = 16_384;

/** The text that the bus carries. Throws when the information has none, or other nodes could not use it. */
export function writeInfo(info: GGPresenceInfo): string {
  const text = stringifyPayload(info);
  // A UTF-16 unit becomes three bytes at most, so that few texts need counting.
  if (text.length > MAX_INFO_BYTES / 3 && byteLength(text) > MAX_INFO_BYTES) {
    throw new RangeError(`it is larger than ${MAX_INFO_BYTES} bytes`);
  }
  readInfo(text, undefined);
  return text;
}

/** What a text of the bus says. Throws when it is not JSON with a string `id`, or the validator does not accept it. */
export function readInfo<TInfo extends GGPresenceInfo>(
  text: string,
  validator: AnyValidator<TInfo> | undefined,
): TInfo {
  let info = parsePayload(text);
  if (validator) {
    info = clean(validator, info, (issues) => {
      throw new TypeError(`it does not fit: ${fieldsOf(issues)}`);
    });
  }
  if (typeof (info as Partial<TInfo> | null | undefined)?.id !== "string") throw new TypeError("it has no string `id`");
  return info as TInfo;
}

/** The persons behind members: a person is there while any member with its `id` is. */
export class Persons<TInfo extends GGPresenceInfo> {
  readonly #read: (text: string) => TInfo | undefined;
  /** Members by the `id` of their person, each with its own information. */
  readonly #persons = new Map<string, Map<string, TInfo>>();
  /** The `id` of each member's person. */
  readonly #ids = new Map<string, string>();

  /** @param read `undefined` for a text that cannot be used: its member is not there */
  constructor(read: (text: string) => TInfo | undefined) {
    this.#read = read;
  }

  /** Changes members, and returns which persons have come and gone by all of it. */
  take(changed: ChangedMembers): GGPresenceChange<TInfo> {
    const before = new Map<string, TInfo | undefined>();
    for (const [member, text] of changed) {
      const info = text === undefined ? undefined : this.#read(text);
      for (const id of [this.#ids.get(member), info?.id]) {
        if (id !== undefined && !before.has(id)) before.set(id, this.#infoOf(id));
      }
      this.#remove(member);
      if (info) this.#add(member, info);
    }
    const joined: TInfo[] = [];
    const left: TInfo[] = [];
    for (const [id, then] of before) {
      const now = this.#infoOf(id);
      if (now && !then) joined.push(now);
      if (then && !now) left.push(then);
    }
    return { joined, left };
  }

  /** That of any member of a person. */
  #infoOf(id: string): TInfo | undefined {
    const [info] = this.#persons.get(id)?.values() ?? [];
    return info;
  }

  #add(member: string, info: TInfo): void {
    const members = this.#persons.get(info.id) ?? new Map<string, TInfo>();
    this.#persons.set(info.id, members.set(member, info));
    this.#ids.set(member, info.id);
  }

  #remove(member: string): void {
    const id = this.#ids.get(member);
    if (id === undefined) return;
    this.#ids.delete(member);
    const members = this.#persons.get(id);
    members?.delete(member);
    if (members?.size === 0) this.#persons.delete(id);
  }
}
