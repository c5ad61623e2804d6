import { ERROR, GG_ANY_PERMISSION, GG_NO_PERMISSIONS, IsBoolean, IsObject, IsString } from "@grest-ts/schema";
import { defineSocketContract, type GGWebSocketMiddleware, webSocketSchema } from "@grest-ts/websocket";
import { describe, expect, it } from "vitest";

/** Defines a contract that the types refuse, as a JavaScript program can. */
const define = (name: unknown, methods: unknown) => () => defineSocketContract(name as string, methods as never);
const method = (definition: unknown, direction = "clientToServer") =>
  define("ChatApi", { clientToServer: {}, serverToClient: {}, [direction]: { sendMessage: definition } });

describe("defineSocketContract", () => {
  it("gives name and methods as they are", () => {
    const methods = { clientToServer: { ping: {} }, serverToClient: { news: { input: IsString } } };
    const contract = defineSocketContract("ChatApi", methods);
    expect(Object.keys(contract)).toEqual(["name", "methods"]);
    expect(contract.name).toBe("ChatApi");
    expect(contract.methods).toBe(methods);
    expect(contract.methods.serverToClient.news.input).toBe(IsString);
  });

  it("freezes the contract at every level", () => {
    const contract = defineSocketContract("ChatApi", {
      clientToServer: { join: { input: IsString, success: IsBoolean } },
      serverToClient: { news: {} },
    });
    const { methods } = contract;
    for (const level of [contract, methods, methods.clientToServer, methods.serverToClient]) {
      expect(level).toSatisfy(Object.isFrozen);
    }
    expect(methods.clientToServer.join).toSatisfy(Object.isFrozen);
    expect(methods.serverToClient.news).toSatisfy(Object.isFrozen);
    expect(() => Object.assign(methods.clientToServer, { late: {} })).toThrow(TypeError);
  });

  it.each([
    ["", /""/],
    ["Chat Api", /"Chat Api"/],
    ["Chat:Api", /"Chat:Api"/],
    ["Chat\nApi", /"Chat\\nApi"/],
    [undefined, /undefined/],
    [7, /7/],
  ])("refuses the API name %j and shows it", (name, shown) => {
    expect(define(name, { clientToServer: {}, serverToClient: {} })).toThrow(shown);
  });

  it.each([
    ["no methods at all", undefined, "ChatApi.clientToServer"],
    ["a missing direction", { clientToServer: {} }, "ChatApi.serverToClient"],
    ["a list for a direction", { clientToServer: [], serverToClient: {} }, "ChatApi.clientToServer"],
    ["a function for a direction", { clientToServer: {}, serverToClient: () => {} }, "ChatApi.serverToClient"],
    ["null for a direction", { clientToServer: null, serverToClient: {} }, "ChatApi.clientToServer"],
  ])("refuses %s and names it", (_what, methods, named) => {
    expect(define("ChatApi", methods)).toThrow(named);
  });

  it.each(["", "send message", "send:message", "a\tb"])("refuses the method name %j and names the API", (name) => {
    const methods = { clientToServer: { [name]: {} }, serverToClient: {} };
    expect(define("ChatApi", methods)).toThrow(`ChatApi.${name} `);
  });

  it.each(["clientToServer", "serverToClient"])(
    "refuses a method of %s that is not an object, and names it",
    (side) => {
      for (const definition of [null, undefined, true, "ping", [], () => {}]) {
        expect(method(definition, side)).toThrow("ChatApi.sendMessage");
      }
    },
  );

  it.each([
    ["an input that is no schema", { input: { text: "string" } }, /ChatApi\.sendMessage.*"input"/],
    ["a success that is no schema", { success: Boolean }, /ChatApi\.sendMessage.*"success"/],
    ["errors that are no list", { errors: ERROR.define("LIMITED", 429) }, /ChatApi\.sendMessage.*"errors"/],
    ["a misspelt input", { inputs: IsString }, /ChatApi\.sendMessage.*"inputs"; did you mean "input"\?/],
    ["a misspelt success", { sucess: IsString }, /ChatApi\.sendMessage.*"sucess"; did you mean "success"\?/],
    ["misspelt errors", { error: [] }, /ChatApi\.sendMessage.*"error"; did you mean "errors"\?/],
    ["a misspelt permission", { permissions: "a" }, /ChatApi\.sendMessage.*"permissions"; did you mean "permission"\?/],
  ])("refuses %s and names the method", (_what, definition, message) => {
    expect(method(definition)).toThrow(message);
  });

  it.each([
    ["an empty scope", ""],
    ["a blank scope", " "],
    ["a number", 5],
    ["null", null],
    ["a list", ["chat:read"]],
    ["an unknown group", { noneOf: ["a"] }],
    ["two groups at once", { allOf: ["a"], anyOf: ["b"] }],
    ["an empty group", { allOf: [] }],
    ["a group that is no list", { anyOf: "a" }],
    ["an empty scope inside", { allOf: ["a", { anyOf: [""] }] }],
    ["a tree that is four deep", { allOf: [{ anyOf: [{ allOf: [{ anyOf: ["a"] }] }] }] }],
  ])("refuses %s as a permission and names the method", (_what, permission) => {
    expect(method({ permission })).toThrow(/^defineSocketContract: ChatApi\.sendMessage: /);
    expect(method({ permission }, "serverToClient")).toThrow(/^defineSocketContract: ChatApi\.sendMessage: /);
  });

  it.each([
    ["no permission", GG_NO_PERMISSIONS],
    ["any permission", GG_ANY_PERMISSION],
    ["a scope", "chat:write"],
    ["a group", { allOf: ["a", GG_ANY_PERMISSION] }],
    ["a tree that is three deep", { allOf: [{ anyOf: [{ allOf: ["a"] }, "b"] }] }],
  ])("takes %s as a permission", (_what, permission) => {
    expect(method({ permission })).not.toThrow();
  });
});

