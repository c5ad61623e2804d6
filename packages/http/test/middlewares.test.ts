import { GGContext, GGContextKey } from "@grest-ts/context";
import { GGContractClass, IsObject, IsString, NOT_AUTHORIZED } from "@grest-ts/schema";
import { describe, expect, it, vi } from "vitest";
import {
  GGHttp,
  type GGHttpRequest,
  type GGHttpServerMiddleware,
  type GGHttpTransportMiddleware,
  GGRpc,
  httpSchema,
} from "../src/index.js";
import { captureErrors, newServer, startServer } from "./support.js";

const USER = new GGContextKey<string>("http_test_user", IsString);

describe("middlewares", () => {
  it("run in order, the schema's before the registration's, inside one context", async () => {
    const steps: string[] = [];
    const parse = (name: string): GGHttpTransportMiddleware => ({
      parseRequest: () => {
        steps.push(`${name}.parse user=${USER.get()}`);
        USER.set(name);
      },
    });
    const process = (name: string): GGHttpServerMiddleware => ({
      process: async () => {
        await Promise.resolve();
        steps.push(`${name}.process user=${USER.get()}`);
        USER.set(name);
      },
    });
    const Api = httpSchema(new GGContractClass("StepApi", { go: { success: IsString } }))
      .use(parse("a"))
      .use(parse("b"))
      .routes({ go: GGRpc.POST("go") });
    const server = newServer();
    new GGHttp(server)
      .use(process("c"))
      .use(process("d"))
      .http(Api, { go: async () => String(USER.get()) });
    const client = Api.createClient({ url: await startServer(server) });
    // The client has the schema's middlewares, which have no client hooks here.
    expect(await client.go()).toBe("d");
    expect(steps).toEqual(["a.parse user=undefined", "b.parse user=a", "c.process user=b", "d.process user=c"]);
  });

  it("take part only in their place: transport in a schema, processing in a registration", async () => {
    const steps: string[] = [];
    const both = (name: string) => ({
      parseRequest: () => void steps.push(`${name}.parse`),
      process: async () => void steps.push(`${name}.process`),
    });
    const Api = httpSchema(new GGContractClass("BothApi", { go: {} }))
      .use(both("schema"))
      .routes({ go: GGRpc.POST("go") });
    const server = newServer();
    new GGHttp(server).use(both("registration")).http(Api, { go: async () => undefined });
    await Api.createClient({ url: await startServer(server) }).go();
    expect(steps).toEqual(["schema.parse", "registration.process"]);
  });

  it("see and change headers, query and response on both ends", async () => {
    const seen: Record<string, unknown> = {};
    const trace: GGHttpTransportMiddleware = {
      updateRequest: (request) => {
        Object.assign(request.headers as object, { "x-trace": "t1" });
        Object.assign(request.queryArgs as object, { debug: ["1", "2"] });
      },
      parseRequest: (request) => {
        seen.trace = request.headers?.["x-trace"];
        seen.debug = request.queryArgs?.debug;
      },
      updateResponse: (response) => {
        response.headers["x-reply"] = "r1";
        if (response.status === 200) response.status = 202;
      },
      parseResponse: (response) => {
        seen.status = response.status;
        seen.reply = response.headers["x-reply"];
      },
    };
    const Api = httpSchema(new GGContractClass("TraceApi", { go: { success: IsString } }))
      .use(trace)
      .routes({ go: GGRpc.POST("go") });
    const server = newServer();
    Api.register({ go: async () => "ok" });
    const client = Api.createClient({ url: await startServer(server) });
    expect(await client.go()).toBe("ok");
    expect(seen).toEqual({ trace: "t1", debug: ["1", "2"], status: 202, reply: "r1" });
  });

  it("may reject: an ERROR is the response, anything else becomes a SERVER_ERROR", async () => {
    const errors = captureErrors();
    const handler = vi.fn(async () => "never");
    const refuse = async (transport: GGHttpTransportMiddleware, registration: GGHttpServerMiddleware) => {
      const contract = new GGContractClass("RefuseApi", { go: { success: IsString, errors: [NOT_AUTHORIZED] } });
      const Api = httpSchema(contract)
        .use(transport)
        .routes({ go: GGRpc.POST("go") });
      const server = newServer();
      Api.register({ go: handler }, { http: server, middlewares: [registration] });
      return Api.createClient({ url: await startServer(server) })
        .go()
        .asResult();
    };
    const parseRequest = () => {
      throw new NOT_AUTHORIZED({ displayMessage: "Missing bearer token" });
    };
    expect(await refuse({ parseRequest }, {})).toMatchObject({
      type: "NOT_AUTHORIZED",
      context: { displayMessage: "Missing bearer token" },
    });
    const process = () => Promise.reject(new Error("secret"));
    const result = await refuse({}, { process });
    expect(result).toMatchObject({ type: "SERVER_ERROR" });
    expect(JSON.stringify(result)).not.toContain("secret");
    expect(errors.join()).toContain("secret");
    expect(handler).not.toHaveBeenCalled();
  });

  it("that fail on the client settle the call", async () => {
    const Api = httpSchema(new GGContractClass("FailApi", { go: { input: IsString } }))
      .use({
        updateRequest: () => {
          throw new Error("no token");
        },
      })
      .routes({ go: GGRpc.POST("go") });
    const client = Api.createClient({ url: "http://127.0.0.1:1" });
    expect(await client.go(5 as never).asResult()).toMatchObject({ type: "SERVER_ERROR" });
  });

  it("carry a context key in a header, checked on arrival", async () => {
    const PLACE = new GGContextKey<{ city: string }>("X-Place", IsObject({ city: IsString }));
    const NAME = new GGContextKey<string>("X-Name", IsString);
    const Api = httpSchema(new GGContractClass("HeaderApi", { go: { success: IsString } }))
      .useHeader(PLACE)
      .useHeader(NAME)
      .routes({ go: GGRpc.GET("go") });
    const server = newServer({ cors: true });
    Api.register({ go: async () => `${PLACE.get()?.city}|${NAME.get()}` }, { http: server });
    const url = await startServer(server);
    const client = Api.createClient({ url });
    const context = new GGContext("caller").set(PLACE, { city: "Zürich" }).set(NAME, '"日本" [x]');
    expect(await context.run(() => client.go())).toBe('Zürich|"日本" [x]');
    for (const name of ['"quoted"', " blanks ", "", "[1]", "5"]) {
      expect(await new GGContext("caller").set(NAME, name).run(() => client.go())).toBe(`undefined|${name}`);
    }
    expect(await client.go()).toBe("undefined|undefined");
    expect((await fetch(`${url}/go`, { headers: { "x-place": '{"city":[]}' } })).status).toBe(400);
    expect((await fetch(`${url}/go`, { headers: { "x-place": "{" } })).status).toBe(400);
    const preflight = await fetch(`${url}/go`, {
      method: "OPTIONS",
      headers: { origin: "https://a.example", "access-control-request-method": "GET" },
    });
    expect(preflight.headers.get("access-control-allow-headers")).toContain("x-place, x-name");
  });
});

