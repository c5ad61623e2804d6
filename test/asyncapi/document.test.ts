import { IsObject, IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { type GGAsyncApiInfo, toAsyncApi } from "@grest-ts/websocket/asyncapi";
import { describe, expect, it } from "vitest";
import { ChatApi } from "../support/chatApi.js";
import { Empty, hostileApis, Kinds } from "./support/contracts.js";

const INFO = { title: "Test", version: "1.0.0" };
const document = toAsyncApi([Kinds], INFO);
const channel = document.channels.Kinds!;
const operation = (name: string) => document.operations[`Kinds.${name}`];

/** The schema at a reference, or the schema itself. */
function follow(schema: unknown): Record<string, unknown> {
  const { $ref } = Object(schema) as { $ref?: string };
  return ($ref ? document.components.schemas[$ref.replace("#/components/schemas/", "")] : schema) as never;
}

/** What a method may be answered with, the result first. */
const repliesTo = (method: string) => Object(channel.messages[`${method}.reply`]?.payload).oneOf as unknown[];
const answers = (method: string) => repliesTo(method).map((reply) => follow(reply).title);

describe("a document", () => {
  it("has a channel for each API, with its path as a URL has it", () => {
    const { channels } = toAsyncApi([ChatApi, Kinds, Empty], INFO);
    expect(Object.entries(channels).map(([key, { address, title }]) => [key, address, title])).toEqual([
      ["ChatApi", "/ws/chat", "ChatApi"],
      ["Kinds", "/ws/%7Bkinds%7D/%C3%A9", "Kinds"],
      ["Empty", "/", "Empty"],
    ]);
  });

  it("has an operation for each method and each handshake, in the order of the contract", () => {
    const { operations } = toAsyncApi([ChatApi], INFO);
    expect(Object.entries(operations).map(([key, { action, reply }]) => [key, action, reply !== undefined])).toEqual([
      ["ChatApi.handshake", "receive", true],
      ["ChatApi.clientToServer.sendMessage", "receive", true],
      ["ChatApi.clientToServer.markAsRead", "receive", false],
      ["ChatApi.clientToServer.ping", "receive", false],
      ["ChatApi.serverToClient.newMessage", "send", false],
      ["ChatApi.serverToClient.typing", "send", false],
      ["ChatApi.serverToClient.areYouThere", "send", true],
    ]);
  });

  it("shows the frame of each message", () => {
    const frames = Object.values(channel.messages).map((message) => message["x-frame"].text);
    expect(frames).toEqual([
      "h:::{payload}",
      "k:::{payload}",
      "x:::{payload}",
      "r:Kinds.call:{id}:{payload}",
      "s:Kinds.call:{id}:{payload}",
      "r:Kinds.ask:{id}:",
      "s:Kinds.ask:{id}:{payload}",
      "m:Kinds.note::{payload}",
      "m:Kinds.ping::",
      "r:Kinds.maybe:{id}:{payload}",
      "s:Kinds.maybe:{id}:{payload}",
      "r:Kinds.scoped:{id}:{payload}",
      "s:Kinds.scoped:{id}:{payload}",
      "r:Kinds.combined:{id}:",
      "s:Kinds.combined:{id}:{payload}",
      "r:Kinds.anyone:{id}:",
      "s:Kinds.anyone:{id}:{payload}",
      "r:Kinds.opaque:{id}:{payload}",
      "s:Kinds.opaque:{id}:{payload}",
      "m:Kinds.both::{payload}",
      "m:Kinds.push::{payload}",
      "m:Kinds.bare::",
      "r:Kinds.question:{id}:{payload}",
      "s:Kinds.question:{id}:{payload}",
      "m:Kinds.both::{payload}",
    ]);
  });

  it("states an id for requests and replies only", () => {
    for (const { correlationId, headers, "x-frame": frame } of Object.values(channel.messages)) {
      const hasId = frame.type === "r" || frame.type === "s";
      expect(correlationId?.location).toBe(hasId ? "$message.header#/id" : undefined);
      expect(headers).toEqual(hasId ? { $ref: "#/components/schemas/FrameId" } : undefined);
    }
  });

  it("states all answers of a request: the result, declared errors, and those of the protocol", () => {
    expect(answers("clientToServer.call")).toEqual([
      "OK",
      "ASYNCAPI_LIMITED",
      "ASYNCAPI_GONE",
      "VALIDATION_ERROR",
      "SERVER_ERROR",
    ]);
    expect(answers("clientToServer.ask")).toEqual(["OK", "SERVER_ERROR"]);
    expect(answers("clientToServer.scoped")).toEqual([
      "OK",
      "NOT_AUTHORIZED",
      "FORBIDDEN",
      "VALIDATION_ERROR",
      "SERVER_ERROR",
    ]);
    expect(answers("clientToServer.combined")).toEqual(["OK", "FORBIDDEN", "NOT_AUTHORIZED", "SERVER_ERROR"]);
    expect(answers("clientToServer.anyone")).toEqual(["OK", "SERVER_ERROR"]);
    expect(answers("serverToClient.question")).toEqual(["OK", "ASYNCAPI_LIMITED", "VALIDATION_ERROR", "SERVER_ERROR"]);
  });

  it("requires data of a result, unless it may be undefined", () => {
    const required = (method: string) => follow(repliesTo(`clientToServer.${method}`)[0]).required;
    expect(required("call")).toContain("data");
    expect(required("maybe")).not.toContain("data");
    expect(channel.messages["clientToServer.maybe"]?.["x-frame"].payload).toBe("optional");
  });

  it("states permissions where a server checks them", () => {
    const permissions = Object.fromEntries(
      Object.entries(document.operations).flatMap(([key, { "x-permission": permission, security }]) => {
        expect(security !== undefined).toBe(permission !== undefined);
        return permission === undefined ? [] : [[key, permission]];
      }),
    );
    expect(permissions).toEqual({
      "Kinds.handshake": "connect",
      "Kinds.clientToServer.scoped": "rooms:write",
      "Kinds.clientToServer.combined": { anyOf: ["admin", { allOf: ["a", { any: true }] }] },
    });
    expect(document.components.securitySchemes).toEqual({
      "Kinds.handshake": { type: "httpApiKey", name: "x-token", in: "header", description: expect.any(String) },
    });
  });

  it("names no security scheme where no header is described", () => {
    const contract = defineSocketContract("Plain", {
      clientToServer: { go: { permission: "go" } },
      serverToClient: {},
    });
    const { components, operations } = toAsyncApi([webSocketSchema(contract).path("ws/plain").done()], INFO);
    expect(components.securitySchemes).toBeUndefined();
    expect(operations["Plain.clientToServer.go"]).toMatchObject({ "x-permission": "go" });
    expect(operations["Plain.clientToServer.go"]).not.toHaveProperty("security");
  });

  it("shares nothing with what it is given", () => {
    const given = { ...INFO, contact: { name: "Ann" }, license: { name: "MIT", url: undefined } };
    const { info } = toAsyncApi([Kinds], given);
    expect(info.contact).toEqual(given.contact);
    expect(info.contact).not.toBe(given.contact);
    expect(Object.keys(info.license ?? {})).toEqual(["name"]);
  });

  it("takes the program's own security scheme", () => {
    const security: GGAsyncApiInfo["security"] = { type: "http", scheme: "bearer" };
    const { components, operations } = toAsyncApi([Kinds], { ...INFO, security });
    expect(components.securitySchemes).toEqual({ handshake: security });
    expect(operations["Kinds.handshake"]?.security).toEqual([{ $ref: "#/components/securitySchemes/handshake" }]);
  });

  it("states the headers that middlewares describe", () => {
    expect(channel.messages.handshake?.payload).toMatchObject({
      required: ["x-token"],
      properties: {
        "x-token": { type: "string", description: "From the log-in" },
        language: { type: "string" },
        "ws-capabilities": { type: "string" },
      },
    });
  });

  it("states the query arguments", () => {
    expect(channel.bindings.ws.query).toMatchObject({ type: "object", required: ["room"] });
    const other = webSocketSchema(defineSocketContract("Other", { clientToServer: {}, serverToClient: {} }))
      .path("x")
      .queryOnConnect(IsObject({ a: IsString }).orNull);
    // A query that may be null is no object, which AsyncAPI asks for.
    expect(toAsyncApi([other.done()], INFO).channels.Other?.bindings.ws).toEqual({
      method: "GET",
      bindingVersion: "0.1.0",
    });
  });

  it("takes the texts of methods and validators", () => {
    expect(operation("clientToServer.ask")).toMatchObject({ title: "Ask", description: "Gives *everything*" });
    expect(operation("clientToServer.call")).toMatchObject({ title: "Kinds.call" });
    expect(channel.messages["serverToClient.push"]?.payload).toMatchObject({
      properties: {
        documented: { title: "Title", description: "What it is", examples: ["such"], deprecated: true },
      },
    });
  });

  it("is JSON, the same each time, and without functions, undefined members and references to nothing", () => {
    for (const schemas of [[Kinds, ChatApi], hostileApis, []]) {
      const made = toAsyncApi(schemas, INFO);
      const text = JSON.stringify(made);
      expect(JSON.parse(text)).toStrictEqual(made);
      expect(JSON.stringify(toAsyncApi(schemas, INFO))).toBe(text);
      for (const [, reference = ""] of text.matchAll(/"\$ref":"#\/([^"]*)"/g)) {
        const target = reference.split("/").reduce((at, part) => Object(at)[part], made as unknown);
        expect(target, reference).toBeTypeOf("object");
      }
    }
  });

  it("keeps apart what differs, whatever its name", () => {
    const { channels, operations } = toAsyncApi(hostileApis, INFO);
    expect(new Set(Object.values(channels).map(({ title }) => title)).size).toBe(hostileApis.length);
    expect(Object.keys(channels)).toHaveLength(hostileApis.length);
    for (const key of [...Object.keys(channels), ...Object.keys(operations)]) {
      expect(key).toMatch(/^[\w.-]+$/);
      expect(key in {}).toBe(false);
    }
    const methods = Object.values(hostileApis).flatMap(({ methods: { clientToServer } }) =>
      Object.keys(clientToServer),
    );
    expect(Object.keys(operations)).toHaveLength(2 * methods.length + hostileApis.length);
  });

  it("shows nothing of how an API is served", () => {
    class SecretMiddleware {
      readonly secret = "hunter2";
      parseHandshake(): void {}
    }
    const schema = webSocketSchema(defineSocketContract("Api", { clientToServer: {}, serverToClient: {} }))
      .path("x")
      .use(new SecretMiddleware())
      .done();
    expect(JSON.stringify(toAsyncApi([schema], INFO))).not.toMatch(/secret|hunter/i);
  });
});

describe("toAsyncApi", () => {
  it("refuses two APIs of one name", () => {
    expect(() => toAsyncApi([ChatApi, Kinds, ChatApi], INFO)).toThrow(
      'toAsyncApi: two schemas are called "ChatApi"; a document has one API of each name',
    );
  });

  it.each([
    ["ws://localhost:3000", { host: "localhost:3000", protocol: "ws" }],
    ["wss://chat.example/", { host: "chat.example", protocol: "wss" }],
    ["HTTPS://chat.example/a/b/", { host: "chat.example", protocol: "wss", pathname: "/a/b" }],
    ["http://[::1]:80", { host: "[::1]:80", protocol: "ws" }],
  ])("takes %s for a server", (url, server) => {
    expect(toAsyncApi([], { ...INFO, servers: { one: url } }).servers).toEqual({ one: server });
  });

  it.each(["chat.example", "ftp://chat.example", "ws://", "ws://user:pass@host", "ws://host?x=1", ""])(
    "refuses %o as a server",
    (url) => {
      const refused = () => toAsyncApi([], { ...INFO, servers: { one: url } });
      expect(refused).toThrow(/^toAsyncApi: the server "one" needs a URL/);
      expect(refused).not.toThrow(/pass/);
    },
  );
});
