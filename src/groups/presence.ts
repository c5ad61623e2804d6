import { GGBusError, type GGBusMembers, type GGMembersChange } from "../api/bus.js";
import type { GGWebSocketLogFields } from "../api/logger.js";
import type { GGPresenceChange, GGPresenceInfo } from "../api/presence.js";
import type { AnyValidator } from "../api/standardSchema.js";
import type { Unsubscribe } from "../api/unsubscribe.js";
import { setDeadline } from "../connection/deadlines.js";
import { type ChangedMembers, MemberLists, MemberTable } from "./memberTable.js";
import { Persons, readInfo, writeInfo } from "./persons.js";

/** How long a person whose connection has closed may take to come back, in ms. */
const GRACE_MS = 10_000;

/** What is logged: each once, the last once in an outage. */
const NOT_PRESENT = "a connection is not present, since other nodes cannot use its information";
const LEFT_OUT = "a member is not present, since its information does not fit";
const NOT_LISTED = "it cannot be read who is present; tried again with the next change";

/** Persons, and the callbacks that are called with what changes. */
interface View {
  readonly persons: Persons<GGPresenceInfo>;
  readonly listeners: Set<Listener>;
}

interface Listener {
  readonly call: (change: GGPresenceChange<never>) => unknown;
}

/** What a `Presence` asks of its channel. */
interface PresenceHooks {
  /**
   * Changes are needed from now on, or not any more. They are passed to `onMembers`; when the subscription has become active
   * only after this call, `sync` follows it.
   */
  onWatched(isWatched: boolean): void;
  /** Information that cannot be used, or a bus that fails. Each message comes once, or once in an outage. */
  warn(message: string, fields?: GGWebSocketLogFields): void;
  /** Runs a callback of the program. Never throws. */
  run(callback: () => unknown): void;
}

/** Who is in one channel, by person and not by connection, on one node. */
export class Presence {
  readonly #members: GGBusMembers;
  readonly #channel: string;
  readonly #hooks: PresenceHooks;
  readonly #graceMs: number;
  readonly #lists: MemberLists;
  /** What the bus has of members of this node. */
  readonly #own = new Map<string, string>();
  /** Members whose connection has closed, with what ends their deadline. */
  readonly #leaving = new Map<string, () => void>();
  /** There while changes are needed. */
  #table: MemberTable | undefined;
  /** The persons that listeners are called for, by the validator of these. */
  readonly #views = new Map<AnyValidator<GGPresenceInfo> | undefined, View>();
  readonly #warned = new Set<string>();
  /** Calls of listeners that wait until earlier ones have run. */
  readonly #calls: (() => unknown)[] = [];
  #isCalling = false;

  constructor(members: GGBusMembers, channel: string, hooks: PresenceHooks, graceMs = GRACE_MS) {
    this.#members = members;
    this.#channel = channel;
    this.#hooks = hooks;
    this.#graceMs = graceMs;
    this.#lists = new MemberLists(members, channel);
  }

