import { expect } from "vitest";
import type { Room } from "../fixtures/nodes/api.js";
import { eventually } from "./eventually.js";
import { RawPeer } from "./rawPeer.js";

/** What a member writes into its log where messages are lost. */
export const LOST = "LOST";

/** What a `g` frame says. */
export interface GroupFrame {
  readonly group?: string;
  readonly epoch: string;
  readonly offset: number;
  readonly recovered?: boolean;
  readonly missed?: number;
}

/** What a raw client presents of its earlier connections. */
export interface Presented {
  readonly session: string;
  readonly serial: number;
  readonly at: readonly (readonly [group: string, epoch: string, offset: number])[];
}

/** A raw connection that keeps what it gets, and holds its server to the order of each group. */
export class Member {
  /** The texts in their order, and `LOST`. A text that is not the next of its group has "GAP" before it. */
  readonly log: string[] = [];
  /** What it was told of its groups. */
  readonly groups: GroupFrame[] = [];
  /** All that came, in its order. */
  readonly frames: string[] = [];
  /** Where it is, by alias. */
  readonly #offsets = new Map<string, number>();
  readonly #answers: ((answer: string) => void)[] = [];

  private constructor(readonly peer: RawPeer) {
    peer.ws.on("message", (data) => this.#take(String(data)));
  }

  /** Connects with the capability to resume, or with `"nothing"` as a client of 0.0.39. */
  static async connect(
    url: string,
    headers: Record<string, string>,
    presented: Presented | "nothing" = { session: "", serial: 0, at: [] },
  ): Promise<Member> {
    const peer = await RawPeer.open(url);
    const member = new Member(peer);
    // What follows the answer may come with it.
    const answer = new Promise<string>((resolve) => member.#answers.push(resolve));
    const isPlain = presented === "nothing";
    const resuming = isPlain ? {} : { "ws-capabilities": "resume", "ws-resume": JSON.stringify(presented) };
    peer.send(`h:::${JSON.stringify({ ...headers, ...resuming })}`);
    expect(await answer).toMatch(isPlain ? /^k:::null$/ : /^k:::\{"ws-capabilities":"resume=\d+"\}$/);
    return member;
  }

  /** Returns whether messages of other nodes reach it. */
  async join(room: Room): Promise<boolean> {
    const answer = new Promise<string>((resolve) => this.#answers.push(resolve));
    this.peer.send(`r:Nodes.join:1:${JSON.stringify(room)}`);
    return JSON.parse((await answer).replace(/^s:Nodes.join:1:/, "")).data.isLive;
  }

  /** Waits until it has got exactly these. */
  async got(...log: readonly string[]): Promise<void> {
    await eventually(() => expect(this.log.length).toBeGreaterThanOrEqual(log.length));
    expect(this.log).toEqual(log);
  }

  #take(frame: string): void {
    this.frames.push(frame);
    const message = /^m:Nodes\.news:(?:([^.:]+)\.(\d+))?:(.*)$/s.exec(frame);
    const group = /^g::([^:]*):(.*)$/s.exec(frame);
    if (message) {
      const [, alias, offset, text = ""] = message;
      if (alias) this.#advance(alias, Number(offset));
      this.log.push(JSON.parse(text));
    } else if (group) {
      const [, alias = "", payload = ""] = group;
      const to: GroupFrame | number | undefined = payload ? JSON.parse(payload) : undefined;
      if (typeof to === "number") return this.#advance(alias, to);
      if (!to) return void this.#offsets.delete(alias);
      this.#offsets.set(alias, to.offset);
      this.groups.push(to);
      if (to.recovered === false) this.log.push(LOST);
    } else {
      this.#answers.shift()?.(frame);
    }
  }

  #advance(alias: string, offset: number): void {
    if (offset !== (this.#offsets.get(alias) ?? Number.NaN) + 1) this.log.push("GAP");
    this.#offsets.set(alias, offset);
  }
}
