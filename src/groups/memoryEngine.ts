import { randomBytes } from "node:crypto";
import type { GGBusMessage, GGBusRead, GGMembersChange, GGPosition, GGPublishOptions } from "../api/bus.js";
import { Ring } from "./ring.js";

/** A node of a `MemoryEngine`. Its functions must not throw. */
export interface EngineNode {
  /** Names it among all nodes. */
  readonly id: string;
  /** A message of a channel that it is subscribed to. */
  onMessage(channel: string, message: GGBusMessage): void;
  /** The members of a channel that it is subscribed to have changed. */
  onMembers(channel: string, change?: GGMembersChange): void;
}

/** What is known of a channel. */
interface ChannelState {
  readonly name: string;
  readonly subscribers: Set<EngineNode>;
  /** What is kept; there is none before the first message that is kept, or read. */
  ring: Ring | undefined;
  /** When what is kept expires; where nothing is, when the epoch was last used. */
  expiresAt: number;
  readonly members: Map<EngineNode, Map<string, string>>;
  readonly counts: Map<EngineNode, number>;
  membersVersion: number;
}

/** How long the position of a channel is remembered after its messages have expired, in ms. */
const POSITION_TTL_MS = 24 * 60 * 60 * 1_000;

/** Names for nodes and epochs. */
export const randomName = (): string => randomBytes(9).toString("base64url");

/**
 * The engine of buses that need none outside: it lives in one process, and what it keeps ends with that.
 *
 * Nothing has a timer. Messages that have expired are never read, and are released as the engine is used: whatever adds to
 * it looks at two channels, one after another, so that it holds little more than what is in use. A channel without
 * subscribers and members is forgotten a day after its messages have expired, or, where there are none, after the latest
 * read.
 */
export class MemoryEngine {
  readonly #now: () => number;
  readonly #channels = new Map<string, ChannelState>();
  #sweep = this.#channels.values();
  readonly #deliveries: (() => void)[] = [];
  #isDelivering = false;

  /** `now` is a clock in ms that is never set. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** How many channels it remembers. */
  get channels(): number {
    return this.#channels.size;
  }

  /** Has passed the message to all subscribers when it returns, unless it is called while another is passed. */
  publish(
    channel: string,
    body: string,
    from: string,
    { history, known }: GGPublishOptions = {},
  ): GGPosition | undefined {
    const state = history ? this.#open(channel) : this.#channels.get(channel);
    if (!state) return undefined;
    let position: GGPosition | undefined;
    if (history) {
      const ring = this.#ringFor(state, history.size, known);
      ring.push(body, from);
      state.expiresAt = this.#now() + history.ttlMs;
      position = { epoch: ring.epoch, offset: ring.top };
    }
    const message = { body, from, position };
    this.#deliver(() => {
      for (const node of state.subscribers) node.onMessage(channel, message);
    });
    return position;
  }

  /** What is kept after a position, or the latest for one that is empty. One that is ahead of everything begins an epoch, and so does the first read. */
  read(channel: string, after: GGPosition, limit: number): GGBusRead {
    const ring = this.#ringFor(this.#open(channel), 0, after);
    const top = { epoch: ring.epoch, offset: ring.top };
    if (after.epoch === "") return { top, missed: limit > 0 ? ring.latest(limit) : undefined };
    return { top, missed: after.epoch === ring.epoch ? ring.since(after.offset, limit) : undefined };
  }

  subscribe(node: EngineNode, channel: string): void {
    this.#open(channel).subscribers.add(node);
  }

  unsubscribe(node: EngineNode, channel: string): void {
    this.#channels.get(channel)?.subscribers.delete(node);
  }

  /** Sets what is known of a member; `undefined` removes it. */
  setMember(node: EngineNode, channel: string, member: string, info: string | undefined): void {
    const state = this.#open(channel);
    const members = state.members.get(node) ?? new Map<string, string>();
    if (members.get(member) === info) return;
    if (info === undefined) members.delete(member);
    else members.set(member, info);
    if (members.size > 0) state.members.set(node, members);
    else state.members.delete(node);
    const change = { version: ++state.membersVersion, member: memberName(node, member), info };
    this.#deliver(() => {
      for (const subscriber of state.subscribers) subscriber.onMembers(channel, change);
    });
  }

  setCount(node: EngineNode, channel: string, count: number): void {
    const { counts } = this.#open(channel);
    if (count > 0) counts.set(node, count);
    else counts.delete(node);
  }

  list(channel: string): { version: number; members: ReadonlyMap<string, string> } {
    const { members = new Map<EngineNode, Map<string, string>>(), membersVersion = 0 } =
      this.#channels.get(channel) ?? {};
    const named = [...members].flatMap(([node, own]) =>
      [...own].map(([member, info]) => [memberName(node, member), info] as const),
    );
    return { version: membersVersion, members: new Map(named) };
  }

  count(channel: string): number {
    return [...(this.#channels.get(channel)?.counts.values() ?? [])].reduce((sum, count) => sum + count, 0);
  }

  /** Removes a node and all that is known of it. */
  detach(node: EngineNode): void {
    for (const state of this.#channels.values()) {
      state.subscribers.delete(node);
      state.counts.delete(node);
      if (!state.members.delete(node)) continue;
      state.membersVersion++;
      this.#deliver(() => {
        for (const subscriber of state.subscribers) subscriber.onMembers(state.name);
      });
    }
  }

  /** One after another: what is published in a callback comes second at all subscribers. */
  #deliver(delivery: () => void): void {
    this.#deliveries.push(delivery);
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    try {
      for (const next of this.#deliveries) next();
    } finally {
      this.#deliveries.length = 0;
      this.#isDelivering = false;
    }
  }

  /** What is kept of a channel, with room for `size` messages, and one more to compare with. */
  #ringFor(state: ChannelState, size: number, known: GGPosition | undefined): Ring {
    let ring = state.ring;
    if (!ring || (known?.epoch === ring.epoch && known.offset > ring.top)) ring = new Ring(size + 1, randomName(), 0);
    else if (this.#now() >= state.expiresAt && ring.length > 0) ring = new Ring(ring.size, ring.epoch, ring.top);
    if (ring.length === 0) state.expiresAt = this.#now();
    if (size > 0 && ring.size !== size + 1) ring = ring.resized(size + 1);
    state.ring = ring;
    return ring;
  }

  #open(channel: string): ChannelState {
    this.#release();
    this.#release();
    let state = this.#channels.get(channel);
    if (!state) {
      const members = { members: new Map(), counts: new Map(), membersVersion: 0 };
      state = { name: channel, subscribers: new Set(), ring: undefined, expiresAt: 0, ...members };
      this.#channels.set(channel, state);
    }
    return state;
  }

  /** Releases what the next channel does not need any more. */
  #release(): void {
    const { value: state } = this.#sweep.next();
    if (!state) {
      this.#sweep = this.#channels.values();
      return;
    }
    const { ring } = state;
    const expiredFor = ring ? this.#now() - state.expiresAt : Number.POSITIVE_INFINITY;
    if (ring && expiredFor >= 0 && ring.length > 0) state.ring = new Ring(ring.size, ring.epoch, ring.top);
    if (expiredFor < POSITION_TTL_MS || state.subscribers.size + state.members.size + state.counts.size > 0) return;
    this.#channels.delete(state.name);
  }
}

const memberName = ({ id }: EngineNode, member: string): string => `${id}/${member}`;