  /**
   * A connection of this node is a member from now on, or again, or has other information. One whose information the bus
   * cannot carry is not present.
   *
   * @param member unique on this node
   */
  join(member: string, info: GGPresenceInfo): void {
    const text = this.#write(info);
    if (text === undefined) return this.#remove(member);
    this.#stay(member);
    if (this.#own.get(member) === text) return;
    this.#own.set(member, text);
    this.#members.set(this.#channel, member, text);
  }

  /** It is no member any more: at once, or when it has not come back in time. */
  leave(member: string, isReturning: boolean): void {
    if (!isReturning) this.#remove(member);
    else if (this.#own.has(member) && !this.#leaving.has(member)) {
      this.#leaving.set(
        member,
        setDeadline(this.#graceMs, () => this.#remove(member)),
      );
    }
  }

  /** One entry for each person on all nodes. Rejects with a `GGBusError`. */
  async present<TInfo extends GGPresenceInfo = GGPresenceInfo>(
    validator?: AnyValidator<TInfo>,
  ): Promise<readonly TInfo[]> {
    const { members } = await this.#lists.list();
    const persons = new Persons<TInfo>((text) => this.#read(text, validator));
    return persons.take([...members]).joined;
  }

  /**
   * Calls back when persons join or leave, from now on. A program that wants those who are there already asks for them
   * (`present`) after this call: then it misses no change between the two, and may see one twice.
   */
  onPresence<TInfo extends GGPresenceInfo = GGPresenceInfo>(
    callback: (change: GGPresenceChange<TInfo>) => unknown,
    validator?: AnyValidator<TInfo>,
  ): Unsubscribe {
    const view = this.#viewOf(validator);
    // An object of its own, since a callback may be given twice.
    const listener = { call: callback };
    view.listeners.add(listener);
    if (!this.#table) this.#watch();
    return () => {
      if (!view.listeners.delete(listener) || view.listeners.size > 0) return;
      this.#views.delete(validator);
      if (this.#views.size === 0) this.#unwatch();
    };
  }

  /** The bus has a change of members. */
  onMembers(change?: GGMembersChange): void {
    this.#table?.take(change);
  }

  /** Changes may have been missed. Resolves when they are known, or the bus has failed to say them. */
  async sync(): Promise<void> {
    await this.#table?.refresh();
  }

  /** Calls no listener any more, and removes what is left of this node without any grace. */
  dispose(): void {
    for (const { listeners } of this.#views.values()) listeners.clear();
    this.#views.clear();
    if (this.#table) this.#unwatch();
    for (const member of [...this.#own.keys()]) this.#remove(member);
  }

  #viewOf(validator: AnyValidator<GGPresenceInfo> | undefined): View {
    const known = this.#views.get(validator);
    if (known) return known;
    const persons = new Persons((text) => this.#read(text, validator));
    persons.take([...(this.#table?.members ?? [])]);
    const view = { persons, listeners: new Set<Listener>() };
    this.#views.set(validator, view);
    return view;
  }

  #stay(member: string): void {
    this.#leaving.get(member)?.();
    this.#leaving.delete(member);
  }

  #remove(member: string): void {
    this.#stay(member);
    if (this.#own.delete(member)) this.#members.remove(this.#channel, member);
  }

  #watch(): void {
    const table = new MemberTable(this.#lists, {
      onChanged: (changed, isFirst) => this.#report(changed, isFirst),
      onListed: () => void this.#warned.delete(NOT_LISTED),
      // That the bus is down is logged already.
      onListFailed: (error) => isDown(error) || this.#warnOnce(NOT_LISTED, error),
    });
    this.#table = table;
    this.#hooks.onWatched(true);
    void table.refresh();
  }

  #unwatch(): void {
    this.#table?.end();
    this.#table = undefined;
    this.#hooks.onWatched(false);
  }

  /** Calls the listeners. One that causes another change sees the end of its own first. */
  #report(changed: ChangedMembers, isFirst: boolean): void {
    for (const view of this.#views.values()) {
      const change = view.persons.take(changed) as GGPresenceChange<never>;
      if (isFirst || change.joined.length + change.left.length === 0) continue;
      for (const listener of view.listeners) {
        this.#calls.push(() => view.listeners.has(listener) && listener.call(change));
      }
    }
    if (this.#isCalling) return;
    this.#isCalling = true;
    for (let call = this.#calls.shift(); call; call = this.#calls.shift()) this.#hooks.run(call);
    this.#isCalling = false;
  }

  #write(info: GGPresenceInfo): string | undefined {
    try {
      return writeInfo(info);
    } catch (error) {
      this.#warnOnce(NOT_PRESENT, error);
      return undefined;
    }
  }

  #read<TInfo extends GGPresenceInfo>(text: string, validator: AnyValidator<TInfo> | undefined): TInfo | undefined {
    try {
      return readInfo(text, validator);
    } catch (error) {
      this.#warnOnce(LEFT_OUT, error);
      return undefined;
    }
  }

  #warnOnce(message: string, error: unknown): void {
    if (this.#warned.has(message)) return;
    this.#warned.add(message);
    this.#hooks.warn(message, { error });
  }
}

function isDown(error: unknown): boolean {
  return error instanceof GGBusError && error.reason === "down";
}