/** The README's class, with a fixed value instead of its look-up. */
class BearerAuthMiddleware implements GGHttpTransportMiddleware {
  constructor(private readonly token: () => string | undefined) {}
  updateRequest = (req: GGHttpRequest) => this.setHeader(req.headers as Record<string, string>);
  parseRequest = (req: GGHttpRequest) => this.extract(req.headers as Record<string, string | string[]>);

  private setHeader(headers: Record<string, string>) {
    const token = this.token();
    if (token) headers.authorization = `Bearer ${token}`;
  }

  private extract(headers: Record<string, string | string[]>) {
    const header = headers.authorization;
    if (typeof header !== "string" || !header.startsWith("Bearer ")) throw new NOT_AUTHORIZED();
    USER.set(header.substring(7));
  }
}

it("the README's bearer middleware works on both ends", async () => {
  let token: string | undefined;
  const Api = httpSchema(new GGContractClass("BearerApi", { who: { success: IsString, errors: [NOT_AUTHORIZED] } }))
    .pathPrefix("/api/bearer/")
    .use(new BearerAuthMiddleware(() => token))
    .routes({ who: GGRpc.GET("who") });
  const server = newServer();
  Api.register({ who: async () => String(USER.get()) }, { http: server });
  const client = Api.createClient({ url: `${await startServer(server)}/` });
  expect(await client.who().asResult()).toMatchObject({ type: "NOT_AUTHORIZED" });
  token = "ann";
  expect(await client.who()).toBe("ann");
});
