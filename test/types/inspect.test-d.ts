import type { GGHttpServer } from "@grest-ts/http";
import { IsString } from "@grest-ts/schema";
import { defineSocketContract, type GGSocket, GGSocketServer, webSocketSchema } from "@grest-ts/websocket";
import {
  consoleSink,
  type GGFrameKind,
  type GGInspectedConnection,
  type GGInspectedFrame,
  type GGInspection,
  inspect,
  isFailure,
  jsonLines,
} from "@grest-ts/websocket/inspect";
import { describe, expectTypeOf, it } from "vitest";

const contract = defineSocketContract("Api", {
  clientToServer: { echo: { input: IsString, success: IsString } },
  serverToClient: { news: { input: IsString } },
});
const Api = webSocketSchema(contract).path("ws").queryOnConnect<{ room: string }>().done();
declare const socket: GGSocket;
declare const http: GGHttpServer;

describe("inspect()", () => {
  it("takes clients, servers and sockets, whatever their contract", () => {
    expectTypeOf(inspect(Api.createClient({ query: { room: "a" } }))).toEqualTypeOf<GGInspection>();
    expectTypeOf(inspect(Api.startServer(() => {}))).toEqualTypeOf<GGInspection>();
    expectTypeOf(inspect(new GGSocketServer(http, { path: "x", apiName: "X" }))).toEqualTypeOf<GGInspection>();
    expectTypeOf(inspect(socket)).toEqualTypeOf<GGInspection>();
    // @ts-expect-error a schema is none of these
    inspect(Api);
    // @ts-expect-error neither is a text
    inspect("Api");
    // @ts-expect-error register() returns nothing
    inspect(Api.register(() => {}));
  });

  it("takes a sink, options, or both", () => {
    inspect(socket, consoleSink());
    inspect(
      socket,
      consoleSink((text) => process.stdout.write(text)),
      { keep: 0 },
    );
    inspect(
      socket,
      jsonLines(async () => {}),
    );
    inspect(socket, { filter: isFailure, schemas: Api });
    inspect(socket, { schemas: [Api, contract], redactNames: false, redact: ["a.*.b"], headers: ["accept-language"] });
    inspect(socket, (frame) => {
      expectTypeOf(frame).toEqualTypeOf<GGInspectedFrame>();
    });
    // @ts-expect-error an option that there is not
    inspect(socket, { payload: true });
    // @ts-expect-error options come last
    inspect(socket, { payloads: true }, consoleSink());
  });

  it("shows frames whose kinds are known", () => {
    const inspection = inspect(socket);
    expectTypeOf(inspection.recent("id")).toEqualTypeOf<GGInspectedFrame[]>();
    expectTypeOf(inspection.connections).toEqualTypeOf<readonly GGInspectedConnection[]>();
    expectTypeOf<GGInspectedFrame["kind"]>().toEqualTypeOf<GGFrameKind>();
    expectTypeOf<GGInspectedFrame["payload"]>().toEqualTypeOf<unknown>();
    expectTypeOf<GGInspectedFrame["path"]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<"request">().toExtend<GGFrameKind>();
    expectTypeOf<"r">().not.toExtend<GGFrameKind>();
  });
});
