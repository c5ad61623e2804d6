import { GGSocketTestError } from "./failure.js";
import { atTestEnd, type GGOnTestFinished } from "./runner.js";

/** What is checked and closed at the end of a test. */
export interface Ending {
  /** Resolves when the messages in flight have arrived. */
  settle(): Promise<void>;
  /** Removes and returns the failures to report. */
  takeFailures(hasFailed: boolean): GGSocketTestError[];
  /** Closes the connection. Messages that arrive meanwhile are ignored. */
  close(): Promise<void>;
}

const endings = new WeakMap<object, Set<Ending>>();

/**
 * Checks and closes the connections at the end of the test: all are checked before any is closed, because a server may
 * notify one user that another has disconnected. Returns false when there is no test.
 *
 * @param test identifies the test
 */
export function endWithTest(test: object, onTestFinished: GGOnTestFinished | undefined, ending: Ending): boolean {
  const others = endings.get(test);
  if (others) {
    others.add(ending);
    return true;
  }
  const all = new Set([ending]);
  const isTest = atTestEnd(onTestFinished, async (hasFailed) => {
    endings.delete(test);
    await Promise.all(Array.from(all, (one) => one.settle()));
    const failures = [...all].flatMap((one) => one.takeFailures(hasFailed));
    await Promise.all(Array.from(all, (one) => one.close()));
    throwAll(failures);
  });
  if (isTest) endings.set(test, all);
  return isTest;
}

/** Throws the failures, if any, as one error. */
export function throwAll(failures: readonly GGSocketTestError[]): void {
  const [first, ...more] = failures;
  if (!first) return;
  if (more.length === 0) throw first;
  throw new GGSocketTestError(failures.map(({ message }) => message).join("\n\n"), { site: first });
}
