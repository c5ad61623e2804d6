/** The longest that a timer can wait, in ms. */
const MAX_WAIT = 2 ** 31 - 1;

// Each deadline has a timer of its own, and reads no clock. A timer for all of them would belong to one clock, while test
// runners replace `setTimeout`, and to one request, where a platform ends timers with the request that set them.

let clock: typeof setTimeout;
/** Start what waits on the clock of a test runner anew: it may be gone before it lets that expire. */
const onTestClock = new Set<() => void>();
let running = 0;

/** How many deadlines are running; for tests of leaks. */
export function runningDeadlines(): number {
  return running;
}

/**
 * Runs `onExpired`, which must not throw, in `ms`, unless the function returned is called before. What has arrived by then
 * is read first: it may have waited for this process to be less busy. At least 1 ms; longer than a timer can wait, which is
 * 24 days, is for ever. Unless it must, it does not keep a Node process alive: it waits on an open connection, which does.
 */
export function setDeadline(ms: number, onExpired: () => void, keepsAlive = false): () => void {
  if (clock !== setTimeout) {
    clock = setTimeout;
    for (const start of onTestClock) start();
  }
  let isRunning = true;
  let stopTimer = () => {};
  const start = () => {
    const { setTimeout, clearTimeout, setImmediate: afterInput = setTimeout } = globalThis;
    const isTestClock = "clock" in setTimeout;
    // In Node input is read between timers and immediates. The time of a test runner passes at once.
    const timer = setTimeout(isTestClock ? expire : () => afterInput(expire), Math.max(ms || 1, 1));
    if (!keepsAlive) (timer as { unref?(): void }).unref?.();
    stopTimer = () => clearTimeout(timer);
    if (isTestClock) onTestClock.add(start);
    else onTestClock.delete(start);
  };
  const cancel = () => {
    if (!isRunning) return;
    isRunning = false;
    running--;
    stopTimer();
    onTestClock.delete(start);
  };
  const expire = () => {
    if (!isRunning) return;
    cancel();
    onExpired();
  };
  running++;
  if (!(ms > MAX_WAIT)) start();
  return cancel;
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
