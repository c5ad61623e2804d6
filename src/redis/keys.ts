/** The names that a channel has in Redis. All of its keys and its pub/sub channel are in one slot of a cluster. */
export interface ChannelKeys {
  /** String: the position of the latest kept message, as epoch, `:`, offset. */
  readonly meta: string;
  /** Stream of the kept messages; the offset is the first half of the id. */
  readonly stream: string;
  /** Hash: member to information, and the version of the latest change. */
  readonly members: string;
  /** Hash: incarnation of a node to the number of its connections. */
  readonly counts: string;
  /** The pub/sub channel. */
  readonly channel: string;
}

/**
 * The names of a channel. Its own name is the hash tag. Redis takes the tag up to the first `}`, and takes the whole key
 * where it is empty: a name that is empty, or begins with `}`, gets a `~` before it, and so does one that begins with `~`.
 * Databases of one Redis share its pub/sub channels: their number is in the names, but for 0.
 */
export function channelKeys(prefix: string, name: string, database = 0): ChannelKeys {
  // A lone surrogate cannot be sent; Redis gives back what was sent instead of it.
  const text = Buffer.from(name).toString();
  const key = `${prefix}{${/^(?:$|[}~])/.test(text) ? "~" : ""}${text}}`;
  return {
    meta: `${key}:m`,
    stream: `${key}:s`,
    members: `${key}:p`,
    counts: `${key}:c`,
    channel: database === 0 ? key : `${key}@${database}`,
  };
}

/** Sorted set: incarnations of nodes and when they expire. No channel has this name, since theirs go on with `{`. */
export function nodesKey(prefix: string): string {
  return `${prefix}nodes`;
}

/** A pub/sub channel by which a node finds whether it gets what it publishes; one for each Redis process of a cluster. */
export function probeChannel(prefix: string, node: string, index: number): string {
  return `${prefix}probe:{${node}.${index}}`;
}
