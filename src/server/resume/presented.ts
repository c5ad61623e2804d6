import type { GGPosition } from "../../api/bus.js";
import { setDeadline } from "../../connection/deadlines.js";
import type { PresentedPosition } from "../../protocol/resume.js";

/** How long the program may take to make a client a member again, in ms. Positions that it has not used by then are dropped. */
const CLAIM_TIMEOUT = 60_000;

/** The positions that a client has brought from its earlier connections. Each can be taken once. */
export class PresentedPositions {
  readonly #positions: Map<string, GGPosition>;
  #cancelDrop = () => {};

  constructor(at: readonly PresentedPosition[]) {
    this.#positions = new Map(at.map(([group, epoch, offset]) => [group, { epoch, offset }]));
    if (at.length > 0) this.#cancelDrop = setDeadline(CLAIM_TIMEOUT, () => this.#positions.clear());
  }

  has(group: string): boolean {
    return this.#positions.has(group);
  }

  take(group: string): GGPosition | undefined {
    const position = this.#positions.get(group);
    this.#positions.delete(group);
    if (this.#positions.size === 0) this.#cancelDrop();
    return position;
  }

  /** The connection has closed. */
  drop(): void {
    this.#cancelDrop();
    this.#positions.clear();
  }
}
