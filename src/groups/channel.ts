import type { GGBusMessage, GGBusRead, GGHistory, GGPosition } from "../api/bus.js";
import { FormerMessages } from "./formerMessages.js";
import { HeldMessages, type PositionedMessage } from "./heldMessages.js";
import { Ring } from "./ring.js";

/** How many epochs that ended are remembered. */
const MAX_ENDED = 8;

/** Takes what a channel delivers. Its functions must not throw. */
export interface ChannelListener {
  /** A message, in order, without hole or double between two `onLost`. It has no position when it is not kept. */
  onDelivered(message: GGBusMessage): void;
  /** A message that is kept, but has no place in the order: it belongs to a history that ends, or came before the first answer. */
  onDisplaced(message: GGBusMessage): void;
  /**
   * The next message in the order is one that was delivered before messages were lost, `losses` times since: it was published
   * again. They are 0 for one that was displaced by the first answer.
   */
  onRepeated(message: GGBusMessage, losses: number): void;
  /** The first answer has come: positions count from here. */
  onBegun(): void;
  /** Messages are lost, or the history has begun anew: positions count from here. */
  onLost(position: GGPosition): void;
}

/** An offset that no epoch has: reading after it ends the epoch. */
const AHEAD_OF_ALL = Number.MAX_SAFE_INTEGER;

type Doubt =
  /** Something is missing before what has come. It may still come by itself. */
  | "hole"
  /** Anything may be missing: what comes waits for the answer. */
  | "interrupted"
  /** The latest message that was delivered has expired: nothing can be compared with it. */
  | "expired"
  /** An epoch has two histories, or is there again after another: it has to end. */
  | "forked"
  /** The bus has another epoch, which is to be read from its beginning. */
  | "new epoch";

/** Why and what to read. */
interface Need {
  readonly doubt: Doubt;
  readonly after: GGPosition;
  /** The highest offset of each epoch that the bus is known to have had when the need arose. */
  readonly evidence: ReadonlyMap<string, number>;
}

/**
 * One channel on one node: makes one order without hole and double of what a bus passes, or says that it cannot. It does not
 * read by itself: while there is `missing`, its owner has to read the bus after that position, at least one message more
 * than the history has, and to give the answer to `takeRead`; one read at a time.
 *
 * A bus that has gone back in time gives its offsets a second time, to other publications (`from`). So each read begins one
 * message early, with one that was delivered: if another is there now, or an offset is gone that was there, the epoch has
 * two histories. So has one that was left and is there again. It is ended for all nodes by a read that is ahead of
 * everything: the bus then begins another.
 */
export class Channel {
  readonly #size: number;
  readonly #ttlMs: number;
  readonly #now: () => number;
  readonly #listener: ChannelListener;
  readonly #held = new HeldMessages();
  /** What was delivered. There is none before the first read. */
  #ring: Ring | undefined;
  #position: GGPosition | undefined;
  #need: Need | undefined;
  /** The epochs that it has left, the latest last. */
  readonly #ended: string[] = [];
  /** What is repeated when it is published again. */
  readonly #former: FormerMessages;
  #losses = 0;
  /** When the latest message came: the bus forgets all that it keeps together, some time after that. */
  #latestAt = 0;
  /** The offset up to which the ring has messages that are older than the bus keeps them. */
  #forgottenUpTo = 0;
  /** Whether the ring has all that the bus keeps, as far as there is room. */
  #isFilled = false;
  /** What comes while the listener is called. */
  readonly #queue: GGBusMessage[] = [];
  #isBusy = false;

  /** Keeps what the history says for `since`, at least one message. `now` is a clock in ms that is never set. */
  constructor({ size, ttlMs }: GGHistory, listener: ChannelListener, now: () => number = () => performance.now()) {
    this.#size = Math.max(size, 1);
    this.#ttlMs = ttlMs;
    this.#listener = listener;
    this.#now = now;
    this.#former = new FormerMessages(this.#size);
    this.#ask("interrupted");
  }

