import type { ERROR, OK, SERVER_ERROR, tUint, VALIDATION_ERROR } from "@grest-ts/schema";
import type { ClientState, GGCallOptions, GGWebSocketClient } from "@grest-ts/websocket";
import { type ConnectionInfo, createHooks, type SocketProviderProps } from "@grest-ts/websocket/react";
import { createElement, type ReactElement, type ReactNode } from "react";
import { describe, expectTypeOf, it } from "vitest";
import { Api, type C2S, contract, type LIMITED, type ROOM_FULL, type S2C, type tUserId } from "./api.js";

const { SocketProvider, useAnswer, useCall, useClient, useConnection, usePush, usePushState } = createHooks(Api);
type Client = GGWebSocketClient<C2S, S2C>;
type ServerError = typeof SERVER_ERROR.infer;
type ValidationError = typeof VALIDATION_ERROR.infer;

describe("createHooks", () => {
  it("takes a schema, with query arguments too, or a contract", () => {
    expectTypeOf(createHooks(contract)).toEqualTypeOf(createHooks(Api));
    // @ts-expect-error neither
    void (() => createHooks({ name: "Api" }));
    // @ts-expect-error the API's client is none
    void (() => createHooks(Api.createClient()));
  });
});

describe("SocketProvider", () => {
  it("is a component that takes a client of its API, and children", () => {
    expectTypeOf(SocketProvider).returns.toEqualTypeOf<ReactElement>();
    expectTypeOf(SocketProvider).parameter(0).toEqualTypeOf<SocketProviderProps<C2S, S2C>>();
    expectTypeOf<SocketProviderProps<C2S, S2C>["client"]>().toEqualTypeOf<Client>();
    expectTypeOf<SocketProviderProps<C2S, S2C>["children"]>().toEqualTypeOf<ReactNode>();
    void (() => createElement(SocketProvider, { client: Api.createClient() }, "text", createElement("p")));
    // @ts-expect-error the client is missing
    void (() => createElement(SocketProvider, {}));
    // @ts-expect-error it is no client
    void (() => createElement(SocketProvider, { client: {} }));
    // @ts-expect-error there is no such prop
    void (() => createElement(SocketProvider, { client: Api.createClient(), url: "" }));
  });
});

describe("useClient and useConnection", () => {
  it("return the client, and what is known of the connection", () => {
    expectTypeOf(useClient).toEqualTypeOf<() => Client>();
    expectTypeOf(useConnection).toEqualTypeOf<() => ConnectionInfo>();
    expectTypeOf<ConnectionInfo>().toEqualTypeOf<{
      readonly state: ClientState;
      readonly since: number;
      readonly attempt: number;
      readonly nextTryAt?: number | undefined;
      readonly error?: ERROR<string, unknown> | undefined;
    }>();
  });
});

describe("usePush", () => {
  it("takes the methods without success, and gives their input", () => {
    expectTypeOf(usePush<"joined">)
      .parameter(1)
      .toEqualTypeOf<(data: { userId: tUserId }) => void>();
    expectTypeOf(usePush<"nudge">)
      .parameter(1)
      .toEqualTypeOf<() => void>();
    expectTypeOf(usePush).parameter(0).toEqualTypeOf<"joined" | "nudge">();
    expectTypeOf(usePush).returns.toEqualTypeOf<void>();
    void (() => usePush("joined", ({ userId }) => expectTypeOf(userId).toEqualTypeOf<tUserId>()));
    void (() => [usePush("nudge", () => {}), usePush("nudge", async () => 5)]);
    // @ts-expect-error requests are answered by useAnswer
    void (() => usePush("confirm", () => true));
    // @ts-expect-error this one goes to the server
    void (() => usePush("leave", () => {}));
    // @ts-expect-error there is no such push
    void (() => usePush("nope", () => {}));
    // @ts-expect-error it has no such member
    void (() => usePush("joined", ({ user }) => user));
    // @ts-expect-error it has no input
    void (() => usePush("nudge", (data: string) => data));
    // @ts-expect-error the handler is missing
    void (() => usePush("nudge"));
  });
});

