import type { CompiledMethod } from "../connection/methods/compiledMethod.js";
import { type MethodTable, memoizeByKey } from "../connection/methods/methodTable.js";

/** Makes the function of a method for an object. */
type MakeMethod = (method: CompiledMethod, object: object) => (...args: never[]) => unknown;

/** The methods of a table by their names. */
const byName = memoizeByKey(
  (table: MethodTable) =>
    new Map<string | symbol, CompiledMethod>(Array.from(table.values(), (one) => [one.name, one])),
);

/**
 * Gives objects the methods of a table. Each becomes a property of an object when it is first looked at: a thousand
 * connections of an API with fifty methods must not hold fifty thousand functions.
 */
export class LazyMethods implements ProxyHandler<object> {
  readonly #methods: ReadonlyMap<string | symbol, CompiledMethod>;
  readonly #make: MakeMethod;

  constructor(table: MethodTable, make: MakeMethod) {
    this.#methods = byName(table);
    this.#make = make;
  }

  /** The object with the methods. */
  addTo<T extends object>(object: T): T {
    return new Proxy<object>(object, this) as T;
  }

  get(object: object, name: string | symbol, receiver: unknown): unknown {
    this.#prepare(object, name);
    return Reflect.get(object, name, receiver);
  }

  has(object: object, name: string | symbol): boolean {
    this.#prepare(object, name);
    return Reflect.has(object, name);
  }

  getOwnPropertyDescriptor(object: object, name: string | symbol): PropertyDescriptor | undefined {
    this.#prepare(object, name);
    return Reflect.getOwnPropertyDescriptor(object, name);
  }

  ownKeys(object: object): (string | symbol)[] {
    this.#prepareAll(object);
    return Reflect.ownKeys(object);
  }

  preventExtensions(object: object): boolean {
    this.#prepareAll(object);
    return Reflect.preventExtensions(object);
  }

  #prepare(object: object, name: string | symbol): void {
    if (Object.hasOwn(object, name)) return;
    const method = this.#methods.get(name);
    if (!method || !Object.isExtensible(object)) return;
    // A subclass has its own.
    if (Reflect.get(Object.getPrototypeOf(object), name) !== Reflect.get(Object.prototype, name)) return;
    const property = { configurable: true, enumerable: true, writable: true };
    Object.defineProperty(object, name, { ...property, value: this.#make(method, object) });
  }

  #prepareAll(object: object): void {
    for (const name of this.#methods.keys()) this.#prepare(object, name);
  }
}
