import type { Frame } from "../../protocol/frame.js";
import type { Connection } from "../connection.js";
import type { CompiledMethod } from "./compiledMethod.js";

/** An object of handlers: the function of a name is called as the object's method. */
export type HandlerObject = Readonly<Record<string, (data?: unknown) => unknown>>;

/** How many objects are kept even if the newest covers them entirely, for when it is taken back. */
const MAX_COVERED = 100;

/**
 * The handlers of one connection, kept as the objects that `on()` was given, the newest first: nothing is made per
 * method.
 */
export class Handlers {
  /** Each in an array of its own: the same object may be given twice. */
  #objects: readonly (readonly [HandlerObject])[] = [];

  /** Takes a message that the contract does not have, where the program handles more. Returns whether it did. */
  takeUncontracted?(frame: Frame, connection: Connection): boolean;

  /** Whether any were given. */
  get isEmpty(): boolean {
    return this.#objects.length === 0;
  }

  /**
   * Adds handlers over the earlier ones, and returns what takes them back. Releases old ones that are covered entirely: a
   * page may register at every render.
   */
  add(newest: HandlerObject): () => void {
    // Null would hide the handlers before it.
    if (!newest) throw new TypeError("incoming.on() takes an object of handlers");
    const added = [newest] as const;
    const isCovered = (older: HandlerObject) =>
      Object.getPrototypeOf(older) === Object.getPrototypeOf(newest) &&
      Object.keys(older).every((name) => typeof newest[name] === typeof older[name]);
    this.#objects = [added, ...this.#objects.filter(([older], at) => at < MAX_COVERED || !isCovered(older))];
    return () => {
      this.#objects = this.#objects.filter((one) => one !== added);
    };
  }

  /** The object that handles a method, or `undefined` when none does. */
  ownerOf({ name, inherited }: CompiledMethod): HandlerObject | undefined {
    return this.#objects.find(([object]) => {
      try {
        return typeof object[name] === "function" && object[name] !== inherited;
      } catch {
        return true; // A getter that throws: the message fails with it.
      }
    })?.[0];
  }
}
