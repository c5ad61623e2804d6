/** The longest that a timer can wait, in ms. */
const MAX_WAIT = 2 ** 31 - 1;

// Each deadline has a timer of its own, and reads no clock. A timer for all of them would belong to one clock, while test
// runners replace `setTimeout`, and to one request, where a platform ends timers with the request that set them.

let clock: typeof setTimeout;
/** What waits on the clock of a test runner: it may be gone before it lets that expire. */
const onTestClock = new Set<Deadline>();
let running = 0;

/** How many deadlines are running; for tests of leaks. */
export function runningDeadlines(): number {
  return running;
}

/**
 * What happens at a time unless it is cancelled before. What has arrived by then is read first: it may have waited for this
 * process to be less busy. Unless it must, it does not keep a Node process alive: it waits on an open connection, which does.
 */
export interface Deadline {
  /** At least 1; longer than a timer can wait, which is 24 days, is for ever. */
  readonly ms: number;
  readonly keepsAlive?: boolean | undefined;
  /** It is time. Must not throw. */
  expire(): void;
  /** Of the functions below. */
  isRunning?: boolean;
  timer?: ReturnType<typeof setTimeout>;
  /** Those of the clock that the timer is on. */
  clearTimer?: typeof clearTimeout;
  afterInput?: (callback: () => void) => void;
}

/** Begins to wait. */
export function startDeadline(deadline: Deadline): void {
  if (clock !== setTimeout) {
    clock = setTimeout;
    for (const waiting of onTestClock) startTimer(waiting);
  }
  deadline.isRunning = true;
  running++;
  if (!(deadline.ms > MAX_WAIT)) startTimer(deadline);
}

/** Ends the wait, if there is one. */
export function cancelDeadline(deadline: Deadline): void {
  if (!deadline.isRunning) return;
  deadline.isRunning = false;
  running--;
  // A page's functions do not work as members of another object.
  const { clearTimer } = deadline;
  clearTimer?.(deadline.timer);
  onTestClock.delete(deadline);
}

function startTimer(deadline: Deadline): void {
  const { setTimeout, clearTimeout, setImmediate: afterInput = setTimeout } = globalThis;
  const isTestClock = "clock" in setTimeout;
  // The time of a test runner passes at once. There are clocks that pass no arguments on.
  const onTime = isTestClock ? () => end(deadline) : () => endAfterInput(deadline);
  deadline.clearTimer = clearTimeout;
  deadline.afterInput = afterInput;
  deadline.timer = setTimeout(onTime, Math.max(deadline.ms || 1, 1));
  if (!deadline.keepsAlive) (deadline.timer as { unref?(): void } | undefined)?.unref?.();
  if (isTestClock) onTestClock.add(deadline);
  else onTestClock.delete(deadline);
}

function end(deadline: Deadline): void {
  if (!deadline.isRunning) return;
  cancelDeadline(deadline);
  deadline.expire();
}

/** In Node input is read between timers and immediates. */
function endAfterInput(deadline: Deadline): void {
  const { afterInput } = deadline;
  afterInput?.(() => end(deadline));
}

/** Runs `onExpired`, which must not throw, in `ms`, unless the function returned is called before. See {@link Deadline}. */
export function setDeadline(ms: number, onExpired: () => void, keepsAlive?: boolean): () => void {
  const deadline: Deadline = { ms, keepsAlive, expire: onExpired };
  startDeadline(deadline);
  return () => cancelDeadline(deadline);
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
