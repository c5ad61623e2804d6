import type { GGContext } from "@grest-ts/context";
import { NOT_FOUND, SERVER_ERROR, type tUint, VALIDATION_ERROR } from "@grest-ts/schema";
import { webSocketSchema } from "@grest-ts/websocket";
import {
  type CallOnOptions,
  callOn,
  type GGFieldIssues,
  type GGSocketCall,
  type GGSocketMock,
} from "@grest-ts/websocket/testkit";
import { describe, expect, expectTypeOf, it } from "vitest";
import { Api, contract, LIMITED, NEVER_LISTED, ROOM_FULL, type tUserId } from "./api.js";

declare const api: ReturnType<
  typeof callOn<typeof contract.methods.clientToServer, typeof contract.methods.serverToClient, object, undefined>
>;
type IsAny<T> = 0 extends 1 & T ? true : false;

describe("callOn", () => {
  it("infers everything from the schema", () => {
    expectTypeOf(() => callOn(Api)).returns.toEqualTypeOf<typeof api>();
    expectTypeOf(api.connect).toEqualTypeOf<() => Promise<void>>();
    expectTypeOf(api.disconnect).toEqualTypeOf<() => Promise<void>>();
    expectTypeOf<keyof typeof api>().toEqualTypeOf<
      "connect" | "disconnect" | "mock" | "join" | "count" | "silent" | "leave" | "remark" | "ping"
    >();
    expectTypeOf<keyof typeof api.mock>().toEqualTypeOf<"joined" | "confirm" | "areYouThere" | "nudge">();
    // @ts-expect-error the contract has no such method
    void (() => api.nope());
    // @ts-expect-error it goes the other way
    void (() => api.mock.join);
  });

  it("takes a context, or options typed by the schema", () => {
    const Rooms = webSocketSchema(contract).path("ws/rooms").queryOnConnect<{ room: tUserId }>().done();
    void (() => callOn(Rooms, {} as GGContext));
    void (() => callOn(Rooms, { url: "ws://localhost", query: { room: "a" }, timeout: 5, middlewares: [] }));
    // @ts-expect-error room is text
    void (() => callOn(Rooms, { query: { room: 1 } }));
    // @ts-expect-error there is no such option
    void (() => callOn(Rooms, { uri: "ws://localhost" }));
    expectTypeOf<IsAny<CallOnOptions["query"]>>().toEqualTypeOf<false>();
  });
});

