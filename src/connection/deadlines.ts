/** Something with a time limit. */
interface Deadline {
  /** When it expires, on the clock of `performance.now()`. */
  readonly expiresAt: number;
  onExpired(): void;
}

/** Deadlines that are nearly due together expire together: bounds how often all of them are checked, in ms. */
const RESOLUTION = 10;

/** The longest that a timer can wait, in ms. */
const MAX_WAIT = 2 ** 31 - 1;

// All deadlines of the process share one timer: most calls are answered long before theirs, so a timer for each would
// be wasted.
const running = new Set<Deadline>();
let timer: ReturnType<typeof setTimeout> | undefined;
let timerAt = Number.POSITIVE_INFINITY;

/** How many deadlines are running; for tests of leaks. */
export function runningDeadlines(): number {
  return running.size;
}

/**
 * Runs `onExpired`, which must not throw, in `ms`, unless the function returned is called before. Cancelling keeps the
 * timer: when it fires, it finds nothing due and is armed for the next deadline.
 */
export function setDeadline(ms: number, onExpired: () => void): () => void {
  // At least 1 ms: a callback that sets a deadline of 0 ms would keep the loop in `expire` running.
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
