// The kit under Node's own test runner, as a user has it: no vitest, the package by its name.
import assert from "node:assert/strict";
import { test } from "node:test";
import { GGHttpServer } from "@grest-ts/http";
import { IsBoolean, IsObject, IsString, VALIDATION_ERROR } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { callOn } from "@grest-ts/websocket/testkit";

const contract = defineSocketContract("Kit", {
  clientToServer: { greet: { input: IsObject({ name: IsString.nonEmpty }), success: IsString } },
  serverToClient: { news: { input: IsString }, areYouThere: { success: IsBoolean } },
});
const Api = webSocketSchema(contract).path("ws/kit").done();

test("the kit", async (t) => {
  const http = new GGHttpServer({ port: 0 });
  Api.register(
    (incoming, outgoing) =>
      incoming.on({
        async greet({ name }) {
          outgoing.news(`${name} was greeted`);
          return `Hello ${name}, ${await outgoing.areYouThere().orDefault(() => "nobody")}`;
        },
      }),
    { http },
  );
  await http.start();
  t.after(() => http.teardown());

  const ends = [];
  const api = callOn(Api, { onTestFinished: (callback) => ends.push(callback) });
  await api.connect();
  const { news, areYouThere } = api.mock;
  await api
    .greet({ name: "Ann" })
    .with(news.toEqual("Ann was greeted"), areYouThere.andReturn(true))
    .toEqual("Hello Ann, true");
  await api
    .greet({ name: "" })
    .toBeError(VALIDATION_ERROR)
    .toEqual({ name: ["Value must not be empty"] });
  await assert.rejects(api.greet({ name: "Bo" }).toEqual("Hello"), /no mock answers it/);
  await assert.rejects(ends[0](), /^GGSocketTestError: Kit\.news: a push that no test expected/);

  const viaHook = Api[Symbol.for("gg:callOnFactory")]();
  await viaHook.connect();
  await viaHook.disconnect();
});
