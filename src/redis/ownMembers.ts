import type { ChannelKeys } from "./keys.js";
import type { Link } from "./link.js";
import { MEMBERS_TTL, type Scripts } from "./scripts.js";

/** How many changes of members one script makes. */
const CHANGES_PER_SCRIPT = 300;

/** What this node has in one channel, and what of that Redis does not have yet. */
export class OwnMembers {
  readonly name: string;
  readonly #keys: ChannelKeys;
  readonly #scripts: Scripts;
  readonly #members = new Map<string, string>();
  #count = 0;
  /** Members that Redis may have otherwise. */
  readonly #changed = new Set<string>();
  #isCountChanged = false;
  /** The fields that Redis may have, of this and earlier incarnations. */
  readonly #written = new Set<string>();

  constructor(name: string, keys: ChannelKeys, scripts: Scripts) {
    this.name = name;
    this.#keys = keys;
    this.#scripts = scripts;
  }

  /** Whether there is something to write. */
  get isChanged(): boolean {
    return this.#isCountChanged || this.#changed.size > 0;
  }

  /** Whether this node has anything there. */
  get isUsed(): boolean {
    return this.isChanged || this.#members.size > 0 || this.#count > 0 || this.#written.size > 0;
  }

  get written(): readonly string[] {
    return [...this.#written];
  }

  set(member: string, info: string): void {
    if (this.#members.get(member) === info) return;
    this.#members.set(member, info);
    this.#changed.add(member);
  }

  remove(member: string): void {
    if (this.#members.delete(member)) this.#changed.add(member);
  }

  setCount(count: number): void {
    if (this.#count === count) return;
    this.#count = count;
    this.#isCountChanged = true;
  }

  /** All of it is to be written. */
  changeAll(): void {
    for (const member of this.#members.keys()) this.#changed.add(member);
    this.#isCountChanged = this.#count > 0;
  }

  /** Writes what has changed. What Redis does not take remains changed. */
  async write(link: Link, incarnation: string): Promise<void> {
    const members = [...this.#changed];
    this.#changed.clear();
    const answers = inParts(members, (part) => this.#writeMembers(link, incarnation, part));
    if (this.#isCountChanged) answers.push(this.#writeCount(link, incarnation));
    await Promise.all(answers);
  }

  /** Removes fields that were written. */
  async removeWritten(link: Link, fields: readonly string[]): Promise<void> {
    await Promise.all(
      inParts(fields, async (part) => {
        await this.#change(
          link,
          part.flatMap((field) => [field, "", ""]),
        );
        for (const field of part) this.#written.delete(field);
      }),
    );
  }

  /** Removes the count of an incarnation. */
  async forgetCount(link: Link, incarnation: string): Promise<void> {
    await command(link, "HDEL", this.#keys.counts, incarnation);
  }

  /** Keeps it from expiring. What has expired all the same is to be written. */
  async touch(link: Link): Promise<void> {
    const { members, counts } = this.#keys;
    const isThere = async (key: string) => (await command(link, "PEXPIRE", key, `${MEMBERS_TTL}`)) === 1;
    const [hasMembers, hasCounts] = await Promise.all([isThere(members), isThere(counts)]);
    if ((this.#members.size > 0 && !hasMembers) || (this.#count > 0 && !hasCounts)) this.changeAll();
  }

  async #writeMembers(link: Link, incarnation: string, members: readonly string[]): Promise<void> {
    const args: string[] = [];
    for (const member of members) {
      const field = `${incarnation}/${member}`;
      const info = this.#members.get(member);
      if (info !== undefined) this.#written.add(field);
      args.push(field, info === undefined ? "" : `${field.length}`, info ?? "");
    }
    try {
      await this.#change(link, args);
      // Those that were set again meanwhile are written by the next command.
      for (const member of members) if (!this.#members.has(member)) this.#written.delete(`${incarnation}/${member}`);
    } catch {
      for (const member of members) this.#changed.add(member);
    }
  }

  async #writeCount(link: Link, incarnation: string): Promise<void> {
    this.#isCountChanged = false;
    const { counts } = this.#keys;
    try {
      if (this.#count === 0) return await this.forgetCount(link, incarnation);
      await Promise.all([
        command(link, "HSET", counts, incarnation, `${this.#count}`),
        command(link, "PEXPIRE", counts, `${MEMBERS_TTL}`),
      ]);
    } catch {
      this.#isCountChanged = true;
    }
  }

  async #change(link: Link, args: readonly string[]): Promise<void> {
    await link.ask(this.#scripts.changeMembers, "1", this.#keys.members, this.#keys.channel, ...args);
  }
}

/** Sends a command whose first argument is its key. */
export function command(link: Link, name: string, key: string, ...args: string[]): Promise<unknown> {
  return new Promise((resolve, reject) => link.send(key, [name, key, ...args], resolve, reject));
}

function inParts(all: readonly string[], run: (part: readonly string[]) => Promise<void>): Promise<void>[] {
  const answers: Promise<void>[] = [];
  for (let start = 0; start < all.length; start += CHANGES_PER_SCRIPT) {
    answers.push(run(all.slice(start, start + CHANGES_PER_SCRIPT)));
  }
  return answers;
}
