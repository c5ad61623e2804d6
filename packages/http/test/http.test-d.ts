import { ERROR, IsNumber, IsObject, IsString } from "@grest-ts/schema";
import { expectTypeOf, it } from "vitest";
import {
  GGHttp,
  type GGHttpRequest,
  GGHttpServer,
  type GGHttpTransportMiddleware,
  GGRpc,
  httpSchema,
} from "../src/index.js";

const FULL = ERROR.define("FULL", 409);
const Contract = {
  name: "Rooms",
  methods: {
    join: { input: IsObject({ room: IsString }), success: IsObject({ seats: IsNumber }), errors: [FULL] },
    ping: {},
  },
} as const;
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
