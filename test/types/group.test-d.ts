import { type GGPromise, IsNumber, IsObject, IsString, type SERVER_ERROR } from "@grest-ts/schema";
import {
  type GGBus,
  type GGGroupJoin,
  type GGPosition,
  type GGPresenceInfo,
  GGSocketGroup,
  localBus,
  type Unsubscribe,
} from "@grest-ts/websocket";
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

it("types what is present by the validator of a group", () => {
  const plain = new GGSocketGroup(ExtApi, { name: "room" });
  expectTypeOf(plain.present).returns.resolves.toEqualTypeOf<readonly GGPresenceInfo[]>();
  const IsPerson = IsObject({ id: IsString, age: IsNumber });
  const typed = new GGSocketGroup(ExtApi, { name: "room", bus: localBus(), presence: IsPerson });
  expectTypeOf(typed.present).returns.resolves.items.toEqualTypeOf<{ id: string; age: number }>();
  void (() =>
    expectTypeOf(
      typed.onPresence(({ joined, left }) => {
        expectTypeOf(joined).items.toEqualTypeOf<{ id: string; age: number }>();
        expectTypeOf(left).toEqualTypeOf(joined);
      }),
    ).toEqualTypeOf<Unsubscribe>());
  // @ts-expect-error a person has an id
  void (() => new GGSocketGroup(ExtApi, { name: "room", presence: IsObject({ name: IsString }) }));
});

it("types the options and results of a group on several nodes", () => {
  const group = new GGSocketGroup(ExtApi, { name: "room", bus: {} as GGBus, history: { size: 1, ttlMs: 1 } });
  expectTypeOf(group.add).returns.resolves.toEqualTypeOf<GGGroupJoin>();
  expectTypeOf<GGGroupJoin>().toEqualTypeOf<{
    readonly isLive: boolean;
    readonly recovered?: boolean | undefined;
  }>();
  expectTypeOf(group.position).toEqualTypeOf<GGPosition | undefined>();
  expectTypeOf(group.count).returns.resolves.toEqualTypeOf<number>();
  void (() => group.news({ text: "" }, { except: {} as ExtOutgoing, droppable: true }));
  // @ts-expect-error a group waits for no reply
  void (() => group.news({ text: "" }, { timeout: 1 }));
  // @ts-expect-error a history has a time
  void (() => new GGSocketGroup(ExtApi, { name: "room", history: { size: 1 } }));
});
