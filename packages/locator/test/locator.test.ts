import { afterEach, describe, expect, it } from "vitest";
import { GGLocator, GGLocatorKey, GGLocatorScope } from "../src/index.js";

interface Clock {
  readonly zone: string;
}

const CLOCK = new GGLocatorKey<Clock>("CLOCK");
const utc: Clock = { zone: "UTC" };
const cet: Clock = { zone: "CET" };

afterEach(() => {
  CLOCK.delete();
});

describe("outside any scope", () => {
  it("has no service until one is set, and says so by name", () => {
    expect(CLOCK.has()).toBe(false);
    expect(CLOCK.tryGet()).toBeUndefined();
    expect(() => CLOCK.get()).toThrow(/"CLOCK" is not registered/);
  });

  it("shares services through the process, the last one set winning", () => {
    CLOCK.set(utc);
    CLOCK.set(cet);
    expect(CLOCK.get()).toBe(cet);
    expect(new GGLocatorKey<Clock>("CLOCK").get()).toBe(cet);
  });

  it("forgets a deleted service", () => {
    CLOCK.set(utc);
    expect(CLOCK.delete()).toBe(true);
    expect(CLOCK.delete()).toBe(false);
    expect(CLOCK.has()).toBe(false);
  });

  it("has no current scope", () => {
    expect(GGLocator.hasScope()).toBe(false);
    expect(GGLocator.tryGetScope()).toBeUndefined();
    expect(() => GGLocator.getScope()).toThrow(/No locator scope/);
  });
});

describe("inside a scope", () => {
  it("keeps services apart from the process and from other scopes", () => {
    CLOCK.set(utc);
    const a = new GGLocatorScope("a");
    const b = new GGLocatorScope("b");
    a.run(() => CLOCK.set(cet));
    expect(a.run(() => CLOCK.get())).toBe(cet);
    expect(b.run(() => CLOCK.has())).toBe(false);
    expect(CLOCK.get()).toBe(utc);
  });

  it("refuses a second service under a taken key, but not an overwrite", () => {
    new GGLocatorScope("a").run(() => {
      CLOCK.set(utc);
      expect(() => CLOCK.set(cet)).toThrow('Scope already has service "CLOCK"');
      expect(CLOCK.get()).toBe(utc);
      CLOCK.overwrite(cet);
      expect(CLOCK.get()).toBe(cet);
    });
  });

  it("stays current across awaits, and concurrent scopes do not mix", async () => {
    const seen = await Promise.all(
      ["a", "b"].map((name) =>
        new GGLocatorScope(name).run(async () => {
          CLOCK.set({ zone: name });
          await new Promise((resolve) => setImmediate(resolve));
          return `${GGLocator.getScope().name}:${CLOCK.get().zone}`;
        }),
      ),
    );
    expect(seen).toEqual(["a:a", "b:b"]);
  });

  it("gives a branch a copy of what it holds at that moment", () => {
    const OTHER = new GGLocatorKey<number>("OTHER");
    const parent = new GGLocatorScope("parent", undefined, "shop");
    parent.set(CLOCK, utc);
    const child = parent.branch("child");
    parent.set(OTHER, 1);
    expect(child.get(CLOCK)).toBe(utc);
    child.overwrite(CLOCK, cet);
    expect(child.serviceName).toBe("shop");
    expect(child.parent).toBe(parent);
    expect(child.getKeys()).toEqual(["CLOCK"]);
    expect(parent.get(CLOCK)).toBe(utc);
    expect(parent.getKeys()).toEqual(["CLOCK", "OTHER"]);
  });

  it("has a service name even when none is given", () => {
    expect(new GGLocatorScope("a").serviceName).toBe("Unknown");
  });
});
