/** A function of a program that does what it should not. */
export interface Misbehaviour {
  readonly name: string;
  /** Whether awaiting its result fails. */
  readonly fails: boolean;
  run(): unknown;
}

/** An object whose members all throw when they are read. */
export function unreadable(): object {
  const names = [
    "then",
    "success",
    "type",
    "message",
    "stack",
    "name",
    "toString",
    "toJSON",
    "length",
    Symbol.toPrimitive,
  ];
  const get = () => {
    throw new Error("unreadable");
  };
  return Object.defineProperties({}, Object.fromEntries(names.map((name) => [name, { get, enumerable: true }])));
}

/** A proxy that throws whatever is done with it. */
export function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const throws = (thrown: () => unknown) => () => {
  throw thrown();
};

/** What a callback can do to its caller. */
export const MISBEHAVIOURS: readonly Misbehaviour[] = [
  { name: "throws", fails: true, run: throws(() => new Error("mine")) },
  { name: "throws null", fails: true, run: throws(() => null) },
  { name: "throws a revoked proxy", fails: true, run: throws(revokedProxy) },
  { name: "rejects", fails: true, run: () => Promise.reject(new Error("mine")) },
  { name: "rejects with throwing getters", fails: true, run: () => Promise.reject(unreadable()) },
  { name: "rejects with a revoked proxy", fails: true, run: () => Promise.reject(revokedProxy()) },
  // biome-ignore lint/suspicious/noThenProperty: what a program may return
  { name: "returns a thenable that throws", fails: true, run: () => ({ then: throws(() => new Error("mine")) }) },
  { name: "returns an object with throwing getters", fails: true, run: unreadable },
  { name: "never settles", fails: false, run: () => new Promise(() => {}) },
  { name: "returns null", fails: false, run: () => null },
  { name: "returns a number", fails: false, run: () => 7 },
  { name: "returns a list", fails: false, run: () => [1] },
  { name: "returns a text", fails: false, run: () => "odd" },
];

/** The same where only promises are awaited: an object that cannot be read is a result like any other. */
export function asResult(misbehaviour: Misbehaviour): Misbehaviour {
  return misbehaviour.run === unreadable ? { ...misbehaviour, fails: false } : misbehaviour;
}

/** A function that does this the first time, and behaves afterwards. */
export function once<T>(run: () => unknown, behave: () => T): () => T {
  let isFirst = true;
  return () => {
    if (!isFirst) return behave();
    isFirst = false;
    return run() as T;
  };
}
