import type { GGPromise, NOT_FOUND, OK, SERVER_ERROR, tUint, VALIDATION_ERROR } from "@grest-ts/schema";
import type { GGCallOptions, GGWebSocketClient, GGWebSocketClientEnds, Unsubscribe } from "@grest-ts/websocket";
import { describe, expectTypeOf, it } from "vitest";
import { type Api, type C2S, type LIMITED, NEVER_LISTED, type ROOM_FULL, type S2C, type tUserId } from "./api.js";

type Client = ReturnType<typeof Api.createClient>;
type RoomFull = InstanceType<typeof ROOM_FULL>;
type Limited = InstanceType<typeof LIMITED>;
type Joined = { userId: tUserId; joined: boolean };

const client = {} as Client;
const { incoming, outgoing } = client;

describe("a client's calls", () => {
  it("return what they declare, and SERVER_ERROR, and VALIDATION_ERROR when there is input", () => {
    expectTypeOf<Client>().toEqualTypeOf<GGWebSocketClient<C2S, S2C>>();
    expectTypeOf(outgoing.join).returns.toEqualTypeOf<
      GGPromise<Joined, RoomFull | Limited | typeof VALIDATION_ERROR.infer | typeof SERVER_ERROR.infer>
    >();
    expectTypeOf(outgoing.silent).returns.toEqualTypeOf<
      GGPromise<boolean, typeof SERVER_ERROR.infer | typeof VALIDATION_ERROR.infer>
    >();
    expectTypeOf(outgoing.count).returns.toEqualTypeOf<
      GGPromise<tUint, typeof NOT_FOUND.infer | typeof SERVER_ERROR.infer>
    >();
  });

  it("without success return GGPromise<void, SERVER_ERROR>", () => {
    expectTypeOf(outgoing.leave).returns.toEqualTypeOf<GGPromise<void, typeof SERVER_ERROR.infer>>();
    expectTypeOf(outgoing.remark).returns.toEqualTypeOf<GGPromise<void, typeof SERVER_ERROR.infer>>();
    expectTypeOf(outgoing.ping).returns.toEqualTypeOf<GGPromise<void, typeof SERVER_ERROR.infer>>();
  });

  it("take plain values where the contract has brands, and give brands back", () => {
    expectTypeOf(outgoing.join).parameter(0).toEqualTypeOf<{ userId: string; at: number; note?: string | undefined }>();
    expectTypeOf(outgoing.silent).parameter(0).toEqualTypeOf<string>();
    expectTypeOf(outgoing.remark).parameter(0).toEqualTypeOf<string | undefined>();
    const branded = {} as tUserId;
    void (() => [outgoing.join({ userId: "plain", at: 5 }), outgoing.join({ userId: branded, at: 5 })]);
    void (async () => expectTypeOf(await outgoing.join({ userId: "plain", at: 5 })).toEqualTypeOf<Joined>());
    void (() => [outgoing.remark(), outgoing.remark("x"), outgoing.remark(undefined), outgoing.ping()]);
  });

  it("take timeout and signal as their second argument", () => {
    const signal = {} as AbortSignal;
    void (() => [
      outgoing.join({ userId: "u", at: 1 }, { timeout: 5, signal }),
      outgoing.ping(undefined, { signal }),
      outgoing.count(undefined, { timeout: 1 }),
    ]);
    expectTypeOf(outgoing.join).parameter(1).toEqualTypeOf<GGCallOptions | undefined>();
    expectTypeOf<GGCallOptions>().toEqualTypeOf<{
      readonly timeout?: number;
      readonly signal?: AbortSignal;
      readonly droppable?: boolean;
    }>();
    // @ts-expect-error timeout is a number
    void (() => outgoing.join({ userId: "u", at: 1 }, { timeout: "5" }));
    // @ts-expect-error there is no such option
    void (() => outgoing.join({ userId: "u", at: 1 }, { timeOut: 5 }));
  });

  it("do not compile with a wrong input", () => {
    // @ts-expect-error the input is missing
    void (() => outgoing.join());
    // @ts-expect-error at is missing
    void (() => outgoing.join({ userId: "u" }));
    // @ts-expect-error at is a number
    void (() => outgoing.join({ userId: "u", at: "1" }));
    // @ts-expect-error there is no such member
    void (() => outgoing.join({ userId: "u", at: 1, more: 1 }));
    // @ts-expect-error null is not undefined
    void (() => outgoing.remark(null));
    // @ts-expect-error ping has no input
    void (() => outgoing.ping({}));
    // @ts-expect-error the contract has no such method
    void (() => outgoing.nope());
    // @ts-expect-error a method cannot be replaced
    void (() => (outgoing.ping = outgoing.leave as never));
  });
});

