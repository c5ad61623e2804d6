/** What a node has set of its members, to be restored. */
export class OwnMembers {
  readonly #members = new Map<string, Map<string, string>>();
  readonly #counts = new Map<string, number>();

  set(channel: string, member: string, info: string | undefined): void {
    const members = this.#members.get(channel) ?? new Map<string, string>();
    if (info === undefined) members.delete(member);
    else members.set(member, info);
    if (members.size > 0) this.#members.set(channel, members);
    else this.#members.delete(channel);
  }

  setCount(channel: string, count: number): void {
    if (count > 0) this.#counts.set(channel, count);
    else this.#counts.delete(channel);
  }

  /** Channel, member and information of each. */
  get members(): readonly (readonly [string, string, string])[] {
    return [...this.#members].flatMap(([channel, members]) =>
      [...members].map(([member, info]) => [channel, member, info] as const),
    );
  }

  /** How many connections there are in each channel that has some. */
  get counts(): Iterable<readonly [string, number]> {
    return this.#counts;
  }
}
