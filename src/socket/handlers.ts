/** An object of handlers: the function of a name is called as the object's method. */
export type HandlerObject = Readonly<Record<string, (data?: unknown) => unknown>>;

interface Layer {
  readonly handlers: HandlerObject;
  readonly below: Layer | undefined;
}

/**
 * The handlers of one connection, kept as the objects that `on()` was given: nothing is made per method. A later object
 * lies over the earlier ones, so that its methods replace theirs.
 */
export class Handlers {
  #top: Layer | undefined;

  /** Whether any were given. */
  get isEmpty(): boolean {
    return this.#top === undefined;
  }

  /** Lays `handlers` over what is there, and lets go of what they cover entirely. */
  add(handlers: object): void {
    const top = handlers as HandlerObject;
    this.#top = { handlers: top, below: uncovered(this.#top, top) };
  }

  /** The object that handles a method, or `undefined` when none does. */
  ownerOf(name: string): HandlerObject | undefined {
    let layer = this.#top;
    while (layer && !handles(layer.handlers, name)) layer = layer.below;
    return layer?.handlers;
  }
}

function handles(handlers: HandlerObject, name: string): boolean {
  const handler = handlers[name];
  // A contract may have a method called `toString`; what every object inherits is not its handler.
  return typeof handler === "function" && handler !== Reflect.get(Object.prototype, name);
}

function uncovered(layer: Layer | undefined, top: HandlerObject): Layer | undefined {
  if (!layer) return undefined;
  const below = uncovered(layer.below, top);
  const isCovered = methodNames(layer.handlers).every((name) => handles(top, name));
  return isCovered ? below : { handlers: layer.handlers, below };
}

/** The names of what an object handles, with the methods of its class. */
function methodNames(handlers: HandlerObject): string[] {
  const names = new Set<string>();
  for (let object: object = handlers; object && object !== Object.prototype; object = Object.getPrototypeOf(object)) {
    for (const name of Object.getOwnPropertyNames(object)) if (handles(handlers, name)) names.add(name);
  }
  names.delete("constructor");
  return [...names];
}
