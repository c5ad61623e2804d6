import { GGSocketTestError } from "./failure.js";
import { atTestEnd, type GGOnTestFinished } from "./runner.js";

/** What has to be looked after when a test has ended. */
export interface Ending {
  /** Resolves when what was on its way has arrived. */
  settle(): Promise<void>;
  /** What the test has to hear of. */
  takeFailures(hasFailed: boolean): GGSocketTestError[];
  /** Closes the connection. What comes while it does is nobody's. */
  close(): Promise<void>;
}

const endings = new WeakMap<object, Set<Ending>>();

/**
 * Lets a test end its connections: all are checked before any is closed, since a server may well tell one user that
 * another has left. Returns false when there is no test.
 *
 * @param test what tells tests apart
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

/** Throws what there is, as one error. */
export function throwAll(failures: readonly GGSocketTestError[]): void {
  const [first, ...more] = failures;
  if (!first) return;
  if (more.length === 0) throw first;
  throw new GGSocketTestError(failures.map(({ message }) => message).join("\n\n"), { site: first });
}
