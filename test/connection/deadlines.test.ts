import { describe, expect, it, onTestFinished, vi } from "vitest";
import { runningDeadlines, setDeadline } from "../../src/connection/deadlines.js";

it.each([0, -1_000, Number.NaN])(
  "does not starve other tasks by a deadline of %d ms that starts another",
  async (ms) => {
    let count = 0;
    let stop = () => {};
    await new Promise<void>((resolve) => {
      const again = () => {
        resolve();
        if (++count < 1_000) stop = setDeadline(ms, again);
      };
      setDeadline(ms, again);
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(count).toBe(1);
    stop();
  },
);

/** A deadline that counts. */
class Counted {
  expiries = 0;
  readonly expired: Promise<void>;
  readonly cancel: () => void;

  constructor(ms: number) {
    let cancel = () => {};
    this.expired = new Promise((resolve) => {
      cancel = setDeadline(ms, () => {
        this.expiries++;
        resolve();
      });
    });
    this.cancel = cancel;
  }
}

const MS = 5;

/** Functions of the platform that work as such alone, as those of a page do, and not as members of another object. */
function strict<F extends (...args: never[]) => unknown>(original: F): F {
  return function (this: unknown, ...args: never[]) {
    if (this !== undefined && this !== globalThis) throw new TypeError("Illegal invocation");
    return original(...args);
  } as F;
}

type Faked = NonNullable<NonNullable<Parameters<typeof vi.useFakeTimers>[0]>["toFake"]>;
const fake = (toFake?: Faked) => void vi.useFakeTimers(toFake && { toFake });

/** Where deadlines run: how that is set up, and whether its time passes by itself. */
const CLOCKS: Readonly<Record<string, { install(): void; readonly isFake?: true }>> = {
  "the platform's": { install: () => {} },
  "a page's": {
    install() {
      vi.stubGlobal("setTimeout", strict(setTimeout));
      vi.stubGlobal("clearTimeout", strict(clearTimeout));
      vi.stubGlobal("setImmediate", undefined);
    },
  },
  "another runtime's": {
    install() {
      for (const name of ["setTimeout", "clearTimeout", "setImmediate"] as const)
        vi.stubGlobal(name, strict(globalThis[name] as () => unknown));
    },
  },
  "one that passes no arguments on": {
    install() {
      const { setTimeout, setImmediate } = globalThis;
      vi.stubGlobal("setTimeout", (callback: () => void, ms: number) => setTimeout(callback, ms));
      vi.stubGlobal("setImmediate", (callback: () => void) => setImmediate(callback));
    },
  },
  "a test runner's": { install: () => fake(), isFake: true },
  "a test runner's, of setTimeout alone": { install: () => fake(["setTimeout"]), isFake: true },
  "another stand-in of a test runner": { install: () => fake(["setTimeout", "clearTimeout"]), isFake: true },
};

function uninstall(): void {
  vi.useRealTimers();
  vi.unstubAllGlobals();
}

/** Puts the clock of this name in the place of the present one. Returns how a time passes there. */
function use(name: string): (ms: number) => Promise<unknown> {
  uninstall();
  onTestFinished(uninstall);
  const { install, isFake } = CLOCKS[name] as (typeof CLOCKS)[string];
  install();
  // What is later expires later.
  return async (ms) => (isFake ? vi.advanceTimersByTime(ms) : new Counted(ms).expired);
}

const NAMES = Object.keys(CLOCKS);

describe.each(NAMES)("a deadline on a clock: %s", (name) => {
  it("expires once, and is over then", async () => {
    const pass = use(name);
    const before = runningDeadlines();
    const deadlines = [1, 2, 3].map((factor) => new Counted(factor * MS));
    expect(runningDeadlines()).toBe(before + 3);
    await pass(4 * MS);
    expect(deadlines.map(({ expiries }) => expiries)).toEqual([1, 1, 1]);
    expect(runningDeadlines()).toBe(before);
    for (const deadline of deadlines) deadline.cancel();
    expect(runningDeadlines()).toBe(before);
    await pass(4 * MS);
    expect(deadlines.map(({ expiries }) => expiries)).toEqual([1, 1, 1]);
  });

  it("does not expire once it is cancelled, however often", async () => {
    const pass = use(name);
    const before = runningDeadlines();
    const cancelled = [1, 2].map((factor) => new Counted(factor * MS));
    const kept = new Counted(2 * MS);
    for (const deadline of [...cancelled, ...cancelled]) deadline.cancel();
    expect(runningDeadlines()).toBe(before + 1);
    await pass(4 * MS);
    expect([...cancelled, kept].map(({ expiries }) => expiries)).toEqual([0, 0, 1]);
    expect(runningDeadlines()).toBe(before);
  });

  it("may be cancelled by one that expires at the same time, and as it expires", async () => {
    const pass = use(name);
    const before = runningDeadlines();
    const later: Counted[] = [];
    const cancel = setDeadline(MS, () => {
      cancel();
      for (const { cancel } of later) cancel();
    });
    later.push(new Counted(MS), new Counted(MS));
    await pass(2 * MS);
    expect(later.map(({ expiries }) => expiries)).toEqual([0, 0]);
    expect(runningDeadlines()).toBe(before);
  });

  it.each([Number.POSITIVE_INFINITY, 2 ** 31, 1e300])("never expires, and has no timer, with %d ms", async (ms) => {
    const pass = use(name);
    const before = runningDeadlines();
    const setTimer = vi.spyOn(globalThis, "setTimeout");
    const deadline = new Counted(ms);
    expect(setTimer).not.toHaveBeenCalled();
    setTimer.mockRestore();
    await pass(MS);
    expect(deadline.expiries).toBe(0);
    expect(runningDeadlines()).toBe(before + 1);
    deadline.cancel();
    expect(runningDeadlines()).toBe(before);
  });

  it("waits as long as a timer can", async () => {
    use(name);
    const setTimer = vi.spyOn(globalThis, "setTimeout");
    const deadline = new Counted(2 ** 31 - 1);
    expect(setTimer.mock.calls.map(([, ms]) => ms)).toEqual([2 ** 31 - 1]);
    setTimer.mockRestore();
    deadline.cancel();
  });
});

it.each([
  ["test runner's", undefined],
  ["test runner's, of timers alone", ["setTimeout", "clearTimeout"] as Faked],
])("leaves no timer behind on a %s clock once it is over", (_, toFake) => {
  uninstall();
  fake(toFake);
  onTestFinished(uninstall);
  const deadlines = [1, 2, 3, 4].map((factor) => new Counted(factor * MS));
  vi.advanceTimersByTime(MS);
  expect(vi.getTimerCount()).toBe(3);
  deadlines[2]?.cancel();
  expect(vi.getTimerCount()).toBe(2);
  vi.useRealTimers();
  // Those that have moved are on the real clock, and left this one with it.
  const real = new Counted(MS);
  for (const deadline of [...deadlines, real]) deadline.cancel();
  expect(runningDeadlines()).toBe(0);
});

it("clears the platform's timer, with what that gave", () => {
  const timers = new Set<object>();
  const set = ((...args: Parameters<typeof setTimeout>) => {
    const timer = setTimeout(...args);
    timers.add(timer);
    return timer;
  }) as typeof setTimeout;
  const [{ setTimeout, clearTimeout }] = [globalThis];
  vi.stubGlobal("setTimeout", set);
  vi.stubGlobal("clearTimeout", (timer: NodeJS.Timeout) => {
    clearTimeout(timer);
    if (!timers.delete(timer)) expect.fail("it is cleared twice, or another's");
  });
  onTestFinished(uninstall);
  const deadlines = [1, 2, 3].map((factor) => new Counted(factor * 1_000));
  expect(timers.size).toBe(3);
  for (const deadline of [...deadlines, ...deadlines]) deadline.cancel();
  expect(timers.size).toBe(0);
});

describe.each(NAMES.flatMap((first) => NAMES.map((second) => [first, second] as const)))(
  "between two clocks, %s and then %s,",
  (first, second) => {
    it("a deadline expires once, at the latest when another has been started", async () => {
      use(first);
      const before = runningDeadlines();
      const deadlines = [MS, 2 * MS].map((ms) => new Counted(ms));
      const pass = use(second);
      deadlines.push(new Counted(3 * MS));
      await pass(4 * MS);
      // One of the platform does not depend on the second clock.
      await Promise.all(deadlines.map((deadline) => deadline.expired));
      use(first);
      expect(deadlines.map(({ expiries }) => expiries)).toEqual([1, 1, 1]);
      expect(runningDeadlines()).toBe(before);
    });

    it("a cancelled one never does, on either", async () => {
      use(first);
      const before = runningDeadlines();
      const deadlines = [MS, 2 * MS].map((ms) => new Counted(ms));
      const pass = use(second);
      for (const deadline of deadlines) deadline.cancel();
      expect(runningDeadlines()).toBe(before);
      await pass(4 * MS);
      await use("the platform's")(4 * MS);
      expect(deadlines.map(({ expiries }) => expiries)).toEqual([0, 0]);
    });
  },
);

describe("a stand-in for setImmediate alone", () => {
  it("does not stop a deadline that was started before", async () => {
    const deadline = new Counted(MS);
    fake(["setImmediate"]);
    onTestFinished(uninstall);
    await deadline.expired;
    expect(deadline.expiries).toBe(1);
  });

  it.each(NAMES)("does not outlive its test; used before: %s", async (name) => {
    use(name);
    new Counted(MS).cancel();
    uninstall();
    fake(["setImmediate"]);
    const during = new Counted(MS);
    uninstall();
    await new Counted(MS).expired;
    during.cancel();
  });
});
