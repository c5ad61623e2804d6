import { GGLocatorScope } from "@grest-ts/locator";
import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import {
  ERROR,
  GGContractClass,
  GGPromise,
  IsArray,
  IsBoolean,
  IsNumber,
  IsObject,
  IsString,
  IsUint,
  NOT_FOUND,
  ROUTE_NOT_FOUND,
  SERVER_ERROR,
  VALIDATION_ERROR,
} from "@grest-ts/schema";
import { describe, expect, it, vi } from "vitest";
import { GGHttp, GGHttpMetrics, GGRpc, httpSchema } from "../src/index.js";
import { captureErrors, newServer, openSocket, readToEnd, startServer } from "./support.js";

const SOLD_OUT = ERROR.define("TEST_SOLD_OUT", 409, IsObject({ left: IsNumber }));

const IsItem = IsObject({ id: IsString, price: IsNumber });
const Contract = new GGContractClass("ItemApi", {
  find: {
    input: IsObject({
      text: IsString,
      limit: IsUint.orUndefined,
      exact: IsBoolean.orUndefined,
      tags: IsArray(IsString).orUndefined,
      area: IsObject({ north: IsNumber }).orUndefined,
    }),
    success: IsArray(IsItem),
    errors: [VALIDATION_ERROR],
  },
  add: { input: IsItem, success: IsItem, errors: [VALIDATION_ERROR, SOLD_OUT] },
  replace: { input: IsItem },
  clear: {},
});

const ItemApi = httpSchema(Contract)
  .pathPrefix("api/items")
  .routes({
    find: GGRpc.GET("find"),
    add: GGRpc.POST("add"),
    replace: GGRpc.PUT("replace"),
    clear: GGRpc.DELETE("/"),
  });

type Implementation = Parameters<typeof ItemApi.register>[0];

const implementation = (parts: Partial<Implementation> = {}): Implementation => ({
  find: async () => [],
  add: async (item) => item,
  replace: async () => undefined,
  clear: async () => undefined,
  ...parts,
});

const serve = async (parts: Partial<Implementation> = {}) => {
  const server = newServer();
  new GGHttp(server).http(ItemApi, implementation(parts));
  const url = await startServer(server);
  return { server, url, client: ItemApi.createClient({ url }) };
};

describe("a call", () => {
  it("carries a GET input through the query, whatever its shape", async () => {
    const seen: unknown[] = [];
    const { client } = await serve({
      find: async (input) => {
        seen.push(input);
        return [{ id: input.text, price: 1 }];
      },
    });
    const inputs = [
      { text: "a&b=c d/é" },
      { text: "", limit: 5 as never, exact: false },
      { text: "x", tags: ["one"] },
      { text: "x", tags: ["one", "two", ""] },
      { text: "x", tags: [], area: { north: -1.5 } },
    ];
    for (const input of inputs) await client.find(input);
    expect(seen).toEqual(inputs);
    expect(await client.find({ text: "id" })).toEqual([{ id: "id", price: 1 }]);
  });

  it("carries other inputs as a JSON body, and strips both ways", async () => {
    const add = vi.fn(async (item: { id: string; price: number }) => ({ ...item, secret: "s" }));
    const { client } = await serve({ add });
    const extra = { id: "é", price: 2, extra: true };
    expect(await client.add(extra)).toEqual({ id: "é", price: 2 });
    expect(add).toHaveBeenCalledWith({ id: "é", price: 2 });
  });

  it("works without input and without result", async () => {
    const clear = vi.fn(async () => undefined);
    const { client } = await serve({ clear });
    expect(await client.clear()).toBeUndefined();
    expect(await client.replace({ id: "a", price: 1 })).toBeUndefined();
    expect(clear).toHaveBeenCalledExactlyOnceWith(undefined);
    expect(client.clear()).toBeInstanceOf(GGPromise);
  });

  it("keeps `this` of the implementation", async () => {
    class Shop {
      private readonly items = [{ id: "tea", price: 3 }];
      async find() {
        return this.items;
      }
      async add(item: { id: string; price: number }) {
        return item;
      }
      async replace() {}
      async clear() {}
    }
    const server = newServer();
    ItemApi.register(new Shop(), { http: server });
    const client = ItemApi.createClient({ url: await startServer(server) });
    expect(await client.find({ text: "" })).toEqual([{ id: "tea", price: 3 }]);
  });
});