describe("a call", () => {
  it("takes plain values and gives the contract's", () => {
    void (async () => {
      const joined = await api.join({ userId: "u", at: 1 });
      expectTypeOf(joined).toEqualTypeOf<{ userId: tUserId; joined: boolean }>();
      expectTypeOf(await api.count()).toEqualTypeOf<tUint>();
      expectTypeOf(await api.leave({ userId: "u" })).toEqualTypeOf<undefined>();
      expectTypeOf(await api.remark()).toEqualTypeOf<undefined>();
      expectTypeOf(api.ping()).toExtend<Promise<undefined>>();
    });
    // @ts-expect-error the input is missing
    void (() => api.join());
    // @ts-expect-error at is a number
    void (() => api.join({ userId: "u", at: "1" }));
    // @ts-expect-error ping has no input
    void (() => api.ping({}));
  });

  it("compares with what the contract gives, and matchers", () => {
    const call = api.join({ userId: "u", at: 1 });
    expectTypeOf(call.toEqual({ userId: "u", joined: true })).toEqualTypeOf(call);
    void (() => call.toEqual({ userId: expect.any(String), joined: true }).toMatchObject({ joined: false }));
    // @ts-expect-error joined is missing
    void (() => call.toEqual({ userId: "u" }));
    // @ts-expect-error joined is a boolean
    void (() => call.toMatchObject({ joined: "yes" }));
    // @ts-expect-error there is no such member
    void (() => call.toMatchObject({ nope: 1 }));
    // @ts-expect-error the result is no array
    void (() => call.arrayToContain({ joined: true }));
  });

  it("expects only errors that can come, and gives their data", () => {
    void (async () => {
      const call = () => api.join({ userId: "u", at: 1 });
      expectTypeOf(await call().toBeError(ROOM_FULL)).toEqualTypeOf<undefined>();
      expectTypeOf(await call().toBeError(LIMITED)).toEqualTypeOf<{ retry: tUint }>();
      expectTypeOf(await call().toBeError(LIMITED).toMatchObject({ retry: 5 })).toEqualTypeOf<{ retry: tUint }>();
      expectTypeOf(await api.count().toBeError(NOT_FOUND)).toEqualTypeOf<undefined>();
      // @ts-expect-error join does not declare it
      call().toBeError(NEVER_LISTED);
      // @ts-expect-error it has no reply
      api.leave({ userId: "u" }).toBeError(SERVER_ERROR);
      // @ts-expect-error one error is enough
      call().toBeError(ROOM_FULL).toBeError(LIMITED);
      // @ts-expect-error retry is a number
      call().toBeError(LIMITED).toEqual({ retry: "5" });
    });
  });

  it("gives validation errors by field", () => {
    void (async () => {
      const errors = await api
        .join({ userId: "", at: 1 })
        .toBeError(VALIDATION_ERROR)
        .toEqual({ userId: ["too short"] });
      expectTypeOf(errors.userId).toEqualTypeOf<GGFieldIssues | undefined>();
      expectTypeOf(errors[""]).toEqualTypeOf<GGFieldIssues | undefined>();
      expectTypeOf(errors.note?.[0]).toEqualTypeOf<string | undefined>();
      // @ts-expect-error the input has no such field
      void errors.nope;
      const invalid = api.join({ userId: "", at: 1 }).toBeError(VALIDATION_ERROR);
      // @ts-expect-error the input has no such field
      invalid.toMatchObject({ nope: ["x"] });
    });
  });

  it("waits for mocks, and for nothing else", () => {
    const call = api.join({ userId: "u", at: 1 });
    expectTypeOf(call.with(api.mock.joined, api.mock.nudge.times(2))).toEqualTypeOf(call);
    expectTypeOf(call.waitFor(api.mock.joined.toEqual({ userId: "u" }), 10)).toEqualTypeOf(call);
    // @ts-expect-error a call is no expectation of a push
    void (() => call.with(5));
    expectTypeOf(call).toExtend<GGSocketCall<unknown, unknown, never> | Promise<unknown>>();
  });
});

describe("a mock", () => {
  it("gives the payload, or all of them", () => {
    void (async () => {
      expectTypeOf(await api.mock.joined).toEqualTypeOf<{ userId: tUserId }>();
      expectTypeOf(await api.mock.joined.toMatchObject({ userId: "u" }).times(2)).toEqualTypeOf<
        { userId: tUserId }[]
      >();
      expectTypeOf(await api.mock.nudge).toEqualTypeOf<undefined>();
      expectTypeOf(await api.mock.confirm.andReturn(true)).toEqualTypeOf<{ question: string }>();
    });
    // @ts-expect-error userId is text
    void (() => api.mock.joined.toEqual({ userId: 1 }));
    expectTypeOf(api.mock.joined).toEqualTypeOf<GGSocketMock<{ userId: tUserId }>>();
  });

  it("answers requests, with what the contract says", () => {
    void (() => api.mock.confirm.andReturn(true).sleep(5));
    void (() => api.mock.confirm.andReturn(new LIMITED({ retry: 1 })));
    void (() => api.mock.areYouThere.andReturn("u"));
    // @ts-expect-error the answer is a boolean
    void (() => api.mock.confirm.andReturn("yes"));
    // @ts-expect-error confirm does not declare it
    void (() => api.mock.confirm.andReturn(new ROOM_FULL()));
    // @ts-expect-error a push takes no answer
    void (() => api.mock.joined.andReturn(undefined));
    // @ts-expect-error a push has no answer to delay
    void (() => api.mock.joined.sleep(5));
  });
});
