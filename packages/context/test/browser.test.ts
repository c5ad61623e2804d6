import { expect, it, vi } from "vitest";

it("works without async tracking, for the synchronous part of a run", async () => {
  vi.resetModules();
  const { GGContext, GGContextStore } = await import("../src/index.browser.js");
  const outer = new GGContext("outer");
  const inner = new GGContext("inner");
  let afterAwait: unknown = "not reached";
  const done = outer.run(async () => {
    expect(() =>
      inner.run(() => {
        expect(GGContextStore.getContext()).toBe(inner);
        throw new Error("boom");
      }),
    ).toThrow("boom");
    expect(GGContextStore.getContext()).toBe(outer);
    await undefined;
    afterAwait = GGContextStore.tryGetContext();
  });
  expect(GGContextStore.hasContext()).toBe(false);
  await done;
  expect(afterAwait).toBeUndefined();
});