  /** Everything up to here is delivered; `undefined` until the first read. */
  get position(): GGPosition | undefined {
    const ring = this.#ring;
    if (!ring) return undefined;
    if (this.#position?.offset !== ring.top || this.#position.epoch !== ring.epoch)
      this.#position = { epoch: ring.epoch, offset: ring.top };
    return this.#position;
  }

  /** The position to read the bus after; `undefined` when nothing is missing. */
  get missing(): GGPosition | undefined {
    return this.#need?.after;
  }

  /** Takes a message of the bus. */
  receive(message: GGBusMessage): void {
    this.#queue.push(message);
    this.#takeQueued();
  }

  /**
   * Takes what the bus has answered to a read after `missing`, which has to be the same object. `missing` may be there again
   * afterwards; when it has changed during the read, it stays.
   */
  takeRead(after: GGPosition, read: GGBusRead): void {
    const { epoch, offset } = read.top;
    const need = this.#need;
    const current = need?.after === after ? need : undefined;
    if (current) this.#need = undefined;
    const hasGoneBack = (current?.evidence.get(epoch) ?? 0) > offset;
    const ring = this.#ring;
    this.#isBusy = true;
    try {
      if (!ring) this.#begin(read);
      else if (epoch !== ring.epoch) this.#leaveEpoch(ring, after, read);
      else if (current) this.#catchUp(ring, current, hasGoneBack, read);
      else this.#takeMissed(ring, read);
      if (hasGoneBack && epoch !== ring?.epoch) this.#forget(epoch);
      // The bus has other epochs no more.
      for (const held of current?.evidence.keys() ?? [])
        if (held !== epoch && held !== this.#ring?.epoch) this.#held.drop(held);
      if (!current && need && need === this.#need && need.doubt !== "hole") this.requireRead();
      this.#dropDelivered();
      this.#settle();
    } catch (thrown) {
      this.#need ??= current;
      throw thrown;
    } finally {
      this.#isBusy = false;
      this.#takeQueued();
    }
  }

  /** Messages may be missing, for example after an interruption. */
  requireRead(): void {
    const { doubt, after } = this.#need ?? {};
    if (doubt === "forked" || doubt === "new epoch") this.#ask(doubt, after?.epoch);
    else this.#ask("interrupted");
  }

  /**
   * All messages after a position, which count as delivered; `undefined` when they are not all there, the bus has forgotten
   * them, or there is no such position.
   */
  since(after: GGPosition): readonly GGBusMessage[] | undefined {
    const ring = this.#ring;
    if (ring?.epoch !== after.epoch) return undefined;
    if (after.offset < (this.#isExpired ? ring.top : this.#forgottenUpTo)) return undefined;
    const messages = ring.since(after.offset);
    if (messages) ring.markDelivered(after.offset);
    return messages;
  }

  /** Whether a read of the latest messages would add to what `since` knows. */
  get canBeFilled(): boolean {
    const ring = this.#ring;
    if (this.#isFilled || !ring || this.#isExpired) return false;
    return Math.min(ring.length, ring.top - this.#forgottenUpTo) < this.#size;
  }

  /** Whether everything up to a position is delivered. */
  hasReached({ epoch, offset }: GGPosition): boolean {
    return this.#ring?.epoch === epoch && this.#ring.top >= offset;
  }

  /** The position to read the bus after, for `compare`. */
  get comparable(): GGPosition | undefined {
    return this.#ring && { epoch: this.#ring.epoch, offset: offsetBefore(this.#ring) };
  }

  /**
   * Compares what the bus has answered, read at a position of this channel, with what was delivered, and returns whether they
   * agree. When they do not, something is `missing`. It may be ahead: what it has more may be under way.
   */
  compare(readAt: GGPosition, { top, missed = [] }: GGBusRead): boolean {
    const ring = this.#ring;
    // It has left that epoch meanwhile.
    if (readAt.epoch !== ring?.epoch) return false;
    if (top.epoch !== readAt.epoch || top.offset < readAt.offset) this.requireRead();
    else if (missed.some((message) => ring.contradicts(message))) this.#fork();
    else return true;
    return false;
  }

  /** Does the same with the latest messages of the bus, and adds them to what `since` knows. */
  fill(readAt: GGPosition, read: GGBusRead): void {
    const { top, missed = [] } = read;
    const ring = this.#ring;
    const isAgreed = this.compare(readAt, read);
    // Messages were lost meanwhile: they belong to what was before.
    if (!ring || readAt.epoch !== ring.epoch || readAt.offset < ring.top - ring.length) return;
    this.#isFilled = true;
    if (!isAgreed) return;
    const oldest = ring.top - ring.length + 1;
    const first = top.offset - missed.length + 1;
    ring.prepend(missed.slice(0, Math.max(oldest - first, 0)));
    this.#forgottenUpTo = Math.min(this.#forgottenUpTo, first - 1);
  }

  #takeQueued(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      for (let message = this.#queue.shift(); message; message = this.#queue.shift()) this.#take(message);
    } finally {
      this.#isBusy = false;
    }
  }

  #take(message: GGBusMessage): void {
    if (!message.position) return this.#listener.onDelivered(message);
    const { epoch, offset } = message.position;
    const ring = this.#ring;
    if (ring?.epoch === epoch) {
      if (offset === ring.top + 1 && !this.#need) return this.#deliver(ring, message);
      if (offset <= ring.top && !ring.contradicts(message)) return;
    }
    const held = this.#held.add(message as PositionedMessage);
    if (ring?.epoch === epoch && (offset <= ring.top || held.from !== message.from)) this.#fork();
    if (this.#held.isOverfull) {
      this.#held.clear();
      this.requireRead();
    }
    this.#settle();
  }

  /** `isUnbroken` when the bus still had what was delivered before it. */
  #deliver(ring: Ring, message: GGBusMessage, isUnbroken = false): void {
    if (!isUnbroken && ring.length > 0 && this.#isExpired) {
      this.#forgottenUpTo = ring.top;
      // It may have come late: the bus knows.
      this.#isFilled = false;
    }
    this.#latestAt = this.#now();
    ring.push(message.body, message.from);
    const before = this.#former.lossesBefore(message.from);
    this.#former.advance();
    if (before === undefined) this.#listener.onDelivered(message);
    else this.#listener.onRepeated(message, this.#losses - before);
  }

  /** Drops what is held and was delivered from an answer. */
  #dropDelivered(): void {
    const ring = this.#ring!;
    const others = this.#held.takeUpTo(ring.epoch, ring.top).filter((held) => ring.contradicts(held));
    for (const message of others) this.#held.add(message);
    if (others.length > 0) this.#fork();
  }

  /** Delivers what is held and follows, and finds out what is missing before the rest. */
  #settle(): void {
    const ring = this.#ring;
    if (!ring || (this.#need && this.#need.doubt !== "hole")) return;
    for (let next = this.#held.take(ring.epoch, ring.top + 1); next; next = this.#held.take(ring.epoch, ring.top + 1))
      this.#deliver(ring, next);
    if (this.#held.isEmpty) this.#need = undefined;
    else if (this.#need?.after.offset !== offsetBefore(ring)) this.#ask("hole");
  }

  /** The first answer. What came since the subscription began is not missed, though the bus had it before it answered. */
  #begin({ top, missed }: GGBusRead): void {
    this.#deliverHeld(this.#held.takeUpTo(top.epoch, top.offset));
    this.#ring = this.#newRing(top);
    this.#ring.prepend(missed ?? []);
    this.#isFilled = missed !== undefined || top.offset === 0;
    this.#listener.onBegun();
  }

  /** An answer in the same epoch to the latest need. */
  #catchUp(ring: Ring, { doubt, after }: Need, hasGoneBack: boolean, read: GGBusRead): void {
    const { top } = read;
    // The other epoch is gone again.
    if (after.epoch !== ring.epoch) return this.#ask("interrupted");
    // It does not begin another epoch.
    if (doubt === "forked") return this.#lose(ring, top, Number.POSITIVE_INFINITY);
    if (hasGoneBack) return this.#fork();
    this.#takeMissed(ring, read);
    if (ring.top >= top.offset || this.#need) return;
    // All that is kept expires together: had the bus gone back, what it has published again since then would be there.
    if (doubt !== "expired" && top.offset - ring.top < this.#size) this.#ask("expired");
    else this.#lose(ring, top, top.offset);
  }

  #takeMissed(ring: Ring, { top, missed = [] }: GGBusRead): void {
    if (this.#need && this.#need.doubt !== "hole" && this.#need.doubt !== "interrupted") return;
    let offset = top.offset - missed.length;
    const isUnbroken = offset < ring.top;
    for (const message of missed) {
      offset++;
      if (offset === ring.top + 1) this.#deliver(ring, message, isUnbroken);
      else if (offset === ring.top && ring.length === 0) ring.prepend([message]);
      else if (ring.contradicts(message)) return this.#fork();
    }
  }

  /** The bus has another epoch. */
  #leaveEpoch(ring: Ring, after: GGPosition, read: GGBusRead): void {
    const { top, missed } = read;
    const asked = after.epoch === top.epoch ? after.offset : undefined;
    if (this.#ended.includes(top.epoch) && asked !== AHEAD_OF_ALL) return this.#ask("forked", top.epoch);
    if (top.offset > 0 && asked === undefined) return this.#ask("new epoch", top.epoch);
    this.#lose(ring, top.offset === 0 || missed ? { ...top, offset: 0 } : top, Number.POSITIVE_INFINITY, missed);
    if (this.#need) this.#ask("interrupted");
    this.#takeMissed(this.#ring!, read);
  }

  /** Goes on after a position. What has come before it will not come again: it is delivered. */
  #lose(ring: Ring, position: GGPosition, heldUpTo: number, missed: readonly GGBusMessage[] = []): void {
    const coming = new Set(missed.map(({ from }) => from));
    const held = [
      ...this.#held.takeUpTo(ring.epoch, heldUpTo),
      ...this.#held.takeUpTo(position.epoch, position.offset),
    ].filter(({ from }) => !coming.has(from));
    this.#former.add(ring.froms, this.#losses);
    this.#deliverHeld(held);
    if (position.epoch !== ring.epoch && this.#ended.push(ring.epoch) > MAX_ENDED) this.#ended.shift();
    this.#ring = this.#newRing(position);
    this.#isFilled = position.offset === 0;
    this.#losses++;
    this.#listener.onLost(position);
  }

  /** A ring that goes on after a position. What the bus has before that may be as new as this answer. */
  #newRing({ epoch, offset }: GGPosition): Ring {
    this.#latestAt = this.#now();
    this.#forgottenUpTo = 0;
    return new Ring(this.#size, epoch, offset);
  }

  /** Whether the bus has forgotten all that was delivered. */
  get #isExpired(): boolean {
    return this.#now() - this.#latestAt >= this.#ttlMs;
  }

  /** Delivers messages that have no place in the order any more, each once. */
  #deliverHeld(held: readonly GGBusMessage[]): void {
    for (const { body, from } of held) {
      if (this.#former.lossesBefore(from) !== undefined) continue;
      this.#former.add([from], this.#losses);
      this.#listener.onDisplaced({ body, from });
    }
  }

  /** Does without what is held of an epoch: a part of it is not in the history any more. */
  #forget(epoch: string): void {
    this.#held.drop(epoch);
    if (!this.#need) this.#ask("interrupted");
  }

  #fork(): void {
    if (this.#need?.doubt !== "new epoch" && this.#need?.doubt !== "forked") this.#ask("forked");
  }

  /** Asks for a read, of the epoch that it knows if no other is given. */
  #ask(doubt: Doubt, epoch = this.#ring?.epoch ?? ""): void {
    const ring = this.#ring;
    const evidence = this.#held.highestOffsets();
    if (ring) evidence.set(ring.epoch, Math.max(ring.top, evidence.get(ring.epoch) ?? 0));
    const offset = doubt === "new epoch" || !ring ? 0 : offsetToAsk(ring, doubt);
    this.#need = { doubt, after: { epoch, offset }, evidence };
  }
}

function offsetToAsk(ring: Ring, doubt: Doubt): number {
  if (doubt === "forked") return AHEAD_OF_ALL;
  return doubt === "expired" ? ring.top : offsetBefore(ring);
}

/** The offset before the latest message, so that it is read too. */
const offsetBefore = (ring: Ring): number => Math.max(ring.top - 1, 0);
