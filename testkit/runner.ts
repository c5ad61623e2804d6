/** Access to the test runner, if there is one. Without one, failures are reported by the next expectation. */

/** The part of a runner's `expect` that comparisons use. */
type RunnerExpect = (received: unknown) => { toEqual(expected: unknown): void; toMatchObject(expected: unknown): void };

/** Registers a callback for the end of the running test, as vitest's `onTestFinished` does. */
export type GGOnTestFinished = (callback: (context?: unknown) => Promise<void>) => unknown;

interface RunnerTest {
  readonly concurrent?: boolean;
}

/** The parts of vitest that the kit uses; some versions lack some. */
interface Vitest {
  readonly onTestFinished: GGOnTestFinished;
  readonly TestRunner?: { getCurrentTest?(): RunnerTest | undefined };
}

// Captured before a test can install fake timers.
export const { setTimeout, clearTimeout, setImmediate } = globalThis;

/** The `expect` of vitest, or a global `expect` with the same matchers. */
export function runnerExpect(): RunnerExpect | undefined {
  const found = Reflect.get(globalThis, Symbol.for("expect-global")) ?? Reflect.get(globalThis, "expect");
  if (typeof found !== "function") return undefined;
  const { toEqual, toMatchObject } = found(undefined) ?? {};
  return typeof toEqual === "function" && typeof toMatchObject === "function" ? found : undefined;
}

let loading: Promise<Vitest | undefined> | undefined;

/** vitest, if this process was started by it. */
export function loadVitest(): Promise<Vitest | undefined> {
  loading ??= process.env.VITEST ? importVitest().catch(() => undefined) : Promise.resolve(undefined);
  return loading;
}

async function importVitest(): Promise<Vitest> {
  const vitest = (await import("vitest")) as unknown as Vitest;
  if (vitest.TestRunner?.getCurrentTest) return vitest;
  // Its location before 4.1, where importing it prints a deprecation warning.
  const former = "vitest/suite";
  return { onTestFinished: vitest.onTestFinished, TestRunner: (await import(former)) as Vitest["TestRunner"] };
}

/** The test that vitest runs right now. */
export function currentTest(vitest: Vitest | undefined): RunnerTest | undefined {
  return vitest?.TestRunner?.getCurrentTest?.();
}

/** Runs `callback` when the running test has ended. Returns whether there is one. */
export function atTestEnd(
  onTestFinished: GGOnTestFinished | undefined,
  callback: (hasFailed: boolean) => Promise<void>,
): boolean {
  try {
    onTestFinished?.((context) => callback(hasFailed(context)));
    return onTestFinished !== undefined;
  } catch {
    return false; // Not inside a test but in a hook of the suite.
  }
}

/** Whether the context that vitest passes to its hooks is of a failed test. */
function hasFailed(context: unknown): boolean {
  return (context as { task?: { result?: { state?: string } } } | undefined)?.task?.result?.state === "fail";
}

/** Resolves with `work`, or after `ms`. */
export async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
