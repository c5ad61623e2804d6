import type { GGBusMembers, GGMembersChange } from "../api/bus.js";

type Listed = Awaited<ReturnType<GGBusMembers["list"]>>;

/** Members that are new, have other information, or, with `undefined`, are gone. */
export type ChangedMembers = readonly (readonly [member: string, info: string | undefined])[];

/** How many changes are held while a list is on its way. */
const MAX_HELD = 256;

/** Lists the members of a channel: one list at a time, however many are asked for. */
export class MemberLists {
  readonly #ask: () => Promise<Listed>;
  #running: Promise<Listed> | undefined;
  /** Is asked for when the one that is running has ended. */
  #next: Promise<Listed> | undefined;

  constructor(members: GGBusMembers, channel: string) {
    this.#ask = async () => members.list(channel);
  }

  /** A list that the bus is asked for after this call, so that it has what this node has set before. */
  list(): Promise<Listed> {
    if (!this.#running) return this.#next ?? this.#start();
    const startNext = () => {
      this.#next = undefined;
      return this.#start();
    };
    this.#next ??= this.#running.then(startNext, startNext);
    return this.#next;
  }

  #start(): Promise<Listed> {
    const running = this.#ask();
    const end = () => {
      this.#running = undefined;
    };
    running.then(end, end);
    this.#running = running;
    return running;
  }
}

/** What a `MemberTable` reports. */
export interface MemberTableHooks {
  /** Members have changed. The first time, these are all that are there. */
  onChanged(changed: ChangedMembers, isFirst: boolean): void;
  /** A list was taken. */
  onListed(): void;
  /** A list could not be taken: until one is, nothing is reported. */
  onListFailed(error: unknown): void;
}

/**
 * All members of a channel, on a node that watches them: a list, kept up to date by the changes that follow it. Where they
 * do not follow, a new list is taken.
 */
export class MemberTable {
  readonly #lists: MemberLists;
  readonly #hooks: MemberTableHooks;
  #members: Map<string, string> | undefined;
  /** That of the latest change in `#members`. */
  #version = 0;
  /** A list is needed that is asked for from now on. */
  #isStale = true;
  #refreshing: Promise<void> | undefined;
  /** What has arrived since the list that is on its way was asked for. */
  #held: GGMembersChange[] = [];
  #isEnded = false;

  constructor(lists: MemberLists, hooks: MemberTableHooks) {
    this.#lists = lists;
    this.#hooks = hooks;
  }

  /** The members that are known; `undefined` before the first list. */
  get members(): ReadonlyMap<string, string> | undefined {
    return this.#members;
  }

  /** Takes what the bus says of members. */
  take(change?: GGMembersChange): void {
    if (change && this.#refreshing) this.#hold(change);
    else if (!change || this.#isStale || !this.#follow(change)) void this.refresh();
  }

  /** Takes a list that is asked for from now on. Resolves when it is taken or has failed; then the next change tries again. */
  refresh(): Promise<void> {
    this.#isStale = true;
    this.#refreshing ??= this.#becomeCurrent();
    return this.#refreshing;
  }

  /** Nothing is reported any more. */
  end(): void {
    this.#isEnded = true;
  }

  async #becomeCurrent(): Promise<void> {
    while (!this.#isEnded) {
      if (this.#isStale) {
        if (!(await this.#takeList())) break;
      } else {
        // While it is reported, more may arrive.
        const change = this.#held.shift();
        if (!change) break;
        if (!this.#follow(change)) this.#isStale = true;
      }
    }
    this.#refreshing = undefined;
  }

  /** Returns whether to go on. */
  async #takeList(): Promise<boolean> {
    this.#isStale = false;
    this.#held = [];
    const before = this.#members;
    let now: Map<string, string>;
    try {
      const { version, members } = await this.#lists.list();
      if (this.#isEnded) return false;
      now = new Map(members);
      this.#version = version;
    } catch (error) {
      if (this.#isEnded) return false;
      // At once again only when something has arrived meanwhile: the bus may have come back.
      const isNews = this.#isStale || this.#held.length > 0;
      this.#isStale = true;
      this.#hooks.onListFailed(error);
      return isNews;
    }
    // The list has what came before it.
    this.#held = this.#held.filter(({ version }) => version > this.#version).sort((a, b) => a.version - b.version);
    this.#members = now;
    this.#hooks.onListed();
    const changed: [string, string | undefined][] = [...now].filter(([member, info]) => before?.get(member) !== info);
    for (const member of before?.keys() ?? []) if (!now.has(member)) changed.push([member, undefined]);
    this.#hooks.onChanged(changed, !before);
    return true;
  }

  /** Applies the change that comes next. Returns whether the members are known after it; otherwise a list is needed. */
  #follow({ version, member, info }: GGMembersChange): boolean {
    const members = this.#members;
    if (!members) return false;
    // One that says what is known has come twice, or later than the list that has it.
    if (version !== this.#version + 1) return version <= this.#version && members.get(member) === info;
    this.#version = version;
    if (info === undefined) members.delete(member);
    else members.set(member, info);
    this.#hooks.onChanged([[member, info]], false);
    return true;
  }

  #hold(change: GGMembersChange): void {
    if (this.#held.length < MAX_HELD) this.#held.push(change);
    else this.#isStale = true;
  }
}
