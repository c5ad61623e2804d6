import { GG_ANY_PERMISSION, GG_NO_PERMISSIONS, GGContractClass, type GGPermission } from "@grest-ts/schema";
import { describe, expect, it } from "vitest";
import { type GGHttpServer, type GGRegisteredWebSocketSchema, GGRpc, httpSchema } from "../src/index.js";
import { newServer } from "./support.js";

type Permissions = Record<string, GGPermission | undefined>;

const methodsOf = (permissions: Permissions) =>
  Object.fromEntries(
    Object.entries(permissions).map(([name, permission]) => [name, permission === undefined ? {} : { permission }]),
  );

const noScopes = () => null;

const addHttp = (server: GGHttpServer, name: string, permissions: Permissions, resolver?: () => null) => {
  const routes = Object.fromEntries(Object.keys(permissions).map((method) => [method, GGRpc.POST(method)]));
  const handlers = Object.fromEntries(Object.keys(permissions).map((method) => [method, async () => undefined]));
  httpSchema(new GGContractClass(name, methodsOf(permissions)))
    .pathPrefix(name)
    .routes(routes)
    .register(handlers, { http: server, ...(resolver && { permissionResolver: resolver }) });
};

const addWebSocket = (
  server: GGHttpServer,
  name: string,
  permissions: Permissions,
  more: { connect?: GGPermission; resolver?: boolean } = {},
) => {
  const schema: GGRegisteredWebSocketSchema = {
    name,
    path: `ws/${name}`,
    contract: { clientToServer: { methods: methodsOf(permissions) } },
    middlewares: [],
    connectPermission: more.connect,
  };
  server._registerWebSocketSchema(schema);
  if (more.resolver) server._markResolverWired(schema);
};

const failure = async (server: GGHttpServer): Promise<string> => {
  const error = await server.start().then(
    () => undefined,
    (reason: Error) => reason,
  );
  expect(server.httpServer.listening).toBe(false);
  return error?.message ?? "it started";
};

describe("the start check", () => {
  it("passes when no method declares a permission", async () => {
    const server = newServer();
    addHttp(server, "A", { one: undefined });
    addWebSocket(server, "B", { two: undefined });
    await server.start();
    expect(server.httpServer.listening).toBe(true);
  });

  it("requires a permission on every HTTP and WebSocket method once one declares it", async () => {
    const server = newServer();
    addHttp(server, "A", { one: undefined, two: GG_NO_PERMISSIONS });
    addWebSocket(server, "B", { three: undefined, four: undefined });
    expect(await failure(server)).toBe(
      "GGHttpServer: permission strict mode is active on this server (at least one route declares a permission or has " +
        ".usePermissions(...) wired), but the following routes have no `permission` declared:\n\n" +
        "  A.one\n  B.three\n  B.four\n\n" +
        "Fix: declare `permission` on every route — use `GG_NO_PERMISSIONS` for intentionally public ones.",
    );
  });

  it.each([
    ["a connectPermission", (server: GGHttpServer) => addWebSocket(server, "B", {}, { connect: GG_NO_PERMISSIONS })],
    ["a wired resolver", (server: GGHttpServer) => addWebSocket(server, "B", { x: undefined }, { resolver: true })],
    ["another API's resolver", (server: GGHttpServer) => addHttp(server, "C", { x: GG_NO_PERMISSIONS }, noScopes)],
  ])("is strict because of %s", async (_reason, add) => {
    const server = newServer();
    addHttp(server, "A", { one: undefined });
    add(server);
    expect(await failure(server)).toContain("  A.one\n");
  });

  it("requires a resolver for every method that is not public, and lists all that lack one", async () => {
    const server = newServer();
    addHttp(server, "A", { one: "a:read", two: GG_NO_PERMISSIONS });
    addWebSocket(
      server,
      "B",
      { three: GG_ANY_PERMISSION, four: { anyOf: ["x", "y"] }, five: GG_NO_PERMISSIONS },
      { connect: "b:open" },
    );
    addWebSocket(server, "C", { six: "c:read" }, { resolver: true });
    const message = await failure(server);
    const listed = message.split("\n").filter((line) => line.includes("requires"));
    expect(listed.map((line) => line.trim().split(" requires")[0]?.trim())).toEqual([
      "A.one",
      "B.three",
      "B.four",
      "B (connectPermission)",
    ]);
    expect(message).toContain('  A.one   requires "a:read"');
    expect(message).not.toContain("six");
  });

  it("passes once everything is declared and resolved, also after a failed start", async () => {
    const server = newServer();
    addWebSocket(server, "B", { one: "b:read" }, { connect: GG_NO_PERMISSIONS });
    expect(await failure(server)).toContain("B.one");
    const [schema] = server.registeredWebSocketSchemas;
    server._markResolverWired(schema as object);
    await server.start();
    expect(server.httpServer.listening).toBe(true);
  });
});

it("says what is missing where a resolver is", async () => {
  const server = newServer();
  addHttp(server, "A", { b: "x" });
  expect(await failure(server)).toBe(
    "GGHttpServer: these routes declare non-public permissions but their schema was registered without a scope " +
      'resolver:\n\n  A.b   requires "x"\n\n' +
      "Fix: call `.usePermissions(yourResolver)` on the GGHttp chain (or pass `permissionResolver` to the WS schema " +
      "config) before registering these routes.",
  );
});
