import { IsNumber, IsString } from "@grest-ts/schema";
import { describe, expect, it } from "vitest";
import { GGContext, GGContextKey, GGContextStore } from "../src/index.js";

const USER = new GGContextKey<string>("user", IsString, { description: "Who is calling" });
const LEVEL = new GGContextKey<number>("level", IsNumber, { defaultValue: 1 });

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe("a key", () => {
  it("reads as absent outside any context, and cannot be set there", () => {
    expect(USER.get()).toBeUndefined();
    expect(USER.has()).toBe(false);
    USER.delete();
    expect(() => USER.set("ann")).toThrow(/"user".*no context/);
    expect(() => USER.assert()).toThrow("Context named 'user' is required, but not defined!");
  });

  it("holds one value per context, replaced by the next set, by any key of its name", () => {
    const context = new GGContext("request");
    context.run(() => {
      USER.set("ann");
      USER.set("bob");
      expect(USER.get()).toBe("bob");
      expect(USER.assert()).toBe("bob");
      expect(new GGContextKey<string>("user", IsString).get()).toBe("bob");
    });
    expect(context.get(USER)).toBe("bob");
    expect(new GGContext("other").get(USER)).toBeUndefined();
  });

  it("falls back to its default, without counting as set", () => {
    expect(LEVEL.get()).toBe(1);
    new GGContext("request").run(() => {
      expect(LEVEL.get()).toBe(1);
      expect(LEVEL.has()).toBe(false);
      expect(() => LEVEL.assert()).toThrow("Context named 'level' is required, but not defined!");
      LEVEL.set(0);
      expect(LEVEL.get()).toBe(0);
      expect(LEVEL.has()).toBe(true);
    });
  });

  it("does not apply its schema on set", () => {
    new GGContext("request").run(() => {
      USER.set(5 as unknown as string);
      expect(USER.get()).toBe(5);
    });
  });

  it("keeps a codec per carrier", () => {
    const key = new GGContextKey<number>("n", IsNumber);
    const codec = { encode: String, decode: Number };
    expect(key.getCodec("header")).toBeUndefined();
    key.addCodec("header", codec);
    expect(key.getCodec("header")).toBe(codec);
    expect(key.getCodec("cookie")).toBeUndefined();
  });
});

describe("a child context", () => {
  it("sees its parents' values, also those set later, and writes only to itself", () => {
    const parent = new GGContext("connection");
    const child = new GGContext("message", new GGContext("between", parent));
    parent.set(USER, "ann");
    expect(child.get(USER)).toBe("ann");
    expect(child.has(USER)).toBe(true);
    child.set(USER, "bob");
    expect(child.get(USER)).toBe("bob");
    expect(parent.get(USER)).toBe("ann");
  });

  it("reveals the parent's value on delete and on reset, and never removes it", () => {
    const parent = new GGContext("connection").set(USER, "ann");
    const child = new GGContext("message", parent).set(USER, "bob");
    child.delete(USER);
    expect(child.get(USER)).toBe("ann");
    child.delete(USER);
    expect(parent.get(USER)).toBe("ann");
    child.set(USER, "cid").reset();
    expect(child.get(USER)).toBe("ann");
  });

  it("lets null and undefined fall through, but not other falsy values", () => {
    const NAME = new GGContextKey<string | null | undefined>("name", IsString.orNull.orUndefined);
    const parent = new GGContext("connection").set(NAME, "ann");
    const child = new GGContext("message", parent);
    expect(child.set(NAME, null).get(NAME)).toBe("ann");
    expect(child.set(NAME, undefined).get(NAME)).toBe("ann");
    expect(child.set(NAME, "").get(NAME)).toBe("");
    parent.set(NAME, null);
    child.delete(NAME);
    expect(child.get(NAME)).toBeUndefined();
  });

  it("reports any value of its own map or a parent's as present", () => {
    const NAME = new GGContextKey<string | null>("name", IsString.orNull);
    const parent = new GGContext("connection");
    const child = new GGContext("message", parent);
    expect(child.has(NAME)).toBe(false);
    parent.set(NAME, null);
    expect(child.has(NAME)).toBe(true);
    parent.delete(NAME);
    expect(child.has(NAME)).toBe(false);
  });
});

describe("a context that computes a value", () => {
  class Computing extends GGContext {
    override get<T>(key: GGContextKey<T>): T {
      return key.name === USER.name ? ("computed" as T) : super.get(key);
    }
  }

  it("does not report it as present, nor does a child: `has` never calls `get`", () => {
    const parent = new Computing("message");
    for (const context of [parent, new GGContext("child", parent)]) {
      context.run(() => {
        expect(USER.get()).toBe("computed");
        expect(USER.has()).toBe(false);
        expect(() => USER.assert()).toThrow("Context named 'user' is required, but not defined!");
      });
    }
  });

  it("reports it as present once it overrides `has` as well", () => {
    class Honest extends Computing {
      override has<T>(key: GGContextKey<T>): boolean {
        return key.name === USER.name || super.has(key);
      }
    }
    const parent = new Honest("message");
    new GGContext("child", parent).run(() => {
      expect(USER.has()).toBe(true);
      expect(USER.assert()).toBe("computed");
    });
  });
});

describe("the current context", () => {
  it("is the one being run, across awaits, and concurrent runs do not mix", async () => {
    const seen = await Promise.all(
      ["a", "b"].map((name) =>
        new GGContext(name).run(async () => {
          USER.set(name);
          await nextTurn();
          return `${GGContextStore.getContext().name}:${USER.get()}`;
        }),
      ),
    );
    expect(seen).toEqual(["a:a", "b:b"]);
    expect(GGContextStore.hasContext()).toBe(false);
  });

  it("is restored after a nested run, also when that throws", () => {
    const outer = new GGContext("outer");
    outer.run(() => {
      expect(() =>
        new GGContext("inner").run(() => {
          throw new Error("boom");
        }),
      ).toThrow("boom");
      expect(GGContextStore.getContext()).toBe(outer);
    });
  });

  it("is required by one getter and optional in another", () => {
    expect(GGContextStore.tryGetContext()).toBeUndefined();
    expect(() => GGContextStore.getContext()).toThrow(/No context is active/);
  });

  it("is the parent of a branch", () => {
    const outer = new GGContext("outer").set(USER, "ann");
    const branch = outer.run(() => GGContextStore.branch("branch"));
    expect(branch.name).toBe("branch");
    expect(branch.parent).toBe(outer);
    expect(branch.get(USER)).toBe("ann");
    expect(GGContextStore.branch("alone").parent).toBeUndefined();
  });
});

it("runs timers inside the context", async () => {
  const context = new GGContext("job").set(USER, "ann");
  const inTimeout = await new Promise((resolve) => context.setTimeout(() => resolve(USER.get()), 0));
  const inImmediate = await new Promise((resolve) => context.setImmediate(() => resolve(USER.get())));
  const inInterval = await new Promise((resolve) => {
    const timer = context.setInterval(() => {
      clearInterval(timer);
      resolve(USER.get());
    }, 1);
  });
  expect([inTimeout, inImmediate, inInterval]).toEqual(["ann", "ann", "ann"]);
});
