/**
 * Makes `undo`, a function of its own, chainable: it gets the members of `owner` as well, which must be own properties
 * that do not look at `this`.
 */
export function takenBackBy<T extends object>(undo: () => void, owner: T): (() => void) & T {
  return Object.defineProperties(undo as (() => void) & T, Object.getOwnPropertyDescriptors(owner));
}
