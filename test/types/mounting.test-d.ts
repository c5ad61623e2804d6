import { createServer, type Server } from "node:http";
import { createServer as createHttp2Server, createSecureServer } from "node:http2";
import { createServer as createTlsServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import { GGHttpServer } from "@grest-ts/http";
import { type GGNodeServer, GGSocketServer, type WebSocketSchemaConfig } from "@grest-ts/websocket";
import type { HttpServer as ViteServer } from "vite";
import { describe, expectTypeOf, it } from "vitest";
import { Api } from "./api.js";

describe("the option http", () => {
  it("takes a GGHttpServer and the servers of Node", () => {
    expectTypeOf<WebSocketSchemaConfig["http"]>().toEqualTypeOf<GGHttpServer | GGNodeServer | undefined>();
    expectTypeOf(createServer()).toExtend<GGNodeServer>();
    expectTypeOf(createServer().listen(0)).toExtend<GGNodeServer>();
    expectTypeOf(createTlsServer({})).toExtend<GGNodeServer>();
    expectTypeOf(createSecureServer({ allowHTTP1: true })).toExtend<GGNodeServer>();
    // What `serve()` of Hono returns names it, whatever was asked for.
    expectTypeOf(createHttp2Server()).toExtend<GGNodeServer>();
    expectTypeOf<ViteServer>().toExtend<GGNodeServer>();
    void (() => {
      for (const http of [createServer(), createTlsServer({}), new GGHttpServer()]) {
        Api.register(() => {}, { http });
        Api.startServer(() => {}, { http });
        new GGSocketServer(http, { apiName: "Raw", path: "raw" });
      }
    });
  });

  it("takes nothing else", () => {
    const app = Object.assign(() => {}, { listen: (_port: number): Server => createServer() });
    void (() => {
      // @ts-expect-error an app is no server
      Api.register(() => {}, { http: app });
      // @ts-expect-error a server without HTTP
      Api.register(() => {}, { http: createTcpServer() });
      // @ts-expect-error an address
      Api.startServer(() => {}, { http: "http://localhost:8080" });
      // @ts-expect-error a promise
      Api.startServer(() => {}, { http: Promise.resolve(createServer()) });
      // @ts-expect-error a port
      new GGSocketServer(8080, { apiName: "Raw", path: "raw" });
    });
  });
});