describe("webSocketSchema", () => {
  const contract = defineSocketContract("ChatApi", {
    clientToServer: { ping: {} },
    serverToClient: { news: { input: IsString } },
  });
  const first: GGWebSocketMiddleware = {};
  const second: GGWebSocketMiddleware = {};

  it("builds in one chain", () => {
    const IsQuery = IsObject({ room: IsString });
    const schema = webSocketSchema(contract)
      .path("ws/chat")
      .use(first)
      .use(second)
      .queryOnConnect(IsQuery)
      .connectPermission("chat:connect")
      .done();
    expect(schema.name).toBe("ChatApi");
    expect(schema.path).toBe("ws/chat");
    expect(schema.middlewares).toEqual([first, second]);
    expect(schema.middlewares[0]).toBe(first);
    expect(schema.middlewares[1]).toBe(second);
    expect(schema.queryValidator).toBe(IsQuery);
    expect(schema.connectPermission).toBe("chat:connect");
  });

  it("builds in separate statements on one builder", () => {
    const builder = webSocketSchema(contract);
    builder.path("ws/chat");
    builder.use(first);
    builder.queryOnConnect<{ room: string }>();
    builder.connectPermission(GG_ANY_PERMISSION);
    const schema = builder.done();
    expect(schema.path).toBe("ws/chat");
    expect(schema.middlewares).toHaveLength(1);
    expect(schema.middlewares[0]).toBe(first);
    expect(schema.queryValidator).toBeUndefined();
    expect(schema.connectPermission).toBe(GG_ANY_PERMISSION);
  });

  it("takes a snapshot: later changes to the builder do not reach a finished schema", () => {
    const builder = webSocketSchema(contract).path("ws/one").use(first);
    const one = builder.done();
    const two = builder
      .path("ws/two")
      .use(second)
      .queryOnConnect(IsObject({ room: IsString }))
      .connectPermission("chat:connect")
      .done();
    expect([one.path, one.middlewares.length, one.queryValidator, one.connectPermission]).toEqual([
      "ws/one",
      1,
      undefined,
      undefined,
    ]);
    expect([two.path, two.middlewares.length, two.connectPermission]).toEqual(["ws/two", 2, "chat:connect"]);
    expect(two.queryValidator).toBeDefined();
  });

  it("gives a schema that never changes and shows the contract as the framework reads it", () => {
    const schema = webSocketSchema(contract).path("ws/chat").use(first).done();
    for (const name of ["name", "path", "middlewares", "methods", "contract"])
      expect(() => Object.assign(schema, { [name]: "other" })).toThrow(TypeError);
    expect(schema.middlewares).toSatisfy(Object.isFrozen);
    expect(schema.contract).toSatisfy(Object.isFrozen);
    expect(schema.contract.apiName).toBe("ChatApi");
    expect(schema.contract.clientToServer.name).toBe("ChatApi.clientToServer");
    expect(schema.contract.serverToClient.name).toBe("ChatApi.serverToClient");
    expect(schema.contract.clientToServer.methods).toBe(contract.methods.clientToServer);
    expect(schema.contract).toBe(schema.contract);
  });

  it("says which API lacks a path", () => {
    expect(() => webSocketSchema(contract).done()).toThrow(/^ChatApi: no path; call \.path\(/);
  });

  it.each(["", "ws chat", "ws?chat", "ws#chat", "ws/\n", undefined])(
    "refuses the path %j and names the API",
    (path) => {
      expect(() => webSocketSchema(contract).path(path as string)).toThrow(/^ChatApi: .*path/);
    },
  );

  it.each([[""], [{ anyOf: [] }], [7]])("refuses the connectPermission %j and names the API", (permission) => {
    expect(() => webSocketSchema(contract).connectPermission(permission as string)).toThrow(
      /^ChatApi\.connectPermission: /,
    );
  });
});
