import type { GGInspectedConnection, GGInspectedFrame } from "./types.js";

/** How many frames are kept in all. */
const MAX_KEPT = 100_000;

/** How much is left of these when there are more: to make room is some work. */
const LEFT = 0.9;

interface Kept {
  readonly number: number;
  readonly frame: GGInspectedFrame;
}

/** One connection, and its latest frames. */
class Ring {
  readonly id: string;
  readonly side: GGInspectedFrame["side"];
  readonly since = Date.now();
  closedAt: number | undefined;
  seen = 0;
  #kept: Kept[] = [];
  /** Where the oldest one is, and the next one goes when there is no more room. */
  #oldest = 0;

  constructor(id: string, side: GGInspectedFrame["side"]) {
    this.id = id;
    this.side = side;
  }

  get size(): number {
    return this.#kept.length;
  }

  /** In their order. */
  get kept(): readonly Kept[] {
    return [...this.#kept.slice(this.#oldest), ...this.#kept.slice(0, this.#oldest)];
  }

  /** Keeps one, in place of the oldest one when there are `max`. */
  add(kept: Kept, max: number): void {
    if (this.#kept.length < max) this.#kept.push(kept);
    else if (max > 0) {
      this.#kept[this.#oldest] = kept;
      this.#oldest = (this.#oldest + 1) % max;
    }
  }

  /** Keeps the latest ones only. */
  keepLatest(count: number): void {
    if (this.size <= count) return;
    this.#kept = count > 0 ? this.kept.slice(-count) : [];
    this.#oldest = 0;
  }
}

/** The latest frames of each connection, also of the latest ones that have closed. */
export class Rings {
  readonly #keep: number;
  readonly #keepClosed: number;
  /** How many are kept in all. */
  readonly #max: number;
  readonly #open = new Map<string, Ring>();
  /** Those that have closed, in that order. */
  readonly #closed = new Map<string, Ring>();
  #number = 0;
  /** How many frames are kept. */
  #size = 0;

  constructor(keep = 500, keepClosed = 100, max = MAX_KEPT) {
    this.#keep = keep;
    this.#keepClosed = keepClosed;
    this.#max = max;
  }

  opened(id: string, side: GGInspectedFrame["side"]): void {
    // It may have been seen by another object of the same connection.
    this.#open.set(id, this.#open.get(id) ?? new Ring(id, side));
  }

  closed(id: string): void {
    const ring = this.#open.get(id);
    if (!ring) return;
    ring.closedAt = Date.now();
    this.#open.delete(id);
    this.#forget(id);
    this.#closed.set(id, ring);
    for (const oldest of this.#closed.keys()) {
      if (this.#closed.size <= this.#keepClosed) return;
      this.#forget(oldest);
    }
  }

  /** Counts a frame of a connection that is open. */
  seen(id: string): void {
    const ring = this.#open.get(id);
    if (ring) ring.seen++;
  }

  add(frame: GGInspectedFrame): void {
    const ring = this.#open.get(frame.connection);
    if (!ring) return;
    const before = ring.size;
    ring.add({ number: ++this.#number, frame }, this.#keep);
    this.#size += ring.size - before;
    if (this.#size > this.#max) this.#makeRoom();
  }

  get connections(): GGInspectedConnection[] {
    return this.#all.map(({ id, side, since, closedAt, seen: frames }) => ({
      id,
      side,
      since,
      ...(closedAt !== undefined && { closedAt }),
      frames,
    }));
  }

  recent(id?: string): GGInspectedFrame[] {
    return this.#all
      .filter((ring) => id === undefined || ring.id === id)
      .flatMap(({ kept }) => kept)
      .sort((a, b) => a.number - b.number)
      .map(({ frame }) => frame);
  }

  /** Those that have closed first, and then in the order of their beginning. */
  get #all(): Ring[] {
    return [...this.#closed.values(), ...this.#open.values()];
  }

  #forget(closed: string): void {
    this.#size -= this.#closed.get(closed)?.size ?? 0;
    this.#closed.delete(closed);
  }

  /** Takes from those that have the most, as many as they have more than others; one of each is left where that can be. */
  #makeRoom(): void {
    const all = this.#all;
    const left = Math.floor(this.#max * LEFT);
    const sizes = all.map(({ size }) => size).sort((a, b) => a - b);
    const most = Math.max(1, levelOf(sizes, left));
    const keepLatest = (ring: Ring, count: number) => {
      this.#size -= ring.size;
      ring.keepLatest(count);
      this.#size += ring.size;
    };
    for (const ring of all) keepLatest(ring, most);
    for (const ring of all) if (this.#size > left) keepLatest(ring, 0);
  }
}

/** How many each may have at most, so that there are no more than `total` in all; the sizes are given in their order. */
function levelOf(sizes: readonly number[], total: number): number {
  let left = total;
  for (const [index, size] of sizes.entries()) {
    const share = Math.floor(left / (sizes.length - index));
    if (size > share) return share;
    left -= size;
  }
  return Number.POSITIVE_INFINITY;
}
