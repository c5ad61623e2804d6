import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ERROR, GGPromise, IsObject, IsUint, NOT_FOUND, OK } from "../src/index.js";

type NotFound = typeof NOT_FOUND.infer;

const good = <T>(data: T) => new GGPromise<T, NotFound>(Promise.resolve({ success: true, type: "OK", data } as const));
const bad = () => new GGPromise<number, NotFound>(Promise.resolve(new NOT_FOUND()));
/** A GGPromise of a value that is not a result. */
const odd = (value: unknown) => new GGPromise<number, unknown>(Promise.resolve(value));

/** The unhandled rejections while `run` runs. */
async function unhandledIn(run: () => unknown): Promise<unknown[]> {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown) => void unhandled.push(reason);
  const others = process.rawListeners("unhandledRejection") as (() => void)[];
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", listener);
  try {
    run();
    await nextTurn();
    await nextTurn();
  } finally {
    process.off("unhandledRejection", listener);
    for (const other of others) process.on("unhandledRejection", other);
  }
  return unhandled;
}

describe("GGPromise", () => {
  it("gives the data or throws the error", async () => {
    await expect(good(5)).resolves.toBe(5);
    await expect(bad()).rejects.toBeInstanceOf(NOT_FOUND);
    expect(await Promise.all([good(1), good("a")])).toEqual([1, "a"]);
  });

  it("gives either as a value", async () => {
    expect(await good(5).asResult()).toEqual({ success: true, type: "OK", data: 5 });
    expect(await bad().asResult()).toBeInstanceOf(NOT_FOUND);
  });

  it("passes an error to its handler", async () => {
    expect(await bad().then(undefined, (error) => error.type)).toBe("NOT_FOUND");
    expect(await bad().catch((error) => error.statusCode)).toBe(404);
    expect(await good(5).catch(() => 0)).toBe(5);
    expect(await bad().or((error) => error.statusCode)).toBe(404);
    expect(await bad().orDefault(() => 7)).toBe(7);
    expect(await good(5).orDefault(() => 7)).toBe(5);
  });

  it("runs finally either way", async () => {
    const runs: string[] = [];
    await good(5).finally(() => void runs.push("good"));
    await bad()
      .finally(() => void runs.push("bad"))
      .catch(() => {});
    expect(runs).toEqual(["good", "bad"]);
  });

  it("maps data and passes errors on", async () => {
    expect(await good(5).map((n) => n + 1)).toBe(6);
    const mapped = bad().map((n) => n + 1);
    expect(await mapped.asResult()).toBe(await mapped.catch((error) => error));
    const nested = good(5).map(() => ({ success: true, type: "OK", data: 1 }) as const);
    expect(await nested).toEqual({ success: true, type: "OK", data: 1 });
  });

  it("does not turn a mapping's exception into an error result", async () => {
    const bug = new Error("bug");
    const failed = good(5).map((): number => {
      throw bug;
    });
    await expect(failed.asResult()).rejects.toBe(bug);
  });
});

describe("a GGPromise whose inner promise gives no result", () => {
  it.each(["x", 0, null, undefined, { success: 1, data: 5 }, { success: false, type: "X" }])(
    "treats %j as an error, never as data",
    async (value) => {
      const never = () => {
        throw new Error("taken for data");
      };
      expect(await odd(value).then(never, (reason) => [reason])).toEqual([value]);
      expect(await odd(value).catch((reason) => [reason])).toEqual([value]);
      expect(await odd(value).orDefault(() => 7)).toBe(7);
      expect(await odd(value).asResult()).toBe(value);
      const awaited = async () => await odd(value);
      await awaited().then(never, (reason) => expect(reason).toBe(value));
    },
  );

  it("treats success: true as data, whatever the other members", async () => {
    expect(await odd({ success: true, data: 5 })).toBe(5);
  });
});

describe("a GGPromise whose inner promise rejects", () => {
  const bug = new Error("bug");
  const broken = () => new GGPromise<number, NotFound>(Promise.reject(bug));
  const never = () => {
    throw new Error("saw a real rejection");
  };

  it.each<[string, (promise: GGPromise<number, NotFound>) => Promise<unknown>]>([
    ["then", (promise) => promise.then(never, never)],
    ["catch", (promise) => promise.catch(never)],
    ["or", (promise) => promise.or(never)],
    ["orDefault", (promise) => promise.orDefault(never)],
    ["map", (promise) => promise.map(never).asResult()],
    ["finally", (promise) => promise.finally(() => {})],
    ["asResult", (promise) => promise.asResult()],
  ])("passes it through %s untouched", async (_member, read) => {
    await expect(read(broken())).rejects.toBe(bug);
  });

  it("causes an unhandled rejection when it is not read", async () => {
    expect(await unhandledIn(broken)).toEqual([bug]);
  });
});

it("an unread error result causes no unhandled rejection", async () => {
  const unread = await unhandledIn(() => {
    bad();
    bad().map((n) => n);
    void bad().asResult();
    odd("x");
  });
  expect(unread).toEqual([]);
  // The check must be able to fail: reading only the data does cause an unhandled rejection.
  const [reason] = await unhandledIn(() => void bad().then(() => {}));
  expect(reason).toBeInstanceOf(NOT_FOUND);
});

it("OK distinguishes results from other values", () => {
  expect(OK.TYPE).toBe("OK");
  expect(OK.isJson({ success: true, type: "OK" })).toBe(true);
  for (const value of [null, 5, { success: true }, { success: false, type: "OK" }, new NOT_FOUND()]) {
    expect(OK.isJson(value)).toBe(false);
  }
});

it("throwing an error result throws the same instance", async () => {
  const FULL = ERROR.define("PROMISE_FULL", 409, IsObject({ seats: IsUint }));
  const error = new FULL({ seats: 1 });
  const promise = new GGPromise<number, typeof FULL.infer>(Promise.resolve(error));
  await expect(promise).rejects.toBe(error);
});
