/** Something with a time limit. */
interface Deadline {
  /** When it is over, on the clock of `performance.now()`. */
  readonly expiresAt: number;
  onExpired(): void;
}

/** Deadlines that are nearly due together expire together: bounds how often all of them are looked at, in ms. */
const RESOLUTION = 10;

/** The longest that a timer can wait, in ms. */
const MAX_WAIT = 2 ** 31 - 1;

// All time limits of the process behind one timer: most calls are answered long before theirs, so a timer for each would
// be made and thrown away for nothing.
const running = new Set<Deadline>();
let timer: ReturnType<typeof setTimeout> | undefined;
let timerAt = Number.POSITIVE_INFINITY;

/** How many deadlines are running; for tests of what is left behind. */
export function runningDeadlines(): number {
  return running.size;
}

/**
 * Runs `onExpired`, which must not throw, in `ms`, unless the function returned is called before. That leaves the timer as
 * it is: it will find nothing due, and arm itself for what is next.
 */
export function setDeadline(ms: number, onExpired: () => void): () => void {
  // Never at once: one that starts another, for no time or less, would keep `expire` busy for good.
  const deadline = { expiresAt: performance.now() + Math.max(ms || 1, 1), onExpired };
  running.add(deadline);
  arm(deadline.expiresAt);
  return () => running.delete(deadline);
}

/** Resolves when the callback that `start` gets is called, or after this many ms. */
export function waitAtMost(ms: number, start: (done: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const cancel = setDeadline(ms, resolve);
    start(() => {
      cancel();
      resolve();
    });
  });
}

function arm(at: number): void {
  if (at >= timerAt) return;
  clearTimeout(timer);
  timerAt = at;
  timer = setTimeout(expire, Math.min(at - performance.now(), MAX_WAIT));
  // A deadline waits on an open connection, which keeps a Node process alive for as long as there is one.
  (timer as { unref?(): void }).unref?.();
}

function expire(): void {
  const now = performance.now();
  timerAt = Number.POSITIVE_INFINITY;
  let nearest = timerAt;
  for (const deadline of running) {
    if (deadline.expiresAt <= now) {
      running.delete(deadline);
      deadline.onExpired();
    } else nearest = Math.min(nearest, deadline.expiresAt);
  }
  arm(Math.max(nearest, now + RESOLUTION));
}
