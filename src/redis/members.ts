import { GGBusError, type GGBusMembers } from "../api/bus.js";
import { type ChannelKeys, channelKeys, nodesKey } from "./keys.js";
import type { Link } from "./link.js";
import { errorText, failureKind } from "./replies.js";
import { MEMBERS_TTL, type Scripts } from "./scripts.js";

/** How often a node says that it lives, and how long it is believed, in ms. */
const REFRESH_INTERVAL = 5_000;
const NODE_TTL = 15_000;

/** How many changes of members one script makes. */
const CHANGES_PER_SCRIPT = 300;

/** Every how many refreshes members are kept from expiring. */
const REFRESHES_PER_TOUCH = Math.floor(MEMBERS_TTL / REFRESH_INTERVAL / 6);

/** What this node has in a channel. */
interface OwnMembers {
  readonly name: string;
  readonly keys: ChannelKeys;
  readonly members: Map<string, string>;
  count: number;
  /** Members whose state in Redis is not that of `members`. */
  readonly changed: Set<string>;
  isCountChanged: boolean;
  /** The fields that Redis may have. */
  readonly written: Set<string>;
}

/** What the members need of the bus. */
export interface MembersOptions {
  readonly prefix: string;
  readonly node: string;
  readonly scripts: Scripts;
  /** Members may be gone: listeners look again. */
  onUnknownChange(): void;
}

/**
 * Who is where, in Redis. A node lives under the name of an incarnation, which it gives up when Redis has forgotten it, and
 * after each lost link. Nothing is set under that name again, so that any node may remove what is left of it.
 */
export class RedisMembers implements GGBusMembers {
  readonly #options: MembersOptions;
  readonly #nodesKey: string;
  readonly #channels = new Map<string, OwnMembers>();
  readonly #changed = new Set<OwnMembers>();
  readonly #givenUp = new Set<string>();
  #incarnation = "";
  #incarnations = 0;
  /** Whether Redis has this incarnation among those that live. */
  #hasJoined = false;
  #living: ReadonlySet<string> = new Set();
  #link: Link | undefined;
  #isScheduled = false;
  #isClosed = false;

  constructor(options: MembersOptions) {
    this.#options = options;
    this.#nodesKey = nodesKey(options.prefix);
  }

