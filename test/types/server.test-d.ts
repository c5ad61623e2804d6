import type {
  GGContractClient,
  GGContractImplementation,
  GGPromise,
  SERVER_ERROR,
  tUint,
  VALIDATION_ERROR,
} from "@grest-ts/schema";
import type {
  GGCallOptions,
  GGGroupCalls,
  GGSocketServer,
  Unsubscribe,
  WebSocketIncoming,
  WebSocketOutgoing,
} from "@grest-ts/websocket";
import { describe, expectTypeOf, it } from "vitest";
import { Api, type C2S, type LIMITED, NEVER_LISTED, type S2C, type tUserId } from "./api.js";

type Incoming = WebSocketIncoming<C2S>;
type Outgoing = WebSocketOutgoing<S2C>;

const incoming = {} as Incoming;
const outgoing = {} as Outgoing;

/** Handlers that are right, for tests that make one of them wrong. */
const handlers = {
  join: async () => ({ userId: "u", joined: true }),
  count: () => 1,
  silent: async () => true,
  leave: async () => {},
  remark: () => {},
  ping: async () => {},
};

describe("a server's handlers", () => {
  it("get validated, branded input and may return plain values", () => {
    void (() =>
      incoming.on({
        join: async (data) => {
          expectTypeOf(data).toEqualTypeOf<{ userId: tUserId; at: tUint; note?: string | undefined }>();
          return { userId: "plain", joined: true };
        },
        count: () => 5,
        silent: async (text) => {
          expectTypeOf(text).toEqualTypeOf<string>();
          return true;
        },
        leave: ({ userId }) => void expectTypeOf(userId).toEqualTypeOf<tUserId>(),
        remark: async (text) => void expectTypeOf(text).toEqualTypeOf<string | undefined>(),
        ping: () => {},
      }));
    void (() => incoming.on(handlers));
  });

  it("must all be there, and no others", () => {
    const { ping: _ping, ...withoutPing } = handlers;
    // @ts-expect-error ping is missing
    void (() => incoming.on(withoutPing));
    // @ts-expect-error everything is missing
    void (() => incoming.on({}));
    // @ts-expect-error the contract has no such method
    void (() => incoming.on({ ...handlers, nope: () => {} }));
  });

  it("do not compile with a wrong input", () => {
    // @ts-expect-error leave gets an object
    void (() => incoming.on({ ...handlers, leave: (data: string) => void data }));
    // @ts-expect-error there is no such member
    void (() => incoming.on({ ...handlers, leave: async ({ nope }) => void nope }));
    // @ts-expect-error ping has no input
    void (() => incoming.on({ ...handlers, ping: async (data: string) => void data }));
  });

  it("do not compile with a wrong result", () => {
    // @ts-expect-error joined is a boolean
    void (() => incoming.on({ ...handlers, join: async () => ({ userId: "u", joined: "yes" }) }));
    // @ts-expect-error joined is missing
    void (() => incoming.on({ ...handlers, join: async () => ({ userId: "u" }) }));
    // @ts-expect-error nothing is returned
    void (() => incoming.on({ ...handlers, join: async () => {} }));
    // @ts-expect-error count is a number
    void (() => incoming.on({ ...handlers, count: () => "5" }));
    // @ts-expect-error an error that the method does not declare is no result
    void (() => incoming.on({ ...handlers, join: async () => new NEVER_LISTED() }));
  });

  it("may all be given again, and are taken back by what on returns", () => {
    void (() => {
      incoming.on(handlers);
      const takeBack: Unsubscribe = incoming.on({ ...handlers, count: () => 2 });
      takeBack();
    });
    // @ts-expect-error the others are missing: no call knows that it is not the first
    void (() => incoming.on({ count: () => 2 }));
  });

  it("may be what a function that returns nothing ends with, as in 0.0.39", () => {
    void (() => Api.register((incoming) => incoming.on(handlers)));
    void (() => Api.register(async (incoming) => incoming.on(handlers)));
    void ((): void => incoming.on(handlers));
    void ((): void => outgoing.onClose(() => {}));
  });

  it("must be functions", () => {
    // @ts-expect-error a handler is a function
    void (() => incoming.on({ ...handlers, ping: true }));
  });
});

describe("a server's outgoing calls", () => {
  it("have the contract's types", () => {
    expectTypeOf(outgoing.joined).toEqualTypeOf<
      (data: { userId: string }, options?: GGCallOptions) => GGPromise<void, typeof SERVER_ERROR.infer>
    >();
    expectTypeOf(outgoing.confirm).toEqualTypeOf<
      (
        data: { question: string },
        options?: GGCallOptions,
      ) => GGPromise<boolean, InstanceType<typeof LIMITED> | typeof SERVER_ERROR.infer | typeof VALIDATION_ERROR.infer>
    >();
    expectTypeOf(outgoing.areYouThere).toEqualTypeOf<
      (data?: undefined, options?: GGCallOptions) => GGPromise<tUserId, typeof SERVER_ERROR.infer>
    >();
    expectTypeOf(outgoing.nudge).toEqualTypeOf<
      (data?: undefined, options?: GGCallOptions) => GGPromise<void, typeof SERVER_ERROR.infer>
    >();
    expectTypeOf(outgoing.onClose).toBeCallableWith(() => {});
    expectTypeOf(outgoing.onClose).returns.toExtend<Unsubscribe>();
  });

  it("do not compile with a wrong input", () => {
    // @ts-expect-error the input is missing
    void (() => outgoing.joined());
    // @ts-expect-error userId is text
    void (() => outgoing.joined({ userId: 1 }));
    // @ts-expect-error there is no such member
    void (() => outgoing.joined({ userId: "u", more: 1 }));
    // @ts-expect-error nudge has no input
    void (() => outgoing.nudge({}));
    // @ts-expect-error the contract has no such method
    void (() => outgoing.nope());
    // @ts-expect-error join goes the other way
    void (() => outgoing.join({ userId: "u", at: 1 }));
  });

  it("do not compile where an undeclared error or another result is read", () => {
    void (async () => {
      const result = await outgoing.confirm({ question: "?" }).asResult();
      // @ts-expect-error confirm does not declare it
      void (result.type === "ROOM_FULL");
      // @ts-expect-error the result is a boolean
      if (result.success) void result.data.length;
      // @ts-expect-error the result is a boolean
      const text: string = await outgoing.confirm({ question: "?" });
      void text;
    });
  });
});

