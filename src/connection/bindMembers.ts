/**
 * Makes the methods and getters of an object's classes its own, bound to it: they work behind a `Proxy`, on an object
 * that inherits from it and without it, and can be replaced. What a subclass overrides stays overridden.
 */
export function bindMembers(object: object): void {
  let level: object = Object.getPrototypeOf(object);
  for (; level !== Object.prototype; level = Object.getPrototypeOf(level)) {
    for (const [name, { get, set, value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (name === "constructor" || Object.hasOwn(object, name)) continue;
      const member =
        get || set
          ? { get: get?.bind(object), set: set?.bind(object), enumerable: true }
          : { value: typeof value === "function" ? value.bind(object) : value, writable: true };
      Object.defineProperty(object, name, { configurable: true, ...member });
    }
  }
}
