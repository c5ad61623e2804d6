import { isThenable } from "../connection/methods/outcome.js";

/**
 * What a callback of the program has returned, where a promise is no answer.
 *
 * @throws TypeError when it is a promise, whose rejection then ends no process
 */
export function answeredAtOnce<T>(answer: T): T {
  if (!isThenable(answer)) return answer;
  Promise.resolve(answer).catch(() => {});
  throw new TypeError("it must return its answer, not a promise");
}
