import {
  CloseCode,
  type defineSocketContract,
  GG_WS_CONNECTION,
  GG_WS_MESSAGE,
  type GGCallOptions,
  type GGConnectionHandler,
  type GGSocket,
  GGSocketPool,
  type GGSocketPoolConfig,
  type GGSocketServer,
  type GGWebSocketClientConfig,
  type GGWebSocketHandshakeContext,
  type GGWebSocketLogger,
  type GGWebSocketMessage,
  GGWebSocketMetrics,
  type GGWebSocketMiddleware,
  type SocketHandlerConfig,
  type SocketReply,
  type WebSocketIncoming,
  type WebSocketOutgoing,
  type WebSocketSchemaConfig,
  type WsConnectionContext,
  webSocketSchema,
} from "@grest-ts/websocket";
import { describe, expectTypeOf, it } from "vitest";
import { Api, type C2S, contract, type S2C } from "./api.js";

type IsAny<T> = 0 extends 1 & T ? true : false;

/** The names of members that are `any`, or functions with an `any` among their parameters or as their result. */
type AnyMembers<T> = {
  [K in keyof T]-?: IsAny<T[K]> extends true
    ? K
    : T[K] extends (...args: infer P) => infer R
      ? true extends IsAny<R> | IsAny<Awaited<R>> | { [I in keyof P]: IsAny<P[I]> }[keyof P & `${number}`]
        ? K
        : never
      : never;
}[keyof T];

describe("nothing is any", () => {
  it("AnyMembers finds any where there is one", () => {
    type Loose = ReturnType<typeof JSON.parse>;
    type Sample = {
      a: Loose;
      b: (x: string, y: Loose) => void;
      c(): Promise<Loose>;
      d: (x: unknown) => never;
      e?: string;
    };
    expectTypeOf<AnyMembers<Sample>>().toEqualTypeOf<"a" | "b" | "c">();
  });

  it("in schemas, clients and servers", () => {
    const client = Api.createClient;
    type Client = ReturnType<typeof client>;
    expectTypeOf<AnyMembers<typeof Api>>().toBeNever();
    expectTypeOf<AnyMembers<Client>>().toBeNever();
    expectTypeOf<AnyMembers<Client["incoming"]>>().toBeNever();
    expectTypeOf<AnyMembers<Client["outgoing"]>>().toBeNever();
    expectTypeOf<AnyMembers<WebSocketIncoming<C2S>>>().toBeNever();
    expectTypeOf<AnyMembers<WebSocketOutgoing<S2C>>>().toBeNever();
    expectTypeOf<AnyMembers<Parameters<WebSocketIncoming<C2S>["on"]>[0]>>().toBeNever();
    expectTypeOf<AnyMembers<GGSocketServer>>().toBeNever();
    expectTypeOf<AnyMembers<Required<GGWebSocketClientConfig<{ room: string }>>>>().toBeNever();
    expectTypeOf<AnyMembers<Required<WebSocketSchemaConfig>>>().toBeNever();
    expectTypeOf<AnyMembers<Required<GGCallOptions>>>().toBeNever();
    expectTypeOf<AnyMembers<{ handler: GGConnectionHandler<C2S, S2C> }>>().toBeNever();
    expectTypeOf<AnyMembers<typeof contract>>().toBeNever();
    expectTypeOf<AnyMembers<{ define: typeof defineSocketContract; build: typeof webSocketSchema }>>().toBeNever();
    const builder = webSocketSchema(contract);
    expectTypeOf<AnyMembers<typeof builder>>().toBeNever();
  });

  it("in middlewares and loggers", () => {
    expectTypeOf<AnyMembers<Required<GGWebSocketMiddleware>>>().toBeNever();
    expectTypeOf<AnyMembers<GGWebSocketHandshakeContext>>().toBeNever();
    expectTypeOf<GGWebSocketHandshakeContext["headers"]>().toEqualTypeOf<Record<string, string>>();
    expectTypeOf<AnyMembers<GGWebSocketLogger>>().toBeNever();
  });

  it("at the raw level", () => {
    expectTypeOf<AnyMembers<GGSocket>>().toBeNever();
    expectTypeOf<AnyMembers<typeof GGSocketPool>>().toBeNever();
    expectTypeOf<AnyMembers<SocketHandlerConfig>>().toBeNever();
    expectTypeOf<AnyMembers<SocketReply>>().toBeNever();
    expectTypeOf<AnyMembers<Required<GGSocketPoolConfig>>>().toBeNever();
    expectTypeOf(GGSocketPool.getOrConnect).returns.toEqualTypeOf<Promise<GGSocket>>();
    expectTypeOf(GGSocketPool.size).toEqualTypeOf<number>();
    expectTypeOf(GGSocketPool.getConnectionKeys()).toEqualTypeOf<string[]>();
    expectTypeOf(GGSocketPool.removeFromPool).returns.toEqualTypeOf<boolean>();
    const socket = {} as GGSocket;
    void (async () => {
      expectTypeOf(await socket.send("A.b", {}, true)).toEqualTypeOf<SocketReply>();
      expectTypeOf(await socket.send("A.b", {}, false)).toEqualTypeOf<SocketReply | undefined>();
      socket.registerHandler({ path: "A.b", handler: (message) => expectTypeOf(message).toEqualTypeOf<unknown>() });
      // A program that knows what comes may say so.
      socket.registerHandler({ path: "A.b", handler: (message: { text: string }) => message.text });
    });
  });

  it("in keys, metrics and close codes", () => {
    expectTypeOf(GG_WS_CONNECTION.get()).toMatchTypeOf<{ port?: number; path: string } | undefined>();
    expectTypeOf<{ port?: number; path: string }>().toExtend<WsConnectionContext>();
    expectTypeOf(GG_WS_MESSAGE.get()).toEqualTypeOf<GGWebSocketMessage | undefined>();
    expectTypeOf<keyof typeof GGWebSocketMetrics>().toEqualTypeOf<
      | "connectionsActive"
      | "connections"
      | "requests"
      | "requestDuration"
      | "outRequests"
      | "outRequestDuration"
      | "busPublished"
      | "busReceived"
      | "busHealed"
      | "recoveries"
      | "busQueue"
      | "busUp"
    >();
    expectTypeOf<AnyMembers<typeof GGWebSocketMetrics>>().toBeNever();
    void (() => {
      GGWebSocketMetrics.connections.getValue({ api: "A", path: "/a", result: "OK" });
      // @ts-expect-error there is no such label
      GGWebSocketMetrics.connections.getValue({ api: "A", method: "A.b" });
    });
    expectTypeOf(CloseCode.HANDSHAKE_FAILED).toExtend<number>();
    expectTypeOf<AnyMembers<typeof CloseCode>>().toBeNever();
  });
});
