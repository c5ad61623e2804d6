import { inspect } from "node:util";
import { reactive, readonly, shallowReactive } from "@vue/reactivity";
import { expect, vi } from "vitest";

/** What a program does to an object before it uses it, given the names of the object's methods. */
type Wrapping = <T extends object>(object: T, methods: readonly (string & keyof T)[]) => T;

const proxied: Wrapping = (object) => new Proxy(object, {});

/** Wraps what it gives as well, as libraries of observable state do. */
export const deepProxy = <T extends object>(object: T): T =>
  new Proxy(object, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      const isPlain = typeof member === "object" && member !== null && !Object.isFrozen(member);
      return isPlain && !(member instanceof Promise) ? deepProxy(member) : member;
    },
  });

const spiedOn: Wrapping = (object, methods) => {
  for (const name of methods) vi.spyOn(object as never, name);
  return object;
};

const assignedTo: Wrapping = (object, methods) => {
  for (const name of methods) {
    const original = object[name] as (...args: unknown[]) => unknown;
    Object.assign(object, { [name]: vi.fn((...args: unknown[]) => original(...args)) });
  }
  return object;
};

/** Everything that is read of it is used without it. */
const takenApart: Wrapping = (object) =>
  new Proxy({} as typeof object, {
    get(_, name) {
      const member: unknown = Reflect.get(object, name);
      return typeof member === "function" ? (...args: unknown[]) => Reflect.apply(member, undefined, args) : member;
    },
  });

const lookedAt: Wrapping = (object) => {
  const shown = inspect(object, { depth: 4 }) + inspect(object, { getters: true }) + JSON.stringify(object);
  expect(shown).not.toMatch(/outbox|endpoint|transport|registration|listener|#\w/i);
  return object;
};

export const WRAPPINGS: Readonly<Record<string, Wrapping>> = {
  "as it is": (object) => object,
  "behind a Proxy": proxied,
  "behind a deep Proxy": deepProxy,
  "behind Vue's reactive": (object) => reactive(object) as typeof object,
  "behind Vue's shallowReactive": (object) => shallowReactive(object) as typeof object,
  "behind Vue's readonly": (object) => readonly(object) as typeof object,
  "inherited from": (object) => Object.create(object),
  "behind a Proxy of what inherits from it": (object) => new Proxy(Object.create(object), {}),
  frozen: (object) => Object.freeze(object),
  sealed: (object) => Object.seal(object),
  "frozen behind a Proxy": (object) => Object.freeze(new Proxy(object, {})),
  "taken apart": takenApart,
  "spied on": spiedOn,
  "spied on behind a Proxy": (object, methods) => spiedOn(new Proxy(object, {}), methods),
  "spied on behind Vue's reactive": (object, methods) => spiedOn(reactive(object) as typeof object, methods),
  "spied on where it is inherited": (object, methods) => spiedOn(Object.create(object), methods),
  "assigned to": assignedTo,
  "assigned to behind Vue's reactive": (object, methods) => assignedTo(reactive(object) as typeof object, methods),
  "assigned to where it is inherited": (object, methods) => assignedTo(Object.create(object), methods),
  "looked at": lookedAt,
};
