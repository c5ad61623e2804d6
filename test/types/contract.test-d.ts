import {
  GG_NO_PERMISSIONS,
  type GGContractClass,
  type GGContractMethod,
  type GGValidator,
  IsObject,
  IsString,
  IsUint,
  type tUint,
} from "@grest-ts/schema";
import {
  defineSocketContract,
  type GGConnectionHandler,
  type GGSocketMethodMap,
  type GGWebSocketClient,
  type GGWebSocketClientConfig,
  type GGWebSocketMiddleware,
  type GGWebSocketSchema,
  type GGWebSocketSchemaBuilder,
  webSocketSchema,
} from "@grest-ts/websocket";
import { describe, expectTypeOf, it } from "vitest";
import { Api, type C2S, contract, type LIMITED, ROOM_FULL, type S2C } from "./api.js";

describe("a contract", () => {
  it("infers the methods of both directions without an annotation", () => {
    expectTypeOf(contract.name).toEqualTypeOf<string>();
    expectTypeOf<keyof C2S>().toEqualTypeOf<"join" | "count" | "silent" | "leave" | "remark" | "ping">();
    expectTypeOf<keyof S2C>().toEqualTypeOf<"joined" | "confirm" | "areYouThere" | "nudge">();
    expectTypeOf(contract.methods.clientToServer.remark.input).toEqualTypeOf(IsString.orUndefined);
    expectTypeOf(contract.methods.clientToServer.join.errors).items.toExtend<{ readonly TYPE: string }>();
    expectTypeOf<(typeof ROOM_FULL)["TYPE"] | (typeof LIMITED)["TYPE"]>().toExtend<
      (typeof contract.methods.clientToServer.join.errors)[number]["TYPE"]
    >();
    expectTypeOf(contract.methods.clientToServer.ping).not.toHaveProperty("input");
  });

  it("cannot be changed", () => {
    // @ts-expect-error name is read-only
    void (() => (contract.name = "Other"));
    // @ts-expect-error methods is read-only
    void (() => (contract.methods = { clientToServer: {}, serverToClient: {} }));
  });

  it("must have both directions", () => {
    // @ts-expect-error serverToClient is missing
    void (() => defineSocketContract("Half", { clientToServer: {} }));
    // @ts-expect-error clientToServer is missing
    void (() => defineSocketContract("Half", { serverToClient: {} }));
    // @ts-expect-error a name is a string
    void (() => defineSocketContract(7, { clientToServer: {}, serverToClient: {} }));
  });

  it("takes methods and nothing else", () => {
    const one = <M extends GGSocketMethodMap>(clientToServer: M) =>
      defineSocketContract("One", { clientToServer, serverToClient: {} });
    // @ts-expect-error a method is an object
    void (() => one({ ping: true }));
    // @ts-expect-error an input is a schema
    void (() => one({ ping: { input: "string" } }));
    // @ts-expect-error a success is a schema
    void (() => one({ ping: { success: Boolean } }));
    // @ts-expect-error a schema is more than a validator
    void (() => one({ ping: { input: {} as GGValidator<string> } }));
    // @ts-expect-error a schema is more than a validator
    void (() => one({ ping: { success: {} as GGValidator<string> } }));
    // @ts-expect-error an error class is no schema
    void (() => one({ ping: { input: ROOM_FULL } }));
    // @ts-expect-error errors is a list
    void (() => one({ ping: { errors: ROOM_FULL } }));
    // @ts-expect-error errors are classes
    void (() => one({ ping: { errors: ["ROOM_FULL"] } }));
    // @ts-expect-error there is no such group
    void (() => one({ ping: { permission: { noneOf: ["a"] } } }));
    // @ts-expect-error a group is not empty
    void (() => one({ ping: { permission: { allOf: [] } } }));
    void (() =>
      one({
        a: { permission: GG_NO_PERMISSIONS },
        b: { permission: "chat:write" },
        c: { permission: { allOf: ["a", { anyOf: ["b", "c"] }] } },
      }));
    void ((methods: Readonly<Record<string, GGContractMethod>>) => one(methods));
  });
});

