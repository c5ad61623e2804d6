import { describe, expect, it } from "vitest";
import { GGLocator, GGLocatorKey, GGLocatorScope, GGLocatorServiceType } from "../src/index.js";

interface Clock {
  readonly zone: string;
}

const CLOCK = new GGLocatorKey<Clock>("CLOCK");
const utc: Clock = { zone: "UTC" };
const cet: Clock = { zone: "CET" };

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe("outside any scope", () => {
  it("has no service until one is set, and names it in the error", () => {
    const LATER = new GGLocatorKey<Clock>("LATER");
    expect(LATER.has()).toBe(false);
    expect(LATER.tryGet()).toBeUndefined();
    expect(() => LATER.get()).toThrow(/"LATER" is not registered/);
  });

  it("shares services through the process, the last one set winning", () => {
    CLOCK.set(utc);
    CLOCK.set(cet);
    expect(CLOCK.get()).toBe(cet);
    expect(new GGLocatorKey<Clock>("CLOCK").get()).toBe(cet);
  });

  it("has the process as the owner of services", () => {
    const root = GGLocator.getScopeOrRoot();
    root.setWithLifecycle(CLOCK, utc, { type: GGLocatorServiceType.BUSINESS, start: () => undefined });
    expect(CLOCK.get()).toBe(utc);
  });

  it("has no current scope", () => {
    expect(GGLocator.hasScope()).toBe(false);
    expect(GGLocator.tryGetScope()).toBeUndefined();
    expect(() => GGLocator.getScope()).toThrow(/No locator scope/);
    expect(() => GGLocator.wrapWithRun(() => 1)).toThrow(/No locator scope/);
    expect(() => GGLocator.wrapWithEnter(() => 1)).toThrow(/No locator scope/);
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
          await nextTurn();
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

describe("a service with a lifecycle", () => {
  const lifecycle = { type: GGLocatorServiceType.BUSINESS, start: () => undefined };

  it("needs a scope with an owner", () => {
    const scope = new GGLocatorScope("a");
    expect(() => scope.setWithLifecycle(CLOCK, utc, lifecycle)).toThrow(
      "No lifecycle handler - are you registering outside compose phase?",
    );
    expect(scope.has(CLOCK)).toBe(false);
    scope.setLifecycleOwner({});
    scope.setWithLifecycle(CLOCK, utc, lifecycle);
    expect(scope.get(CLOCK)).toBe(utc);
    expect(() => scope.setWithLifecycle(CLOCK, cet, lifecycle)).toThrow('Scope already has service "CLOCK"');
  });

  it("has its owner in a child that is made later, and not in one that was made before", () => {
    const parent = new GGLocatorScope("parent");
    const before = parent.branch("before");
    parent.setLifecycleOwner({});
    parent.branch("after").setWithLifecycle(CLOCK, utc, lifecycle);
    expect(() => before.setWithLifecycle(CLOCK, utc, lifecycle)).toThrow(/No lifecycle handler/);
  });

  it("has one of the framework's types, in start order", () => {
    const { CONFIG, DATABASE, HTTP, INTL, BUSINESS, PERIODIC_JOBS, SERVICE_DISCOVERY } = GGLocatorServiceType;
    expect([CONFIG, DATABASE, HTTP, INTL, BUSINESS, PERIODIC_JOBS, SERVICE_DISCOVERY]).toEqual([
      0, 10, 20, 25, 30, 40, 999,
    ]);
  });
});

describe("a wrapped function", () => {
  const scopeName = (suffix = "") => `${GGLocator.tryGetScope()?.name}${suffix}`;

  it("runs in the scope that it was wrapped in", () => {
    const wrapped = new GGLocatorScope("a").run(() => GGLocator.wrapWithRun(scopeName));
    expect(wrapped("!")).toBe("a!");
    expect(new GGLocatorScope("b").wrapWithRun(scopeName)()).toBe("b");
    expect(scopeName()).toBe("undefined");
  });

  it("may keep its scope current for the code that follows", async () => {
    const wrapped = new GGLocatorScope("a").run(() => GGLocator.wrapWithEnter(scopeName));
    const seen = new GGLocatorScope("outer").run(async () => {
      const first = wrapped("!");
      await nextTurn();
      return [first, scopeName()];
    });
    expect(await seen).toEqual(["a!", "a"]);
    expect(scopeName()).toBe("undefined");
  });
});

it("a scope can be entered, for all code that follows", async () => {
  const scope = new GGLocatorScope("a");
  const seen = new GGLocatorScope("outer").run(async () => {
    scope.ensureEntered();
    scope.ensureEntered();
    await nextTurn();
    return GGLocator.getScope();
  });
  expect(await seen).toBe(scope);
});
