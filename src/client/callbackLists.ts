/** A callback in an array of its own, since it may be given twice. */
export type CallbackEntry = [callback: (...args: never[]) => unknown];

/** The callbacks of a client, by the names of the methods that took them. */
export class CallbackLists {
  readonly #lists = new Map<string, Set<CallbackEntry>>();
  /** What waits until the callbacks of earlier events have run. */
  readonly #queue: (() => void)[] = [];
  #isNotifying = false;

  of(name: string): Set<CallbackEntry> {
    const list = this.#lists.get(name) ?? new Set();
    this.#lists.set(name, list);
    return list;
  }

  /**
   * Runs the callbacks of events. One that causes another event sees the end of its own first, so that all callbacks see all
   * events in the same order.
   */
  notify(
    events: readonly (readonly [name: string, ...args: unknown[]])[],
    run: (name: string, go: () => unknown) => void,
  ): void {
    for (const [name, ...args] of events) {
      this.#queue.push(() => {
        for (const [callback] of [...this.of(name)]) run(name, () => callback(...(args as never[])));
      });
    }
    if (this.#isNotifying) return;
    this.#isNotifying = true;
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) next();
    this.#isNotifying = false;
  }
}
