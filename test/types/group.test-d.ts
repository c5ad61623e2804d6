import type { GGPromise, SERVER_ERROR } from "@grest-ts/schema";
import { GGSocketGroup } from "@grest-ts/websocket";
import { expectTypeOf, it } from "vitest";
import { ExtApi, type ExtOutgoing } from "../support/extApi.js";

it("gives a group the contract's messages, typed, and none of its requests", () => {
  const group = new GGSocketGroup(ExtApi);
  expectTypeOf(group.add).toBeCallableWith({} as ExtOutgoing);
  expectTypeOf(group.size).toEqualTypeOf<number>();
  expectTypeOf(group.news).parameter(0).toEqualTypeOf<{ text: string; n?: number }>();
  expectTypeOf(group.news).returns.toEqualTypeOf<GGPromise<void, typeof SERVER_ERROR.infer>>();
  expectTypeOf(group).not.toHaveProperty("ask");
  // @ts-expect-error the text is missing
  group.news({});
});
