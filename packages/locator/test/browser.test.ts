import { expect, it, vi } from "vitest";

it("works without async tracking, for the synchronous part of a run", async () => {
  vi.resetModules();
  const { GGLocator, GGLocatorKey, GGLocatorScope } = await import("../src/index.browser.js");
  const KEY = new GGLocatorKey<string>("KEY");
  const outer = new GGLocatorScope("outer");
  const inner = new GGLocatorScope("inner");
  outer.run(() => {
    KEY.set("o");
    expect(() =>
      inner.run(() => {
        KEY.set("i");
        throw new Error("boom");
      }),
    ).toThrow("boom");
    expect(KEY.get()).toBe("o");
  });
  expect(inner.get(KEY)).toBe("i");
  expect(GGLocator.hasScope()).toBe(false);
  KEY.set("root");
  expect(KEY.get()).toBe("root");
});