describe("a result", () => {
  it("narrows by type: issues, the data of a custom error, and what succeeded", () => {
    void (async () => {
      const result = await outgoing.join({ userId: "u", at: 1 }).asResult();
      expectTypeOf(result).toEqualTypeOf<
        OK<Joined> | RoomFull | Limited | typeof VALIDATION_ERROR.infer | typeof SERVER_ERROR.infer
      >();
      if (result.success) {
        expectTypeOf(result.data).toEqualTypeOf<Joined>();
        expectTypeOf(result.type).toEqualTypeOf<"OK">();
      } else if (result.type === "VALIDATION_ERROR") {
        expectTypeOf(result.data).toEqualTypeOf<(typeof VALIDATION_ERROR.infer)["data"]>();
      } else if (result.type === "LIMITED") {
        expectTypeOf(result.data).toEqualTypeOf<{ retry: tUint }>();
      } else if (result.type === "ROOM_FULL") {
        expectTypeOf(result.data).toEqualTypeOf<never>();
      } else {
        expectTypeOf(result).toEqualTypeOf<typeof SERVER_ERROR.infer>();
      }
    });
  });

  it("of type OK holds the data too", () => {
    void (async () => {
      const result = await outgoing.count().asResult();
      if (result.type === "OK") expectTypeOf(result.data).toEqualTypeOf<tUint>();
      else expectTypeOf(result.type).toEqualTypeOf<"NOT_FOUND" | "SERVER_ERROR">();
    });
  });

  it("does not compile where data is read before success is known", () => {
    void (async () => {
      const result = await outgoing.join({ userId: "u", at: 1 }).asResult();
      // @ts-expect-error it may be an error
      void result.data.joined;
    });
  });

  it("does not compile where an undeclared error is asked for", () => {
    void (async () => {
      const result = await outgoing.join({ userId: "u", at: 1 }).asResult();
      // @ts-expect-error join does not declare it
      void (result.type === "NEVER_LISTED");
      const quiet = await outgoing.count().asResult();
      // @ts-expect-error without input nothing can be invalid
      void (quiet.type === "VALIDATION_ERROR");
    });
    void (() =>
      outgoing
        .join({ userId: "u", at: 1 })
        .catch((error) => expectTypeOf(error.type).not.toEqualTypeOf<"NEVER_LISTED">()));
    void NEVER_LISTED;
  });

  it("has the types of the promise's other members", () => {
    void (() => {
      expectTypeOf(outgoing.count().orDefault(() => 0 as tUint)).toEqualTypeOf<Promise<tUint>>();
      expectTypeOf(outgoing.count().map((count) => String(count))).toEqualTypeOf<
        GGPromise<string, typeof NOT_FOUND.infer | typeof SERVER_ERROR.infer>
      >();
      outgoing
        .count()
        .catch((error) => expectTypeOf(error).toEqualTypeOf<typeof NOT_FOUND.infer | typeof SERVER_ERROR.infer>());
      outgoing.leave({ userId: "u" }).or((error) => expectTypeOf(error).toEqualTypeOf<typeof SERVER_ERROR.infer>());
    });
  });
});

describe("a client's handlers", () => {
  it("may be any part of the methods", () => {
    void (() => {
      incoming.on({});
      incoming.on({ nudge: () => {} });
      incoming.on({
        joined: ({ userId }) => void expectTypeOf(userId).toEqualTypeOf<tUserId>(),
        confirm: async ({ question }) => question === "yes",
        areYouThere: () => "plain",
      });
    });
  });

  it("are taken back by what on returns", () => {
    expectTypeOf(incoming.on).returns.toExtend<Unsubscribe>();
  });

  it("of a method without success may return whatever they like", () => {
    const users: string[] = [];
    void (() => incoming.on({ joined: ({ userId }) => users.push(userId), nudge: async () => users.length }));
  });

  it("do not compile when they are wrong", () => {
    // @ts-expect-error the contract has no such method
    void (() => incoming.on({ nope: () => {} }));
    // @ts-expect-error ping goes the other way
    void (() => incoming.on({ ping: () => {} }));
    // @ts-expect-error joined gets an object
    void (() => incoming.on({ joined: (data: number) => void data }));
    // @ts-expect-error confirm returns a boolean
    void (() => incoming.on({ confirm: async () => "yes" }));
    // @ts-expect-error confirm returns something
    void (() => incoming.on({ confirm: async () => {} }));
    // @ts-expect-error an error that the method does not declare is no result
    void (() => incoming.on({ confirm: async () => new NEVER_LISTED() }));
    // @ts-expect-error nudge gets nothing
    void (() => incoming.on({ nudge: (data: string) => void data }));
  });

  it("have the same types in the callback of connect", () => {
    void (() =>
      client.connect((ends) => {
        expectTypeOf(ends).toEqualTypeOf<GGWebSocketClientEnds<C2S, S2C>>();
        expectTypeOf(ends.outgoing).toEqualTypeOf(outgoing);
        expectTypeOf(ends.incoming).toEqualTypeOf(incoming);
      }));
    void (() => client.connect(async ({ incoming: { on } }) => on({ nudge() {} })));
    void (() => client.connect(({ incoming: { on } }) => on({ nudge() {} })));
    expectTypeOf(client.connect).returns.toEqualTypeOf<Promise<void>>();
  });
});

describe("a client's life", () => {
  it("is typed", () => {
    expectTypeOf(client.isConnected).toEqualTypeOf<boolean>();
    expectTypeOf(client.disconnect).returns.toEqualTypeOf<Promise<void>>();
    expectTypeOf(client.close).returns.toEqualTypeOf<void>();
    void (() => {
      expectTypeOf(client.onClose(() => {})).toEqualTypeOf<Unsubscribe & Client>();
      expectTypeOf(client.onError((error) => expectTypeOf(error).toExtend<Error>())).toEqualTypeOf<
        Unsubscribe & Client
      >();
    });
    // @ts-expect-error isConnected is read-only
    void (() => (client.isConnected = true));
  });
});
