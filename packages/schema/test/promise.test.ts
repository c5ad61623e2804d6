import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type ERROR, GGPromise, NOT_FOUND, OK, SERVER_ERROR } from "../src/index.js";

const good = <T>(data: T) => new GGPromise<T, NOT_FOUND>(Promise.resolve({ success: true, type: "OK", data } as const));
const bad = () => new GGPromise<number, NOT_FOUND>(Promise.resolve(new NOT_FOUND()));

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

  it("hands an error to the handler that reads it", async () => {
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

  it("maps data, passes errors on, and catches what the mapping throws", async () => {
    expect(await good(5).map((n) => n + 1)).toBe(6);
    expect(
      await good(5)
        .map(async (n) => n + 1)
        .asResult(),
    ).toEqual({ success: true, type: "OK", data: 6 });
    expect(
      (
        await bad()
          .map((n) => n + 1)
          .asResult()
      ).type,
    ).toBe("NOT_FOUND");
    const failed = await good(5)
      .map(() => {
        throw new Error("bug");
      })
      .asResult();
    expect(failed).toBeInstanceOf(SERVER_ERROR);
  });

  it("keeps data that looks like a result when it maps", async () => {
    const nested = good(5).map(() => ({ success: true, type: "OK", data: 1 }) as const);
    expect(await nested).toEqual({ success: true, type: "OK", data: 1 });
  });

  it("takes a plain value for data", async () => {
    const plain = new GGPromise<number>(Promise.resolve(5) as never);
    expect(await plain).toBe(5);
    expect(await plain.asResult()).toEqual({ success: true, type: "OK", data: 5 });
  });

  it("survives an inner promise that rejects", async () => {
    const broken = () => new GGPromise<number, SERVER_ERROR>(Promise.reject(new Error("x")));
    await expect(broken()).rejects.toBeInstanceOf(SERVER_ERROR);
    expect((await broken().asResult()).success).toBe(false);
    expect(await broken().orDefault(() => 1)).toBe(1);
  });

  it("never makes an unhandled rejection of a result that nobody reads", async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", listener);
    try {
      bad();
      bad().map((n) => n);
      new GGPromise(Promise.reject(new Error("x")));
      good(1).map(() => {
        throw new Error("x");
      });
      // The check must be able to fail: someone who reads only the data does get an unhandled rejection.
      void bad().then(() => {});
      await nextTurn();
      await nextTurn();
      expect(unhandled.map((reason) => (reason as ERROR).type)).toEqual(["NOT_FOUND"]);
    } finally {
      process.off("unhandledRejection", listener);
    }
  });
});

it("OK tells results from other values", () => {
  expect(OK.TYPE).toBe("OK");
  expect(OK.isJson({ success: true, type: "OK" })).toBe(true);
  for (const value of [null, 5, { success: true }, { success: false, type: "OK" }, new NOT_FOUND()]) {
    expect(OK.isJson(value)).toBe(false);
  }
});
