import { GGBusError, type GGBusMembers } from "../api/bus.js";
import type { ChannelKeys } from "./keys.js";
import type { Link } from "./link.js";
import { LivingNodes, type LivingNodesOptions } from "./livingNodes.js";
import { command, OwnMembers } from "./ownMembers.js";
import { errorText, failureKind, isRefusal } from "./replies.js";
import { MEMBERS_TTL } from "./scripts.js";

/** How often a node says that it lives, in ms. */
const REFRESH_INTERVAL = 5_000;

/** Every how many refreshes members are kept from expiring. */
const REFRESHES_PER_TOUCH = Math.floor(MEMBERS_TTL / REFRESH_INTERVAL / 6);

/** What members need of the bus. */
export interface MembersOptions extends LivingNodesOptions {
  keysOf(channel: string): ChannelKeys;
}

/** Who is where, in Redis, under the name of this node's incarnation. */
export class RedisMembers implements GGBusMembers {
  readonly #options: MembersOptions;
  readonly #nodes: LivingNodes;
  readonly #channels = new Map<string, OwnMembers>();
  readonly #changed = new Set<OwnMembers>();
  #link: Link | undefined;
  /** One at a time. */
  #refreshing: Promise<void> | undefined;
  #refreshes = 0;
  #isScheduled = false;
  #isClosed = false;

  constructor(options: MembersOptions) {
    this.#options = options;
    this.#nodes = new LivingNodes(options);
  }

  set(channel: string, member: string, info: string): void {
    this.#change(channel, (own) => own.set(member, info));
  }

  remove(channel: string, member: string): void {
    this.#change(channel, (own) => own.remove(member));
  }

  setCount(channel: string, count: number): void {
    this.#change(channel, (own) => own.setCount(count));
  }

  async list(channel: string): Promise<{ readonly version: number; readonly members: ReadonlyMap<string, string> }> {
    const members = await this.#readLiving(this.#options.keysOf(channel).members);
    const version = Number(members.get("v") ?? 0);
    members.delete("v");
    return { version, members };
  }

  async count(channel: string): Promise<number> {
    const counts = await this.#readLiving(this.#options.keysOf(channel).counts);
    return [...counts.values()].reduce((sum, count) => sum + Number(count), 0);
  }

  /** Writes all on a new link. Rejects when Redis cannot take it now. */
  async attach(link: Link): Promise<void> {
    await this.#renew(link);
    const timer = setInterval(() => void this.#refresh(link), REFRESH_INTERVAL).unref();
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
    const { incarnation } = this.#nodes;
    const removals: Promise<void>[] = [];
    for (const own of this.#channels.values()) {
      removals.push(own.removeWritten(link, own.written), own.forgetCount(link, incarnation));
    }
    await Promise.all(removals);
    await this.#nodes.leave(link, incarnation);
  }

  #change(channel: string, change: (own: OwnMembers) => void): void {
    if (this.#isClosed) return;
    const { keysOf, scripts } = this.#options;
    const own = this.#channels.get(channel) ?? new OwnMembers(channel, keysOf(channel), scripts);
    change(own);
    if (!own.isChanged) return;
    this.#channels.set(channel, own);
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
    await this.#nodes.begin(link);
    this.#link = link;
    const earlier = new Map<OwnMembers, readonly string[]>();
    for (const own of this.#channels.values()) {
      earlier.set(own, own.written);
      own.changeAll();
      this.#changed.add(own);
    }
    // Members under a name that Redis has refused would be removed by any node.
    if (!this.#nodes.hasJoined) return;
    await this.#write(link);
    const { givenUp } = this.#nodes;
    const removals: Promise<void>[] = [];
    for (const [own, fields] of earlier) {
      removals.push(own.removeWritten(link, fields));
      for (const name of givenUp) removals.push(own.forgetCount(link, name));
    }
    try {
      await Promise.all(removals);
      for (const name of [...givenUp]) await this.#nodes.leave(link, name);
    } catch (error) {
      // What is left goes with its name, which nothing refreshes.
      if (!isRefusal(error)) throw error;
    }
    for (const own of earlier.keys()) this.#release(own);
  }

  #refresh(link: Link): Promise<void> {
    this.#refreshing ??= this.#refreshNow(link)
      // The link is lost, or Redis cannot do it now: the next one comes.
      .catch(() => {})
      .finally(() => {
        this.#refreshing = undefined;
      });
    return this.#refreshing;
  }

  async #refreshNow(link: Link): Promise<void> {
    if (!this.#nodes.hasJoined || !(await this.#nodes.refresh(link))) {
      await this.#renew(link);
      if (!this.#nodes.hasJoined) return;
      this.#options.onUnknownChange();
    }
    if (++this.#refreshes % REFRESHES_PER_TOUCH === 0) {
      for (const own of this.#channels.values()) {
        await own.touch(link);
        if (own.isChanged) this.#changed.add(own);
      }
    }
    // What Redis has refused before is tried again.
    await this.#write(link);
  }

  /** Writes what has changed. */
  async #write(link: Link): Promise<void> {
    const changed = [...this.#changed];
    this.#changed.clear();
    await Promise.all(
      changed.map(async (own) => {
        await own.write(link, this.#nodes.incarnation);
        if (own.isChanged) this.#changed.add(own);
        this.#release(own);
      }),
    );
  }

  /** A channel in which this node has nothing is let go. */
  #release(own: OwnMembers): void {
    if (!own.isUsed) this.#channels.delete(own.name);
  }

  /** The fields of a hash that belong to nodes that live. Removes the others. */
  async #readLiving(key: string): Promise<Map<string, string>> {
    const link = this.#link;
    if (this.#isClosed) throw new GGBusError("it was closed", "closed");
    if (!link) throw new GGBusError("Redis is away", "down");
    try {
      let fields = await this.#readHash(link, key);
      // An incarnation joins before it writes: one that was read first and does not live then is gone for ever.
      let living = await this.#nodes.look(link);
      if (this.#nodes.hasJoined && !living.has(this.#nodes.incarnation)) {
        await this.#refresh(link);
        fields = await this.#readHash(link, key);
        living = await this.#nodes.look(link);
      }
      if (!this.#nodes.isKnown) throw new GGBusError("Redis has forgotten nodes that are not back yet", "down");
      const dead = [...fields.keys()].filter((field) => field !== "v" && !living.has(incarnationOf(field)));
      for (const field of dead) fields.delete(field);
      if (dead.length > 0) command(link, "HDEL", key, ...dead).catch(() => {});
      return fields;
    } catch (error) {
      if (error instanceof GGBusError) throw error;
      const reason = this.#isClosed ? "closed" : failureKind(error) === "refused" ? "refused" : "down";
      throw new GGBusError(errorText(error), reason, false, { cause: error });
    }
  }

  async #readHash(link: Link, key: string): Promise<Map<string, string>> {
    const flat = (await link.ask(this.#options.scripts.readHash, "1", key)) as string[];
    const fields = new Map<string, string>();
    for (let index = 0; index < flat.length; index += 2) fields.set(flat[index]!, flat[index + 1]!);
    return fields;
  }
}

/** The incarnation that wrote a field: the field itself, or what is before the member. */
function incarnationOf(field: string): string {
  const slash = field.indexOf("/");
  return slash < 0 ? field : field.slice(0, slash);
}
