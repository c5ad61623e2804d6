import { type GGValidator, IsString } from "@grest-ts/schema";
import { expectTypeOf, it } from "vitest";
import { GGContext, GGContextKey, GGContextStore } from "../src/index.js";

const USER = new GGContextKey("user", IsString);

it("types a context's value as present, and a key's value as possibly absent", () => {
  expectTypeOf(new GGContext("request").get(USER)).toEqualTypeOf<string>();
  expectTypeOf(USER.get()).toEqualTypeOf<string | undefined>();
  expectTypeOf(USER.assert()).toEqualTypeOf<string>();
});

it("needs a schema, and a GGSchema", () => {
  const bare = {} as GGValidator<string>;
  // @ts-expect-error a validator is not a schema
  new GGContextKey<string>("user", bare);
  // @ts-expect-error the schema is missing
  new GGContextKey<string>("user");
  // @ts-expect-error a schema of another type
  new GGContextKey<number>("user", IsString);
});

it("returns nothing from commands", () => {
  expectTypeOf(USER.set).returns.toBeVoid();
  expectTypeOf(USER.delete).returns.toBeVoid();
  expectTypeOf(USER.addCodec).returns.toBeVoid();
  expectTypeOf(new GGContext("request").delete(USER)).toBeVoid();
});

it("takes a name and a parent for a context", () => {
  // @ts-expect-error a third argument is of later versions
  new GGContext("request", undefined, true);
});

it("exposes the store as a class", () => {
  expectTypeOf<GGContextStore>().toBeObject();
  expectTypeOf(GGContextStore.tryGetContext()).toEqualTypeOf<GGContext | undefined>();
});