describe("a schema", () => {
  it("keeps the contract's types through every step of the builder", () => {
    expectTypeOf(Api).toEqualTypeOf<GGWebSocketSchema<C2S, S2C, object, undefined>>();
    const middleware: GGWebSocketMiddleware = {};
    const chained = webSocketSchema(contract)
      .path("ws/rooms")
      .use(middleware)
      .queryOnConnect<{ room: string }>()
      .connectPermission("rooms:open")
      .done();
    expectTypeOf(chained).toEqualTypeOf<GGWebSocketSchema<C2S, S2C, object, { room: string }>>();
    expectTypeOf(chained.createClient()).toEqualTypeOf<GGWebSocketClient<C2S, S2C>>();
  });

  it("shows the parts that the framework reads", () => {
    expectTypeOf(Api.name).toEqualTypeOf<string>();
    expectTypeOf(Api.path).toEqualTypeOf<string>();
    expectTypeOf(Api.middlewares).toEqualTypeOf<readonly GGWebSocketMiddleware[]>();
    expectTypeOf(Api.contract.clientToServer).toEqualTypeOf<GGContractClass<C2S>>();
    expectTypeOf(Api.contract.serverToClient).toEqualTypeOf<GGContractClass<S2C>>();
  });

  it("is made in separate statements as well, by a builder whose type they do not change", () => {
    void (() => {
      const builder: GGWebSocketSchemaBuilder<C2S, S2C> = webSocketSchema(contract);
      builder.path("ws/rooms");
      builder.use({});
      expectTypeOf(builder.done()).toEqualTypeOf<typeof Api>();
      const typed: GGWebSocketSchemaBuilder<C2S, S2C, { room: string }> = builder.queryOnConnect<{ room: string }>();
      expectTypeOf(typed.done()).toEqualTypeOf<GGWebSocketSchema<C2S, S2C, object, { room: string }>>();
    });
  });

  it("takes middlewares and permissions and nothing else", () => {
    const builder = webSocketSchema(contract);
    // @ts-expect-error a middleware's parseHandshake is a function
    void (() => builder.use({ parseHandshake: "no" }));
    void (() =>
      builder.use({
        updateHandshake({ headers }) {
          // @ts-expect-error headers are text
          headers.n = 1;
        },
      }));
    // @ts-expect-error a permission is not a number
    void (() => builder.connectPermission(1));
    // @ts-expect-error a path is text
    void (() => builder.path(1));
  });
});

describe("queryOnConnect", () => {
  const Typed = webSocketSchema(contract).path("q").queryOnConnect<{ room: string; language?: string }>().done();
  const IsQuery = IsObject({ room: IsString, page: IsUint.orUndefined });
  const Checked = webSocketSchema(contract).path("q").queryOnConnect(IsQuery).done();

  it("types the query of createClient", () => {
    void (() => Typed.createClient({ url: "ws://x", query: { room: "a" } }));
    void (() => Typed.createClient({ url: "ws://x", query: { room: "a", language: "en" } }));
    void (() => Checked.createClient({ query: { room: "a" } }));
    // @ts-expect-error room is missing
    void (() => Typed.createClient({ query: { language: "en" } }));
    // @ts-expect-error room is text
    void (() => Typed.createClient({ query: { room: 1 } }));
    // @ts-expect-error there is no such argument
    void (() => Typed.createClient({ query: { room: "a", more: "b" } }));
    // @ts-expect-error room is missing
    void (() => Checked.createClient({ query: {} }));
    // @ts-expect-error the API asks for no query
    void (() => Api.createClient({ query: { room: "a" } }));
  });

  it("may be left out, since a url, a middleware or beforeConnect may bring the query", () => {
    const config: GGWebSocketClientConfig<{ room: string; language?: string }> = { url: "ws://x" };
    void (() => [Typed.createClient(config), Typed.createClient(), Checked.createClient({ url: "ws://x?room=a" })]);
    void (() => Checked.createClient({ beforeConnect: async () => ({ query: { room: "a" } }) }));
    void (() => Checked.createClient({ beforeConnect: async () => {} }));
    // @ts-expect-error: not the query of the schema
    void (() => Checked.createClient({ beforeConnect: async () => ({ query: { room: 1 } }) }));
    // @ts-expect-error: a target is an object
    void (() => Checked.createClient({ beforeConnect: async () => "ws://x" }));
  });

  it("types the third argument of the connection handler", () => {
    void (() => {
      Typed.register((_in, _out, query) => {
        expectTypeOf(query).toEqualTypeOf<{ room: string; language?: string }>();
      });
      Checked.register((_in, _out, query) => {
        expectTypeOf(query).toEqualTypeOf<{ room: string; page?: tUint | undefined }>();
      });
      Api.register((_in, _out, query) => {
        expectTypeOf(query).toEqualTypeOf<Readonly<Record<string, string | readonly string[]>>>();
      });
    });
    expectTypeOf<Parameters<GGConnectionHandler<C2S, S2C, { n: number }>>[2]>().toEqualTypeOf<{ n: number }>();
    // @ts-expect-error the query has no such argument
    void (() => Typed.register((_in, _out, query) => void query.nope));
    // @ts-expect-error room is text
    void (() => Typed.register((_in, _out, query: { room: number }) => void query));
  });
});
