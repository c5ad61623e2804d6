import type { GGContextKey } from "@grest-ts/context";
import {
  ERROR,
  GGContractClass,
  type GGPermissionChecker,
  type GGSchema,
  IsNumber,
  IsObject,
  IsString,
} from "@grest-ts/schema";
import { expectTypeOf, it } from "vitest";
import {
  GG_PERMISSIONS,
  GGHttp,
  type GGHttpRequest,
  GGHttpServer,
  type GGHttpTransportMiddleware,
  GGRpc,
  httpSchema,
} from "../src/index.js";

const FULL = ERROR.define("FULL", 409);
const Contract = new GGContractClass("Rooms", {
  join: { input: IsObject({ room: IsString }), success: IsObject({ seats: IsNumber }), errors: [FULL] },
  ping: {},
});
const schema = httpSchema(Contract).routes({ join: GGRpc.POST("join"), ping: GGRpc.GET("ping") });

it("types the client by the contract", async () => {
  const client = schema.createClient({ url: "" });
  expectTypeOf(await client.join({ room: "a" })).toEqualTypeOf<{ seats: number }>();
  expectTypeOf(client.ping).parameters.toEqualTypeOf<[]>();
  // @ts-expect-error the input is an object with a room
  client.join({});
  const result = await client.join({ room: "a" }).asResult();
  if (!result.success) expectTypeOf(result.type).toEqualTypeOf<"FULL" | "SERVER_ERROR" | "VALIDATION_ERROR">();
});

it("types the implementation and the routes by the contract", () => {
  const http = new GGHttp(new GGHttpServer());
  http.http(schema, { join: async ({ room }) => ({ seats: room.length }), ping: async () => {} });
  // @ts-expect-error a handler is missing
  http.http(schema, { ping: async () => {} });
  // @ts-expect-error a wrong result
  http.http(schema, { join: async () => ({ seats: "4" }), ping: async () => {} });
  // @ts-expect-error a route is missing
  httpSchema(Contract).routes({ ping: GGRpc.GET("ping") });
});

it("takes a middleware as the README writes it", () => {
  class Auth implements GGHttpTransportMiddleware {
    updateRequest = (req: GGHttpRequest) => this.setHeader(req.headers as Record<string, string>);
    parseRequest = (req: GGHttpRequest) => this.setHeader(req.headers as Record<string, string | string[]>);
    updateHandshake = (ctx: { headers: Record<string, string> }) => this.setHeader(ctx.headers);
    private setHeader(headers: Record<string, string | string[]>) {
      headers.authorization = "x";
    }
  }
  httpSchema(Contract).pathPrefix("api").use(new Auth());
  // @ts-expect-error not a middleware
  httpSchema(Contract).use({ before: () => undefined });
});

it("takes transport in a schema, and processing in a registration", () => {
  const http = new GGHttp(new GGHttpServer());
  const transport = { parseRequest: () => undefined };
  const processing = { process: async () => undefined };
  const implementation = { join: async () => ({ seats: 1 }), ping: async () => undefined };
  httpSchema(Contract).use(transport);
  http.use(processing);
  schema.register(implementation, { middlewares: [processing] });
  // @ts-expect-error processing belongs to a registration
  httpSchema(Contract).use(processing);
  // @ts-expect-error transport belongs to a schema
  http.use(transport);
  // @ts-expect-error transport belongs to a schema
  schema.register(implementation, { middlewares: [transport] });
  // @ts-expect-error it is awaited, so it returns a promise
  http.use({ process: () => undefined });
});

it("takes a contract, not something that looks like one", () => {
  // @ts-expect-error a plain object
  httpSchema({ name: "Rooms", methods: { ping: {} } });
});

it("has its permissions under a context key with a schema", () => {
  expectTypeOf(GG_PERMISSIONS).toEqualTypeOf<GGContextKey<GGPermissionChecker>>();
  expectTypeOf(GG_PERMISSIONS.schema).toEqualTypeOf<GGSchema<GGPermissionChecker>>();
});
