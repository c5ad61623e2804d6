import { GGContext, GGContextKey } from "@grest-ts/context";
import { FORBIDDEN, GG_NO_PERMISSIONS, GGContractClass, IsObject, IsString, NOT_AUTHORIZED } from "@grest-ts/schema";
import { describe, expect, it, vi } from "vitest";
import { GG_PERMISSIONS, GGHttp, GGRpc, httpSchema } from "../src/index.js";
import { newServer, startServer } from "./support.js";

const USER = new GGContextKey<string>("http_test_user", IsString);

const Guarded = httpSchema(
  new GGContractClass("GuardedApi", {
    open: { success: IsString, permission: GG_NO_PERMISSIONS },
    read: { success: IsString, permission: "doc:read", errors: [NOT_AUTHORIZED, FORBIDDEN] },
    unlisted: { input: IsObject({ id: IsString }), success: IsString, permission: "doc:read" },
  }),
)
  .pathPrefix("guarded")
  .use({
    updateRequest: (request) => {
      const user = USER.get();
      if (user !== undefined && request.headers) request.headers.authorization = user;
    },
    parseRequest: (request) => {
      const user = request.headers?.authorization;
      if (typeof user === "string") USER.set(user);
    },
  })
  .routes({ open: GGRpc.GET("open"), read: GGRpc.GET("read"), unlisted: GGRpc.POST("unlisted") });

describe("permissions", () => {
  const serveGuarded = async () => {
    const server = newServer();
    const unlisted = vi.fn(async () => "never");
    const scopes: Record<string, string[]> = { ann: ["doc:read"], bob: [] };
    new GGHttp(server)
      .usePermissions(async () => {
        const user = USER.get();
        return user === undefined ? null : new Set(scopes[user]);
      })
      .http(Guarded, {
        open: async () => String(GG_PERMISSIONS.get()?.has("doc:read")),
        read: async () => `read by ${USER.get()}`,
        unlisted,
      });
    const url = await startServer(server);
    const client = Guarded.createClient({ url });
    const as = <T>(user: string, call: () => T): T => new GGContext("caller").set(USER, user).run(call);
    return { url, client, as, unlisted };
  };

  it("admit a caller who has them, and are visible to the handler", async () => {
    const { client, as } = await serveGuarded();
    expect(await as("ann", () => client.read())).toBe("read by ann");
    expect(await as("ann", () => client.open())).toBe("true");
    expect(await as("bob", () => client.open())).toBe("false");
    expect(await client.open()).toBe("undefined");
  });

  it("reject others: NOT_AUTHORIZED without an identity, FORBIDDEN without the scope", async () => {
    const { client, as } = await serveGuarded();
    expect(await client.read().catch((error: unknown) => error)).toBeInstanceOf(NOT_AUTHORIZED);
    expect(await as("bob", () => client.read()).catch((error: unknown) => error)).toBeInstanceOf(FORBIDDEN);
  });

  it("reject a call before its body is parsed, with an error that the client knows only if it is listed", async () => {
    const { client, as, url, unlisted } = await serveGuarded();
    const response = await fetch(`${url}/guarded/unlisted`, { method: "POST", body: "{not json" });
    expect(response.status).toBe(401);
    const result = await as("bob", () => client.unlisted({ id: "1" })).asResult();
    expect(result).toMatchObject({ type: "SERVER_ERROR", context: { displayMessage: "Invalid response" } });
    expect(unlisted).not.toHaveBeenCalled();
  });

  it("do not leak from one request to the next", async () => {
    const { client, as } = await serveGuarded();
    const calls = ["ann", undefined, "ann", undefined].map((user) =>
      (user ? as(user, () => client.open()) : client.open()).then(String),
    );
    expect(await Promise.all(calls)).toEqual(["true", "undefined", "true", "undefined"]);
  });

  it("reject calls of a method that is registered without a resolver after the start", async () => {
    const server = newServer();
    const url = await startServer(server);
    Guarded.register({ open: async () => "", read: async () => "", unlisted: async () => "" }, { http: server });
    expect((await fetch(`${url}/guarded/read`)).status).toBe(401);
  });
});
