/** Hues that can be told apart, in degrees. */
const HUES = [20, 55, 90, 125, 155, 185, 215, 245, 275, 305, 330, 355];

/** From one hue to the next that is tried: far from it, and in the end to all of them. */
const STEP = 5;

/** Gives each person a hue: those who are here have different ones, as long as there are enough. */
export class Palette {
  readonly #indexes = new Map<string, number>();
  #present: ReadonlySet<string> = new Set();

  /** Those who are here now. The hue of another person may be given to one who comes. */
  setPresent(userIds: readonly string[]): void {
    this.#present = new Set(userIds);
  }

  hueOf(userId: string): number {
    const known = this.#indexes.get(userId);
    if (known !== undefined && !(this.#present.has(userId) && this.#isTaken(known, userId))) return hueAt(known);
    const wanted = preferred(userId);
    const candidates = HUES.map((_, turn) => (wanted + turn * STEP) % HUES.length);
    const index = candidates.find((candidate) => !this.#isTaken(candidate, userId)) ?? wanted;
    this.#indexes.set(userId, index);
    return hueAt(index);
  }

  /** Whether another one who is here has it. */
  #isTaken(index: number, userId: string): boolean {
    return [...this.#indexes].some(([id, taken]) => taken === index && id !== userId && this.#present.has(id));
  }
}

/** The hue of a person who is alone. */
export const ownHue = (userId: string): number => hueAt(preferred(userId));

function preferred(userId: string): number {
  let hash = 0;
  for (const character of userId) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return hash % HUES.length;
}

function hueAt(index: number): number {
  return HUES[index % HUES.length] ?? 0;
}
