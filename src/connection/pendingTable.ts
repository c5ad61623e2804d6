/** What is looked up by its number: each has a higher one than those before. */
interface Numbered {
  readonly id: number;
}

/** The shortest ring, and the longest that is kept when little is pending. */
const MIN_SLOTS = 8;
const MAX_IDLE_SLOTS = 1_024;

/** Shared by all tables that nothing was added to: it never grows. */
const NO_SLOTS: never[] = [];

/**
 * What is pending, by number: a `Map` as far as that is needed. A ring, and a map for what is still pending when the ring comes round. A map alone would be
 * rebuilt again and again as entries come and go; each of its tables leads to the next, and so, once the garbage collector
 * has promoted one, keeps everything alive that was ever in a later one, until the next full collection.
 */
export class PendingTable<T extends Numbered> {
  /** The value of a number is in the slot of its lowest bits. The length is a power of two. */
  #slots: (T | undefined)[] = NO_SLOTS;
  /** Those that others have overtaken. */
  #late: Map<number, T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): T | undefined {
    const value = this.#slots[this.#slotOf(id)];
    return value?.id === id ? value : this.#late?.get(id);
  }

  /** Adds a value of a new number. */
  set(_id: number, value: T): void {
    // Half of it stays free, so that few are overtaken.
    if (2 * ++this.#size > this.#slots.length) this.#resize(2 * this.#slots.length || MIN_SLOTS);
    this.#place(value);
  }

  /** Removes a value; returns whether it was there. */
  delete(id: number): boolean {
    const slot = this.#slotOf(id);
    const value = this.#slots[slot];
    if (value && value.id === id) this.#slots[slot] = undefined;
    else if (!this.#late?.delete(id)) return false;
    this.#size--;
    const { length } = this.#slots;
    if (length > MAX_IDLE_SLOTS && 16 * this.#size < length) this.#resize(length / 4);
    return true;
  }

  /** All of them, in order. */
  values(): T[] {
    const values = [...this.#slots, ...(this.#late?.values() ?? [])].filter((value) => value !== undefined);
    return values.sort((a, b) => a.id - b.id);
  }

  #slotOf(id: number): number {
    return id & (this.#slots.length - 1);
  }

  #place(value: T): void {
    const slot = this.#slotOf(value.id);
    const other = this.#slots[slot];
    const isLate = other && other.id > value.id;
    if (other) {
      const earlier = isLate ? value : other;
      this.#late ??= new Map();
      this.#late.set(earlier.id, earlier);
    }
    if (!isLate) this.#slots[slot] = value;
  }

  #resize(length: number): void {
    const before = this.#slots;
    this.#slots = new Array(length).fill(undefined);
    for (const value of before) if (value) this.#place(value);
  }
}
