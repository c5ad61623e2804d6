/** Who a connection belongs to: anything that JSON can carry, up to 16 KiB, with an `id`. */
export interface GGPresenceInfo {
  /** Names the person: connections with the same `id`, on whatever node, are one person. */
  readonly id: string;
}

/** Who has joined and who has left, by person and not by connection. */
export interface GGPresenceChange<TInfo = GGPresenceInfo> {
  /** Persons whose first connection has come. */
  readonly joined: readonly TInfo[];
  /** Persons whose last connection is gone, with the latest that is known of them. */
  readonly left: readonly TInfo[];
}
