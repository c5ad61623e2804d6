/** What a client is told of a group that its server has made it a member of. */
export interface GGGroupEvent {
  /** The `name` of the group. */
  readonly group: string;
  /**
   * `undefined` at a first join. `true` after another connection: what was missed follows, in order and before anything new.
   * `false` when messages may be missing: after another connection, or because the servers have lost what they kept.
   */
  readonly recovered: boolean | undefined;
  /** How many messages follow that were missed; 0 unless `recovered`. */
  readonly missed: number;
}

/** Options of `resumeGroups`. */
export interface GGResumeOptions {
  /**
   * Called each time a connection becomes a member of a group that keeps its messages, before the first of them, and
   * when some were lost.
   */
  readonly onGroup?: ((event: GGGroupEvent) => void) | undefined;
}

declare const made: unique symbol;

/** Made by `resumeGroups`, for the option `resume` of `createClient`. */
export interface GGResume {
  /** Nothing else is one. */
  readonly [made]: true;
}
