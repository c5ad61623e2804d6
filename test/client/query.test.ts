import { IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { expect, it } from "vitest";
import { Queue } from "../support/queue.js";
import { serveApi } from "../support/server.js";

const contract = defineSocketContract("Queried", {
  clientToServer: { greet: { success: IsString } },
  serverToClient: {},
});
const Api = webSocketSchema(contract).path("ws/queried").queryOnConnect<Record<string, unknown>>().done();

it.each([
  ["separators", { "a=b&c": "d=e&f?#/;,:" }],
  ["what a form encodes", { room: "one two+three%20%", mark: "!'()~*-._" }],
  ["text beyond ASCII", { místnost: "čaj ☕ 🎉" }],
  ["an empty text", { room: "" }],
  ["lists", { room: ["a", "b,c", "a"], floor: ["1", "2"] }],
])("hands %s of a query to the server as they are", async (_, query) => {
  const queries = new Queue<object>();
  const { base } = await serveApi(Api, (incoming, _outgoing, received) => {
    incoming.on({ greet: () => "Hello" });
    queries.push(received);
  });
  const client = Api.createClient({ url: base, query });
  await client.connect();
  client.close();
  expect(await queries.next()).toEqual(query);
});

it("sends half a character of a query as the character that stands for none", async () => {
  const queries = new Queue<object>();
  const { base } = await serveApi(Api, (_incoming, _outgoing, received) => void queries.push(received));
  const client = Api.createClient({ url: base, query: { room: "🎉".slice(0, 1), other: "🎉".slice(1) } });
  await client.connect();
  client.close();
  expect(await queries.next()).toEqual({ room: "\ufffd", other: "\ufffd" });
});
