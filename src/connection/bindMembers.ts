/**
 * Makes the methods and getters of an object's classes its own, bound to it: they work behind a `Proxy`, on an object
 * that inherits from it and without it, and can be replaced. What a subclass overrides stays overridden.
 */
export function bindMembers(object: object): void {
  let level: object = Object.getPrototypeOf(object);
  for (; level !== Object.prototype; level = Object.getPrototypeOf(level)) {
    for (const [name, { get, value }] of Object.entries(Object.getOwnPropertyDescriptors(level))) {
      if (name === "constructor" || Object.hasOwn(object, name)) continue;
      const member = get ? { get: get.bind(object), enumerable: true } : { value: value.bind(object), writable: true };
      Object.defineProperty(object, name, { configurable: true, ...member });
    }
  }
}
