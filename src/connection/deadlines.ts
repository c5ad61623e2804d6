/** The longest that a timer can wait, in ms. */
const MAX_WAIT = 2 ** 31 - 1;

// Each deadline has a timer of its own, and reads no clock. A timer for all of them would belong to one clock, while test
// runners replace `setTimeout`, and to one request, where a platform ends timers with the request that set them.

/** The timers that a deadline was started with: those of the platform, or of a test runner. */
type Clock = ReturnType<typeof presentClock>;

let clock: Clock | undefined;
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
export abstract class Deadline {
  #ms = 0;
  #keepsAlive = false;
  #isRunning = false;
  #clock: Clock | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Begins to wait for at least 1 ms; longer than a timer can wait, which is 24 days, is for ever. */
  protected startDeadline(ms: number, keepsAlive = false): void {
    if (clock?.setTimeout !== globalThis.setTimeout || clock.setImmediate !== globalThis.setImmediate) {
      clock = presentClock();
      for (const deadline of onTestClock) deadline.#startTimer(clock);
    }
    this.#ms = ms;
    this.#keepsAlive = keepsAlive;
    this.#isRunning = true;
    running++;
    if (!(ms > MAX_WAIT)) this.#startTimer(clock);
  }

  /** Ends the wait. */
  protected cancelDeadline(): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    running--;
    // A page's functions do not work as members of another object.
    const { clearTimeout } = this.#clock ?? {};
    clearTimeout?.(this.#timer);
    onTestClock.delete(this);
  }

  /** It is time. Must not throw. */
  protected abstract expire(): void;

  #startTimer(clock: Clock): void {
    const { setTimeout, isOfTest } = clock;
    // The time of a test runner passes at once.
    this.#timer = setTimeout(isOfTest ? Deadline.#end : Deadline.#endAfterInput, Math.max(this.#ms || 1, 1), this);
    this.#clock = clock;
    if (!this.#keepsAlive) (this.#timer as { unref?(): void }).unref?.();
    if (isOfTest) onTestClock.add(this);
    else onTestClock.delete(this);
  }

  static #end(deadline: Deadline): void {
    if (!deadline.#isRunning) return;
    deadline.cancelDeadline();
    deadline.expire();
  }

  /** In Node input is read between timers and immediates. */
  static #endAfterInput(deadline: Deadline): void {
    const { setImmediate, setTimeout } = deadline.#clock as Clock;
    if (setImmediate) setImmediate(Deadline.#end, deadline);
    else setTimeout(Deadline.#end, 0, deadline);
  }
}

function presentClock() {
  const { setTimeout, clearTimeout, setImmediate } = globalThis;
  return { setTimeout, clearTimeout, setImmediate, isOfTest: "clock" in setTimeout };
}

class CallbackDeadline extends Deadline {
  protected readonly expire: () => void;

  constructor(ms: number, onExpired: () => void, keepsAlive?: boolean) {
    super();
    this.expire = onExpired;
    this.startDeadline(ms, keepsAlive);
  }

  cancel(): void {
    this.cancelDeadline();
  }
}

/** Runs `onExpired`, which must not throw, in `ms`, unless the function returned is called before. See {@link Deadline}. */
export function setDeadline(ms: number, onExpired: () => void, keepsAlive?: boolean): () => void {
  const deadline = new CallbackDeadline(ms, onExpired, keepsAlive);
  return () => deadline.cancel();
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