describe("an error", () => {
  it("in the input stops the call on the client", async () => {
    const add = vi.fn();
    const { client } = await serve({ add });
    const result = await client.add({ id: "a", price: "x" as never }).asResult();
    expect(result).toMatchObject({ success: false, type: "VALIDATION_ERROR" });
    expect(add).not.toHaveBeenCalled();
  });

  it("in the input is found by the server too", async () => {
    const add = vi.fn();
    const { url } = await serve({ add });
    const response = await fetch(`${url}/api/items/add`, { method: "POST", body: '{"price":"x"}' });
    expect(response.status).toBe(422);
    const body = await response.json();
    expect(body.type).toBe("VALIDATION_ERROR");
    expect(body.data.map((issue: { path: string }) => issue.path).sort()).toEqual(["id", "price"]);
    expect(add).not.toHaveBeenCalled();
  });

  it("of the contract arrives as its class, with its data and status", async () => {
    const { client, url } = await serve({
      add: async () => {
        throw new SOLD_OUT({ left: 0 }, { displayMessage: "All gone", debugMessage: "secret" });
      },
    });
    const error = await client.add({ id: "a", price: 1 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SOLD_OUT);
    expect(error).toMatchObject({ data: { left: 0 }, statusCode: 409, context: { displayMessage: "All gone" } });
    const response = await fetch(`${url}/api/items/add`, { method: "POST", body: '{"id":"a","price":1}' });
    expect(response.status).toBe(409);
    expect(await response.text()).not.toContain("secret");
  });

  it("that the contract does not list becomes a SERVER_ERROR, logged under the same reference", async () => {
    const errors = captureErrors();
    const { client } = await serve({
      add: async () => {
        throw new Error("database password is hunter two");
      },
      clear: async () => {
        throw new NOT_FOUND();
      },
    });
    const error = await client.add({ id: "a", price: 1 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SERVER_ERROR);
    expect(JSON.stringify(error)).not.toContain("hunter");
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain("hunter two");
    expect(errors[0]).toContain("ItemApi.add");
    expect(errors[0]).toContain((error as typeof SERVER_ERROR.infer).context?.ref as string);
    expect(await client.clear().asResult()).toMatchObject({ type: "SERVER_ERROR" });
  });

  it("of the transport settles the call", async () => {
    const { client, server } = await serve();
    await server.teardown();
    expect(await client.clear().asResult()).toMatchObject({
      type: "SERVER_ERROR",
      context: { displayMessage: "The server could not be reached" },
    });
    expect(await ItemApi.createClient().clear().asResult()).toMatchObject({
      type: "SERVER_ERROR",
      context: { displayMessage: expect.stringContaining("createClient needs one") },
    });
    const astray = ItemApi.createClient({ url: "not a url" });
    expect(await astray.clear().asResult()).toMatchObject({ type: "SERVER_ERROR" });
  });

  it("settles a call that times out", async () => {
    const { url } = await serve({ clear: () => new Promise(() => undefined) });
    const client = ItemApi.createClient({ url, timeout: 20 });
    expect(await client.clear().asResult()).toMatchObject({
      type: "SERVER_ERROR",
      context: { displayMessage: "Request timeout" },
    });
  });

  it("settles a call whose response is not of this library", async () => {
    const server = newServer();
    server.registerRoute("DELETE", "/api/items", (_request, response) => {
      response.writeHead(502).end("<h1>Bad gateway</h1>");
    });
    const client = ItemApi.createClient({ url: await startServer(server) });
    expect(await client.clear().asResult()).toMatchObject({
      type: "SERVER_ERROR",
      context: { displayMessage: "Unexpected response (HTTP 502)" },
    });
  });

  it("of routing reaches the client unchanged if it is listed", async () => {
    const url = await startServer(newServer());
    const unlisted = await ItemApi.createClient({ url }).clear().asResult();
    expect(unlisted).toMatchObject({ type: "SERVER_ERROR", context: { displayMessage: "Invalid response" } });
    const Listing = httpSchema(new GGContractClass("ListingApi", { clear: { errors: [ROUTE_NOT_FOUND] } }));
    const client = Listing.routes({ clear: GGRpc.DELETE("/") }).createClient({ url });
    expect(await client.clear().asResult()).toMatchObject({ type: "ROUTE_NOT_FOUND", statusCode: 404 });
  });
});

describe("a request body", () => {
  const post = async (lines: string[], body: string) => {
    const { server } = await serve();
    const socket = await openSocket(server);
    const answer = readToEnd(socket);
    socket.write(["POST /api/items/add HTTP/1.1", "Host: x", "Connection: close", ...lines, "", body].join("\r\n"));
    return answer;
  };

  it("over 1 MiB is rejected unread when its length is declared", async () => {
    const answer = await post(["Content-Length: 1048577"], "");
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"type":"PAYLOAD_TOO_LARGE"');
  });

  it("over 1 MiB is rejected at the limit when its length is not declared", async () => {
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const answer = await post(["Transfer-Encoding: chunked"], `${chunk.repeat(17)}`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("of exactly 1 MiB is accepted", async () => {
    const { url } = await serve();
    const frame = JSON.stringify({ id: "", price: 1 });
    const body = JSON.stringify({ id: "x".repeat(1024 * 1024 - frame.length), price: 1 });
    const response = await fetch(`${url}/api/items/add`, { method: "POST", body });
    expect(response.status).toBe(200);
  });

  it("that is not JSON is a BAD_REQUEST", async () => {
    const { url } = await serve();
    const response = await fetch(`${url}/api/items/add`, { method: "POST", body: "{" });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ type: "BAD_REQUEST" });
    const query = await fetch(`${url}/api/items/find?tags:json=[`);
    expect(query.status).toBe(400);
  });

  it("cannot reach a prototype", async () => {
    const add = vi.fn(async (item: { id: string; price: number }) => item);
    const { url } = await serve({ add, find: async ({ text }) => [{ id: text, price: 0 }] });
    const body = '{"id":"a","price":1,"__proto__":{"polluted":true}}';
    await fetch(`${url}/api/items/add`, { method: "POST", body });
    expect(add.mock.calls[0]?.[0]).not.toHaveProperty("polluted");
    const response = await fetch(`${url}/api/items/find?text=t&__proto__:json={"polluted":true}&constructor=x`);
    expect(await response.json()).toMatchObject({ success: true, data: [{ id: "t" }] });
    expect(Object.prototype).not.toHaveProperty("polluted");
    const inherited = await fetch(`${url}/api/items/find?__proto__:json={"text":"t"}`);
    expect(inherited.status).toBe(422);
  });
});

describe("a schema", () => {
  it("needs a route for every method, and a handler for each when it is registered", () => {
    expect(() => httpSchema(Contract).routes({} as never)).toThrow("Route missing for ItemApi.find");
    const server = newServer();
    const { clear: _, ...rest } = implementation();
    expect(() => ItemApi.register(rest as never, { http: server })).toThrow("Handler missing for ItemApi.clear");
    expect(server.registeredSchemas).toEqual([]);
    // The failed attempt has registered nothing.
    ItemApi.register(implementation(), { http: server });
    expect(server.registeredSchemas).toEqual([ItemApi]);
  });

  it("needs a server", () => {
    new GGLocatorScope("empty").run(() => {
      expect(() => ItemApi.register(implementation())).toThrow(/"ItemApi".*no GGHttpServer/);
    });
  });
});

it("requests are counted and timed by method and result, where there is a store", async () => {
  expect(GG_METRICS.has()).toBe(false);
  await (await serve()).client.clear();
  GG_METRICS.set(new GGMetricsStore());
  const { client } = await serve({
    add: async () => {
      throw new SOLD_OUT({ left: 0 });
    },
  });
  await client.clear();
  await client.clear();
  await client.add({ id: "a", price: 1 }).asResult();
  expect(GGHttpMetrics.requests.getValue({ api: "ItemApi", method: "clear", result: "OK" })).toBe(2);
  expect(GGHttpMetrics.requests.getValue({ api: "ItemApi", method: "add", result: "TEST_SOLD_OUT" })).toBe(1);
  expect(GGHttpMetrics.requestDuration.getValue({ api: "ItemApi", method: "clear" })?.count).toBe(2);
});