  set(channel: string, member: string, info: string): void {
    if (this.#isClosed) return;
    const own = this.#own(channel);
    if (own.members.get(member) === info) return;
    own.members.set(member, info);
    own.changed.add(member);
    this.#change(own);
  }

  remove(channel: string, member: string): void {
    const own = this.#channels.get(channel);
    if (!own?.members.delete(member)) return;
    own.changed.add(member);
    this.#change(own);
  }

  setCount(channel: string, count: number): void {
    if (this.#isClosed) return;
    const own = this.#own(channel);
    if (own.count === count) return;
    own.count = count;
    own.isCountChanged = true;
    this.#change(own);
  }

  async list(channel: string): Promise<{ readonly version: number; readonly members: ReadonlyMap<string, string> }> {
    const fields = await this.#readLiving(channelKeys(this.#options.prefix, channel).members);
    const version = Number(fields.get("v") ?? 0);
    fields.delete("v");
    return { version, members: fields };
  }

  async count(channel: string): Promise<number> {
    let sum = 0;
    for (const count of (await this.#readLiving(channelKeys(this.#options.prefix, channel).counts)).values()) {
      sum += Number(count);
    }
    return sum;
  }

  /** Writes all on a new link. Rejects when Redis cannot take it now. */
  async attach(link: Link): Promise<void> {
    await this.#renew(link);
    let refreshes = 0;
    let isBusy = false;
    const timer = setInterval(async () => {
      if (isBusy) return;
      isBusy = true;
      await this.#refresh(link, ++refreshes % REFRESHES_PER_TOUCH === 0).catch(() => {});
      isBusy = false;
    }, REFRESH_INTERVAL).unref();
    void link.lost.then(() => clearInterval(timer));
  }

  /** The link is lost: what changes is written on the next. */
  detach(): void {
    this.#link = undefined;
  }

  /** Removes all that this node has. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const link = this.#link;
    this.#link = undefined;
    if (!link) return;
    const { nodes } = this.#options.scripts;
    await Promise.all([...this.#channels.values()].map((own) => this.#removeWritten(link, own, [...own.written])));
    await Promise.all([...this.#channels.values()].map((own) => this.#forgetCount(link, own, this.#incarnation)));
    await link.ask(nodes, "1", this.#nodesKey, "leave", this.#incarnation);
  }

  #own(channel: string): OwnMembers {
    let own = this.#channels.get(channel);
    if (!own) {
      own = {
        name: channel,
        keys: channelKeys(this.#options.prefix, channel),
        members: new Map(),
        count: 0,
        changed: new Set(),
        isCountChanged: false,
        written: new Set(),
      };
      this.#channels.set(channel, own);
    }
    return own;
  }

  #change(own: OwnMembers): void {
    this.#changed.add(own);
    if (!this.#link || this.#isScheduled) return;
    this.#isScheduled = true;
    process.nextTick(() => {
      this.#isScheduled = false;
      if (this.#link) void this.#write(this.#link);
    });
  }

  /** Begins an incarnation: all members are there before those of the last one go. */
  async #renew(link: Link): Promise<void> {
    const last = this.#incarnation;
    const incarnation = `${this.#options.node}~${++this.#incarnations}`;
    await this.#tellAlive(link, "join", incarnation);
    if (last) this.#givenUp.add(last);
    this.#incarnation = incarnation;
    this.#link = link;
    const earlier = new Map<OwnMembers, readonly string[]>();
    for (const own of this.#channels.values()) {
      earlier.set(own, [...own.written]);
      for (const member of own.members.keys()) own.changed.add(member);
      own.isCountChanged = own.count > 0;
      this.#changed.add(own);
    }
    await this.#write(link);
    const removals: Promise<void>[] = [];
    for (const [own, fields] of earlier) {
      removals.push(this.#removeWritten(link, own, fields));
      for (const name of this.#givenUp) removals.push(this.#forgetCount(link, own, name));
    }
    await Promise.all(removals);
    for (const name of this.#givenUp) {
      await link.ask(this.#options.scripts.nodes, "1", this.#nodesKey, "leave", name);
      this.#givenUp.delete(name);
    }
  }

  async #refresh(link: Link, isTouch: boolean): Promise<void> {
    if (!this.#hasJoined || !(await this.#tellAlive(link, "refresh", this.#incarnation))) {
      await this.#renew(link);
      this.#options.onUnknownChange();
    }
    // What Redis has refused is tried again.
    await this.#write(link);
    if (isTouch) await this.#touch(link);
  }

  /** Says that this node lives, and learns who else does. Returns false when there was nothing to refresh. */
  async #tellAlive(link: Link, how: "join" | "refresh", incarnation: string): Promise<boolean> {
    try {
      const ttl = `${NODE_TTL}`;
      const reply = await link.ask(this.#options.scripts.nodes, "1", this.#nodesKey, how, incarnation, ttl);
      const [isThere, ...living] = reply as [number, ...string[]];
      this.#setLiving(living);
      this.#hasJoined = isThere === 1;
      return this.#hasJoined;
    } catch (error) {
      this.#hasJoined = false;
      // Without rights or memory for members the bus still carries messages.
      if (failureKind(error) !== "refused") throw error;
      return true;
    }
  }

  #setLiving(living: readonly string[]): void {
    const before = this.#living;
    this.#living = new Set(living);
    for (const incarnation of before) {
      if (this.#living.has(incarnation) || incarnation === this.#incarnation) continue;
      if (!this.#givenUp.has(incarnation)) return this.#options.onUnknownChange();
    }
  }

  /** Writes what has changed. */
  async #write(link: Link): Promise<void> {
    const changed = [...this.#changed];
    this.#changed.clear();
    const answers: Promise<void>[] = [];
    for (const own of changed) {
      const members = [...own.changed];
      own.changed.clear();
      for (let start = 0; start < members.length; start += CHANGES_PER_SCRIPT) {
        answers.push(this.#writeMembers(link, own, members.slice(start, start + CHANGES_PER_SCRIPT)));
      }
      if (own.isCountChanged) answers.push(this.#writeCount(link, own));
    }
    await Promise.all(answers);
  }

  async #writeMembers(link: Link, own: OwnMembers, members: readonly string[]): Promise<void> {
    const args: string[] = [];
    const removed: string[] = [];
    for (const member of members) {
      const field = `${this.#incarnation}/${member}`;
      const info = own.members.get(member);
      if (info === undefined) removed.push(field);
      else own.written.add(field);
      args.push(field, info === undefined ? "" : `${field.length}`, info ?? "");
    }
    try {
      await link.ask(this.#options.scripts.changeMembers, "1", own.keys.members, own.keys.channel, ...args);
      for (const field of removed) own.written.delete(field);
      this.#release(own);
    } catch {
      for (const member of members) own.changed.add(member);
      this.#changed.add(own);
    }
  }

  async #writeCount(link: Link, own: OwnMembers): Promise<void> {
    own.isCountChanged = false;
    const { counts } = own.keys;
    try {
      if (own.count > 0) {
        await Promise.all([
          command(link, counts, "HSET", counts, this.#incarnation, `${own.count}`),
          command(link, counts, "PEXPIRE", counts, `${MEMBERS_TTL}`),
        ]);
      } else await command(link, counts, "HDEL", counts, this.#incarnation);
      this.#release(own);
    } catch {
      own.isCountChanged = true;
      this.#changed.add(own);
    }
  }

  async #removeWritten(link: Link, own: OwnMembers, fields: readonly string[]): Promise<void> {
    for (let start = 0; start < fields.length; start += CHANGES_PER_SCRIPT) {
      const part = fields.slice(start, start + CHANGES_PER_SCRIPT);
      const args = part.flatMap((field) => [field, "", ""]);
      await link.ask(this.#options.scripts.changeMembers, "1", own.keys.members, own.keys.channel, ...args);
      for (const field of part) own.written.delete(field);
    }
  }

  async #forgetCount(link: Link, { keys: { counts } }: OwnMembers, incarnation: string): Promise<void> {
    await command(link, counts, "HDEL", counts, incarnation);
  }

  /** A channel without anything of this node is let go. */
  #release(own: OwnMembers): void {
    const isUsed = own.members.size > 0 || own.count > 0 || own.written.size > 0;
    if (isUsed || own.changed.size > 0 || own.isCountChanged) return;
    if (this.#channels.get(own.name) === own) this.#channels.delete(own.name);
  }

  /** Keeps from expiring what is used, and writes again what is gone. */
  async #touch(link: Link): Promise<void> {
    for (const own of this.#channels.values()) {
      const { members, counts } = own.keys;
      if (own.members.size > 0 && !(await command(link, members, "PEXPIRE", members, `${MEMBERS_TTL}`))) {
        for (const member of own.members.keys()) own.changed.add(member);
        this.#change(own);
      }
      if (own.count > 0 && !(await command(link, counts, "PEXPIRE", counts, `${MEMBERS_TTL}`))) {
        own.isCountChanged = true;
        this.#change(own);
      }
    }
  }

  /** The fields of a hash that belong to nodes that live. Removes the others. */
  async #readLiving(key: string): Promise<Map<string, string>> {
    const link = this.#link;
    if (this.#isClosed) throw new GGBusError("it was closed", "closed");
    if (!link) throw new GGBusError("Redis is away", "down");
    try {
      // An incarnation joins before it writes: one that was read first and is not living then is gone for ever.
      const flat = (await link.ask(this.#options.scripts.readHash, "1", key)) as string[];
      const [, ...living] = (await link.ask(this.#options.scripts.nodes, "1", this.#nodesKey, "look")) as string[];
      const fields = new Map<string, string>();
      const dead: string[] = [];
      const isLiving = new Set(living);
      for (let index = 0; index < flat.length; index += 2) {
        const field = flat[index]!;
        const slash = field.indexOf("/");
        if (field === "v" || isLiving.has(slash < 0 ? field : field.slice(0, slash)))
          fields.set(field, flat[index + 1]!);
        else dead.push(field);
      }
      if (dead.length > 0) void command(link, key, "HDEL", key, ...dead).catch(() => {});
      return fields;
    } catch (error) {
      const reason = this.#isClosed ? "closed" : failureKind(error) === "refused" ? "refused" : "down";
      throw new GGBusError(errorText(error), reason, false, { cause: error });
    }
  }
}

function command(link: Link, key: string, ...args: string[]): Promise<unknown> {
  return new Promise((resolve, reject) => link.send(key, args, resolve, reject));
}
