import type { GGInspectedConnection, GGInspectedFrame } from "./types.js";

/** How many frames are kept in all, and of each connection in any case. */
const MAX_KEPT = 100_000;
const MIN_KEPT = 10;

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
  /** How many of these, from the start, are not kept any more: they are removed now and then, many at once. */
  #dropped = 0;

  constructor(id: string, side: GGInspectedFrame["side"]) {
    this.id = id;
    this.side = side;
  }

  add(kept: Kept, max: number): void {
    if (max > 0) this.#kept.push(kept);
    this.#dropped = Math.max(this.#dropped, this.#kept.length - max);
    if (this.#dropped < max || this.#dropped === 0) return;
    this.#kept = this.#kept.slice(this.#dropped);
    this.#dropped = 0;
  }

  get kept(): readonly Kept[] {
    return this.#kept.slice(this.#dropped);
  }
}

/** The latest frames of each connection, also of the latest ones that have closed. */
export class Rings {
  readonly #keep: number;
  readonly #keepClosed: number;
  readonly #open = new Map<string, Ring>();
  /** Those that have closed, in that order. */
  readonly #closed = new Map<string, Ring>();
  #number = 0;

  constructor(keep = 500, keepClosed = 100) {
    this.#keep = keep;
    this.#keepClosed = keepClosed;
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
    this.#closed.set(id, ring);
    while (this.#closed.size > this.#keepClosed) this.#closed.delete([...this.#closed.keys()][0] as string);
  }

  /** Counts a frame of a connection that is open. */
  seen(id: string): void {
    const ring = this.#open.get(id);
    if (ring) ring.seen++;
  }

  add(frame: GGInspectedFrame): void {
    const { size } = this.#open;
    const share = Math.max(MIN_KEPT, Math.floor(MAX_KEPT / (size + this.#closed.size)));
    this.#open.get(frame.connection)?.add({ number: ++this.#number, frame }, Math.min(this.#keep, share));
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

  get #all(): Ring[] {
    return [...this.#closed.values(), ...this.#open.values()];
  }
}
