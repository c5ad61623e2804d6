import { GG_NO_PERMISSIONS, IsObject, IsString } from "@grest-ts/schema";
import { defineSocketContract, type GGWebSocketMiddleware, webSocketSchema } from "@grest-ts/websocket";
import {
  type GGAsyncApiDocument,
  type GGAsyncApiInfo,
  type GGAsyncApiPermission,
  type GGAsyncApiSchema,
  type GGDescribedMiddleware,
  toAsyncApi,
} from "@grest-ts/websocket/asyncapi";
import { describe, expectTypeOf, it } from "vitest";

const Api = webSocketSchema(
  defineSocketContract("Api", {
    clientToServer: {
      documented: { docs: { title: "Title", description: "Text" } },
      call: { input: IsString, success: IsString, permission: GG_NO_PERMISSIONS, docs: { description: "Text" } },
    },
    serverToClient: { push: { input: IsObject({ a: IsString }) } },
  }),
)
  .path("x")
  .queryOnConnect(IsObject({ room: IsString }))
  .done();

const Empty = webSocketSchema(defineSocketContract("Empty", { clientToServer: {}, serverToClient: {} }))
  .path("y")
  .done();

describe("toAsyncApi", () => {
  it("takes any schemas together", () => {
    expectTypeOf(toAsyncApi([Api, Empty], { title: "T", version: "1" })).toEqualTypeOf<GGAsyncApiDocument>();
    expectTypeOf(toAsyncApi([], { title: "T", version: "1" })).toEqualTypeOf<GGAsyncApiDocument>();
    expectTypeOf(toAsyncApi).parameter(1).toEqualTypeOf<GGAsyncApiInfo>();
  });

  it("asks for a title and a version", () => {
    // @ts-expect-error no version
    toAsyncApi([Api], { title: "T" });
    // @ts-expect-error no such protocol
    toAsyncApi([Api], { title: "T", version: "1", security: { type: "magic" } });
    // @ts-expect-error a contract is no schema
    toAsyncApi([Api.contract], { title: "T", version: "1" });
  });

  it("takes its options from variables that may be undefined", () => {
    const description = undefined as string | undefined;
    expectTypeOf({ title: "T", version: "1", description, servers: { live: "wss://x" } }).toExtend<GGAsyncApiInfo>();
  });
});

describe("a document", () => {
  it("is typed without any", () => {
    const document = toAsyncApi([Api], { title: "T", version: "1" });
    expectTypeOf(document.asyncapi).toEqualTypeOf<"3.1.0">();
    expectTypeOf(document.operations.x!.action).toEqualTypeOf<"receive" | "send">();
    expectTypeOf(document.operations.x!["x-permission"]).toEqualTypeOf<GGAsyncApiPermission | undefined>();
    expectTypeOf(document.channels.x!.messages.y!.payload).toEqualTypeOf<GGAsyncApiSchema | undefined>();
    expectTypeOf(document.components.schemas.x!.anything).toBeUnknown();
    // @ts-expect-error it does not change
    document.channels = {};
  });
});

describe("a method", () => {
  it("has texts of its own", () => {
    expectTypeOf(Api.methods.clientToServer.documented.docs).toEqualTypeOf<{ title: string; description: string }>();
    defineSocketContract("X", {
      // @ts-expect-error a description is text
      clientToServer: { a: { docs: { description: 5 } } },
      serverToClient: {},
    });
  });
});

describe("a middleware that describes its headers", () => {
  it("is a middleware", () => {
    const auth: GGDescribedMiddleware = { headers: { authorization: IsString }, parseHandshake: () => {} };
    expectTypeOf(auth).toExtend<GGWebSocketMiddleware>();
    webSocketSchema(defineSocketContract("X", { clientToServer: {}, serverToClient: {} }))
      .path("x")
      .use(auth);
  });
});
