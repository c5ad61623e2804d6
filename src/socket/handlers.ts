import type { CompiledMethod } from "./compiledMethod.js";

/** An object of handlers: the function of a name is called as the object's method. */
export type HandlerObject = Readonly<Record<string, (data?: unknown) => unknown>>;

/**
 * The handlers of one connection, kept as the objects that `on()` was given, the newest first: nothing is made per
 * method.
 */
export class Handlers {
  #objects: readonly HandlerObject[] = [];

  /** Whether any were given. */
  get isEmpty(): boolean {
    return this.#objects.length === 0;
  }

  /** Lays `handlers` over what is there, and lets go of what they cover entirely. */
  add(handlers: object): void {
    const newest = handlers as HandlerObject;
    this.#objects = [newest, ...this.#objects.filter((older) => !covers(newest, older))];
  }

  /** The object that handles a method, or `undefined` when none does. */
  ownerOf({ name, inherited }: CompiledMethod): HandlerObject | undefined {
    for (const object of this.#objects) {
      const handler = object[name];
      if (typeof handler === "function" && handler !== inherited) return object;
    }
    return undefined;
  }
}

/** Whether every handler of `older` is replaced: it has the same class, and no function that `newer` lacks. */
function covers(newer: HandlerObject, older: HandlerObject): boolean {
  return (
    Object.getPrototypeOf(newer) === Object.getPrototypeOf(older) &&
    Object.keys(older).every((name) => typeof newer[name] === typeof older[name])
  );
}
