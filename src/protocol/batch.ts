/** Between the messages of a batch. Neither JSON text nor a path nor an id holds one. */
export const SEPARATOR = "\n";

/** The most that a batch may have, in bytes: far below any sane payload cap, far above what one tick brings. */
export const MAX_BATCH_BYTES = 65_536;
