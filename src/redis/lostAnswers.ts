import type { GGHistory, GGPosition } from "../api/bus.js";
import type { ChannelKeys } from "./keys.js";
import type { Link } from "./link.js";
import { failureKind } from "./replies.js";
import type { Scripts } from "./scripts.js";

/** How many messages of a channel are looked at, at most. */
const MOST_LOOKED_AT = 10_000;

/** How many messages Redis keeps beyond the size of a history, since it drops them in blocks. */
const TRIMMED_LATE = 100;

/** A message whose answer was lost. */
export interface LostPublication {
  /** The node and the number. */
  readonly from: string;
  readonly number: number;
  readonly keys: ChannelKeys;
  readonly options: { readonly history: GGHistory; readonly known?: GGPosition | undefined };
}

/** What has become of a message: its position; or it was published and dropped since; or it was not published; or either. */
export type Found = GGPosition | "published" | "absent" | "unknown";

/**
 * Finds what has become of messages of this node. The connections that they were sent on have ended, so that no more come.
 * One read for each channel; what Redis refuses to say is left out.
 */
export async function findPublished<T extends LostPublication>(
  link: Link,
  scripts: Scripts,
  node: string,
  lost: readonly T[],
): Promise<ReadonlyMap<T, Found>> {
  const byStream = new Map<string, T[]>();
  for (const publication of lost) {
    const others = byStream.get(publication.keys.stream);
    if (others) others.push(publication);
    else byStream.set(publication.keys.stream, [publication]);
  }
  const all = new Map<T, Found>();
  await Promise.all([...byStream.values()].map((ofChannel) => findInChannel(link, scripts, node, ofChannel, all)));
  return all;
}

async function findInChannel<T extends LostPublication>(
  link: Link,
  scripts: Scripts,
  node: string,
  lost: readonly T[],
  all: Map<T, Found>,
): Promise<void> {
  const { meta, stream } = lost[0]!.keys;
  const size = lost.reduce((most, { options }) => Math.max(most, options.history.size), 0);
  const count = Math.min(Math.ceil(size) + TRIMMED_LATE, MOST_LOOKED_AT);
  const after = earliestOf(lost);
  let reply: unknown;
  try {
    const args = [meta, stream, `${node}.`, `${count}`, after?.epoch ?? "", `${after?.offset ?? 0}`];
    reply = await link.ask(scripts.findOwn, "2", ...args);
  } catch (error) {
    // It will refuse them again, each for itself.
    if (failureKind(error) === "refused") return;
    throw error;
  }
  const [epoch, lowest, ...found] = reply as [string, number, ...(string | number)[]];
  const offsets = new Map<number, number>();
  let [earliest, latest] = [Number.POSITIVE_INFINITY, 0];
  for (let index = 0; index < found.length; index += 2) {
    const number = Number(`${found[index]}`.slice(node.length + 1));
    offsets.set(number, Number(found[index + 1]));
    earliest = Math.min(earliest, number);
    latest = Math.max(latest, number);
  }
  for (const publication of lost) {
    const { number, options } = publication;
    const offset = offsets.get(number);
    const isCovered = lowest <= 1 || (options.known?.epoch === epoch && lowest <= options.known.offset + 1);
    if (offset !== undefined) all.set(publication, { epoch, offset });
    // Its place is after that of an earlier one of this node.
    else if (isCovered || earliest < number) all.set(publication, "absent");
    // It was there before a later one of this node.
    else all.set(publication, number < latest ? "published" : "unknown");
  }
}

/** The position that all were published after, where each names one of the same epoch. */
function earliestOf(lost: readonly LostPublication[]): GGPosition | undefined {
  let earliest = lost[0]!.options.known;
  for (const { options } of lost) {
    if (!earliest || options.known?.epoch !== earliest.epoch) return undefined;
    if (options.known.offset < earliest.offset) earliest = options.known;
  }
  return earliest;
}