describe("usePushState", () => {
  it("is a list of what is pushed when it begins with []", () => {
    const list = () => usePushState("joined", (all, one) => [...all, one].slice(-5), []);
    expectTypeOf(list).returns.toEqualTypeOf<readonly { userId: tUserId }[]>();
    // @ts-expect-error a state is not changed in place
    void (() => usePushState("joined", (all, one) => [all.push(one), all][1], []));
  });

  it("is what it begins with otherwise", () => {
    expectTypeOf(() => usePushState("nudge", (count) => count + 1, 0)).returns.toEqualTypeOf<number>();
    expectTypeOf(() => usePushState("joined", (count) => count + 1, 0)).returns.toEqualTypeOf<number>();
    const userIds = () => usePushState("joined", (ids, { userId }) => [...ids, userId], [] as string[]);
    expectTypeOf(userIds).returns.toEqualTypeOf<string[]>();
    const latest = () => usePushState("joined", (_: string | undefined, { userId }) => userId, undefined);
    expectTypeOf(latest).returns.toEqualTypeOf<string | undefined>();
    const map = () => usePushState("joined", (all, one) => new Map([...all, [one.userId, 1]]), new Map<tUserId, 1>());
    expectTypeOf(map).returns.toEqualTypeOf<Map<tUserId, 1>>();
    // @ts-expect-error the reducer returns something else
    void (() => usePushState("nudge", () => "text", 0));
    // @ts-expect-error requests have no state
    void (() => usePushState("confirm", (count) => count + 1, 0));
    // @ts-expect-error it begins with something
    void (() => usePushState("nudge", (count: number) => count + 1));
  });
});

describe("useAnswer", () => {
  it("takes the methods with success, and wants their result", () => {
    expectTypeOf(useAnswer).parameter(0).toEqualTypeOf<"confirm" | "areYouThere">();
    expectTypeOf(useAnswer<"confirm">)
      .parameter(1)
      .toEqualTypeOf<(data: { question: string }) => boolean | PromiseLike<boolean>>();
    expectTypeOf(useAnswer<"areYouThere">)
      .parameter(1)
      .toEqualTypeOf<() => string | PromiseLike<string>>();
    void (() => [useAnswer("confirm", async () => true), useAnswer("areYouThere", () => "me")]);
    // @ts-expect-error a push has no answer
    void (() => useAnswer("nudge", () => {}));
    // @ts-expect-error the answer is missing
    void (() => useAnswer("confirm", () => {}));
    // @ts-expect-error the answer is a boolean
    void (() => useAnswer("confirm", async () => "yes"));
  });
});

describe("useCall", () => {
  it("takes the methods of the server, and gives their results and errors", () => {
    expectTypeOf<Parameters<typeof useCall>[0]>().toEqualTypeOf<
      "join" | "count" | "silent" | "leave" | "remark" | "ping"
    >();
    const join = () => useCall("join", { abortOnUnmount: true });
    type Joined = { userId: tUserId; joined: boolean };
    type Failed = InstanceType<typeof ROOM_FULL> | InstanceType<typeof LIMITED> | ValidationError | ServerError;
    expectTypeOf(join).returns.toEqualTypeOf<{
      readonly call: (
        data: { userId: string; at: number; note?: string | undefined },
        options?: GGCallOptions,
      ) => Promise<OK<Joined> | Failed>;
      readonly pending: boolean;
      readonly data: Joined | undefined;
      readonly error: Failed | undefined;
    }>();
    void (async () => {
      const { call, error } = join();
      const outcome = await call({ userId: "a", at: 1 });
      if (outcome.success) expectTypeOf(outcome.data).toEqualTypeOf<Joined>();
      else expectTypeOf(outcome).toEqualTypeOf<Failed>();
      if (error?.type === "LIMITED") expectTypeOf(error.data).toEqualTypeOf<{ retry: tUint }>();
      // @ts-expect-error only a success has data of the result
      void outcome.data.joined;
    });
  });

  it("gives undefined for messages, which have no result", () => {
    type Outcome = Promise<OK<void> | ServerError>;
    expectTypeOf(useCall("leave").call).toEqualTypeOf<(data: { userId: string }, options?: GGCallOptions) => Outcome>();
    expectTypeOf(useCall("remark").call).toEqualTypeOf<(data?: string, options?: GGCallOptions) => Outcome>();
    expectTypeOf(useCall("ping").call).toEqualTypeOf<(data?: undefined, options?: GGCallOptions) => Outcome>();
    expectTypeOf(useCall("ping").error).toEqualTypeOf<ServerError | undefined>();
  });

  it("does not compile with what the contract does not have", () => {
    // @ts-expect-error this one is a push
    void (() => useCall("nudge"));
    // @ts-expect-error there is no such method
    void (() => useCall("nope"));
    // @ts-expect-error there is no such option
    void (() => useCall("ping", { abort: true }));
    // @ts-expect-error the input is missing
    void (() => useCall("join").call());
    // @ts-expect-error at is a number
    void (() => useCall("join").call({ userId: "a", at: "1" }));
  });
});
