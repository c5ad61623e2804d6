import type { GGHistory, GGPosition } from "../api/bus.js";
import type { ChannelKeys } from "./keys.js";
import type { Link } from "./link.js";
import { failureKind } from "./replies.js";
import type { Scripts } from "./scripts.js";

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

/**
 * Finds which messages of this node Redis has, with their positions; `undefined` for one that it has dropped since. The
 * connections that they were sent on have ended, so that no more come. One read for each channel.
 */
export async function findPublished<T extends LostPublication>(
  link: Link,
  scripts: Scripts,
  node: string,
  lost: readonly T[],
): Promise<ReadonlyMap<T, GGPosition | undefined>> {
  const byStream = new Map<string, T[]>();
  for (const publication of lost) {
    const others = byStream.get(publication.keys.stream);
    if (others) others.push(publication);
    else byStream.set(publication.keys.stream, [publication]);
  }
  const published = new Map<T, GGPosition | undefined>();
  await Promise.all(
    [...byStream.values()].map((ofChannel) => findInChannel(link, scripts, node, ofChannel, published)),
  );
  return published;
}

async function findInChannel<T extends LostPublication>(
  link: Link,
  scripts: Scripts,
  node: string,
  lost: readonly T[],
  published: Map<T, GGPosition | undefined>,
): Promise<void> {
  const { meta, stream } = lost[0]!.keys;
  const size = Math.ceil(lost.reduce((most, { options }) => Math.max(most, options.history.size), 0));
  let reply: unknown;
  try {
    reply = await link.ask(scripts.findOwn, "2", meta, stream, `${node}.`, `${size + TRIMMED_LATE}`);
  } catch (error) {
    // It will refuse them again, each for itself.
    if (failureKind(error) === "refused") return;
    throw error;
  }
  const [epoch, lowest, ...found] = reply as [string, number, ...(string | number)[]];
  const offsets = new Map<string, number>();
  let latest = 0;
  for (let index = 0; index < found.length; index += 2) {
    const from = `${found[index]}`;
    offsets.set(from, Number(found[index + 1]));
    latest = Math.max(latest, Number(from.slice(node.length + 1)));
  }
  for (const publication of lost) {
    const { from, number, options } = publication;
    const offset = offsets.get(from);
    const isCovered = lowest <= 1 || (options.known?.epoch === epoch && lowest <= options.known.offset + 1);
    // Where it may have been dropped since, it was there before a later one of this node.
    if (offset === undefined && (isCovered || number > latest)) continue;
    published.set(publication, offset === undefined ? undefined : { epoch, offset });
  }
}