describe("WebSocketIncoming and WebSocketOutgoing", () => {
  it("take ready-made client and implementation types", () => {
    type ReadyIncoming = WebSocketIncoming<GGContractImplementation<C2S>>;
    type ReadyOutgoing = WebSocketOutgoing<GGContractClient<S2C>>;
    const ready = {} as ReadyOutgoing;
    expectTypeOf(ready.joined).toEqualTypeOf<GGContractClient<S2C>["joined"]>();
    expectTypeOf(ready.confirm({ question: "?" })).toEqualTypeOf<
      GGPromise<boolean, InstanceType<typeof LIMITED> | typeof SERVER_ERROR.infer | typeof VALIDATION_ERROR.infer>
    >();
    expectTypeOf(ready.onClose).toBeFunction();
    expectTypeOf<ReadyIncoming["on"]>()
      .parameter(0)
      .toHaveProperty("join")
      .toEqualTypeOf<GGContractImplementation<C2S>["join"]>();
    const readyIncoming = {} as ReadyIncoming;
    void (() => readyIncoming.on({} as GGContractImplementation<C2S>));
    // @ts-expect-error everything is missing
    void (() => readyIncoming.on({}));
    // @ts-expect-error count is a number
    void (() => readyIncoming.on({ ...handlers, count: () => "5" }));
  });

  it("take function maps written by hand", () => {
    interface Handlers {
      join(data: { userId: string }): Promise<{ joined: boolean }>;
      ping(): Promise<void>;
    }
    const hand = {} as WebSocketIncoming<Handlers>;
    void (() => hand.on({ join: async ({ userId }) => ({ joined: userId === "u" }), ping: async () => {} }));
    // @ts-expect-error ping is missing
    void (() => hand.on({ join: async () => ({ joined: true }) }));
    const push = {} as WebSocketOutgoing<{ joined: (data: { userId: string }) => Promise<void> }>;
    expectTypeOf(push.joined).toEqualTypeOf<(data: { userId: string }) => Promise<void>>();
    // @ts-expect-error userId is text
    void (() => push.joined({ userId: 1 }));
  });

  it("fit the connection handler in every form", () => {
    const raw = (_in: WebSocketIncoming<C2S>, _out: WebSocketOutgoing<S2C>): void => {};
    const ready = async (
      _in: WebSocketIncoming<GGContractImplementation<C2S>>,
      _out: WebSocketOutgoing<GGContractClient<S2C>>,
    ): Promise<void> => {};
    const byHand = (_in: unknown, _out: { joined(data: { userId: string }): PromiseLike<void> }): void => {};
    void (() => [Api.register(raw), Api.register(ready), Api.register(byHand), Api.register(() => {})]);
    // @ts-expect-error the directions are swapped
    void (() => Api.register((_in: WebSocketIncoming<S2C>, _out: WebSocketOutgoing<C2S>): void => {}));
  });
});

describe("register and startServer", () => {
  it("take their options and return what they say", () => {
    expectTypeOf(Api.register).returns.toEqualTypeOf<void>();
    expectTypeOf(Api.startServer).returns.toEqualTypeOf<
      GGSocketServer<object, Readonly<Record<string, string | readonly string[]>>, S2C>
    >();
    expectTypeOf(Api.startServer).returns.toExtend<GGSocketServer>();
    void (() => Api.register(() => {}, { permissionResolver: async () => new Set(["a"]), middlewares: [] }));
    void (() => Api.register(() => {}, { permissionResolver: () => null }));
    // @ts-expect-error scopes are a set
    void (() => Api.register(() => {}, { permissionResolver: () => ["a"] }));
    // @ts-expect-error there is no such option
    void (() => Api.register(() => {}, { https: undefined }));
    // @ts-expect-error a middleware is an object
    void (() => Api.register(() => {}, { middlewares: [() => {}, "no"] }));
    void (() => Api.register(() => {}, { keys: () => ["user:ann"], presence: () => ({ id: "ann", name: "Ann" }) }));
    // @ts-expect-error a person has an id
    void (() => Api.register(() => {}, { presence: () => ({ name: "Ann" }) }));
    // @ts-expect-error keys are a list
    void (() => Api.register(() => {}, { keys: () => "user:ann" }));
  });

  it("reach persons by their keys, typed by the contract", () => {
    const server = {} as ReturnType<typeof Api.startServer>;
    expectTypeOf(server.to("user:ann")).toEqualTypeOf<GGGroupCalls<S2C>>();
    void (() => {
      expectTypeOf(server.closeConnections(() => true, { code: 4000 })).toEqualTypeOf<number>();
      expectTypeOf(server.closeConnections({ key: "user:ann", reason: "Banned" })).toEqualTypeOf<Promise<number>>();
      // @ts-expect-error the function form stays local, and takes its options apart
      server.closeConnections({ code: 4000 });
    });
  });
});
