import type { GGPosition } from "@grest-ts/websocket";
import type { Published } from "../fixtures/nodes/server.js";

/** What was published in a room, as far as its publishers know. */
export class RoomLedger {
  readonly #positions = new Map<string, GGPosition>();
  readonly #at = new Map<string, string[]>();
  readonly #refused = new Set<string>();
  /** How many texts have a position. */
  get size(): number {
    return this.#positions.size;
  }

  /** What a publication came to; a node that has died says nothing. */
  add(results: readonly Published[]): void {
    for (const { text, position, failure } of results) {
      if (failure && !failure.wasSent) this.#refused.add(text);
      if (!position) continue;
      this.#positions.set(text, position);
      const place = placeOf(position.epoch, position.offset);
      this.#at.set(place, [...(this.#at.get(place) ?? []), text]);
    }
  }

  positionOf(text: string): GGPosition | undefined {
    return this.#positions.get(text);
  }

  /** What has a place: a Redis that has gone back in time may give it twice. */
  at(epoch: string, offset: number): readonly string[] {
    return this.#at.get(placeOf(epoch, offset)) ?? [];
  }

  wasRefused(text: string): boolean {
    return this.#refused.has(text);
  }
}

const placeOf = (epoch: string, offset: number) => `${epoch}:${offset}`;

/** What a client's log comes to. */
export interface Verdict {
  /** What it should not have, or lacks, though it was not told of a loss. */
  readonly wrong: readonly string[];
  /**
   * How many texts came before it was told of a loss, though they have a place after it: Redis had lost them before it
   * answered, and they were published again.
   */
  readonly displaced: number;
  /** How many texts came again after it was told of a loss. */
  readonly repeated: number;
}

/** Compares a log of a `ResumingClient` with what was published. */
export function judge(log: readonly string[], ledger: RoomLedger): Verdict {
  const wrong: string[] = [];
  const all = new Set(log);
  const before = new Set<string>();
  let [displaced, repeated] = [0, 0];
  if (log[0] !== "[joined]" || log.indexOf("[joined]", 1) > 0) wrong.push("joined twice, or late");
  for (const { texts, isLost } of partsOf(log)) {
    const own = new Set<string>();
    let latest: GGPosition | undefined;
    const fromElsewhere: string[] = [];
    for (const text of texts) {
      if (own.has(text)) wrong.push(`got ${text} twice`);
      if (before.has(text)) repeated++;
      if (ledger.wasRefused(text)) wrong.push(`got ${text}, which was refused`);
      own.add(text);
      const position = ledger.positionOf(text);
      if (!position) continue;
      const { epoch, offset } = position;
      if (latest && epoch !== latest.epoch) fromElsewhere.push(`${text} is of another epoch`);
      else if (latest && offset <= latest.offset) wrong.push(`${text} is late`);
      else {
        for (let missing = (latest?.offset ?? offset) + 1; missing < offset; missing++) {
          const missed = ledger.at(epoch, missing);
          if (missed.length > 0 && !missed.some((each) => all.has(each)))
            wrong.push(`${missed.join(" or ")} is missing before ${text}`);
        }
        latest = position;
      }
    }
    if (isLost) displaced += fromElsewhere.length;
    else wrong.push(...fromElsewhere);
    for (const text of own) before.add(text);
  }
  return { wrong, displaced, repeated };
}

/** What came from one loss to the next. */
function partsOf(log: readonly string[]): { texts: string[]; isLost: boolean }[] {
  const parts = [{ texts: [] as string[], isLost: false }];
  for (const entry of log) {
    const latest = parts.at(-1)!;
    if (entry === "[lost]") {
      latest.isLost = true;
      parts.push({ texts: [], isLost: false });
    } else if (!entry.startsWith("[")) {
      latest.texts.push(entry);
    }
  }
  return parts;
}
