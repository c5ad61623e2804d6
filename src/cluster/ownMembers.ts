import type { Request } from "./frames.js";

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

  /** What sets all of it anew. */
  requests(node: string): readonly Request[] {
    const members = [...this.#members].flatMap(([channel, ofChannel]) =>
      [...ofChannel].map(([member, info]) => ({ op: "member", node, channel, member, info }) as const),
    );
    return [
      ...members,
      ...[...this.#counts].map(([channel, count]) => ({ op: "setCount", node, channel, count }) as const),
    ];
  }
}
