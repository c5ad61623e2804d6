// A program as a user has it: plain JavaScript, the package by its name, no call to process.exit.
import { GGHttpServer } from "@grest-ts/http";
import { IsBoolean, IsObject, IsString } from "@grest-ts/schema";
import { CloseCode, defineSocketContract, GGSocketPool, webSocketSchema } from "@grest-ts/websocket";

const contract = defineSocketContract("BuiltApi", {
  clientToServer: {
    greet: { input: IsObject({ name: IsString.nonEmpty }), success: IsString },
    ping: {},
  },
  serverToClient: {
    news: { input: IsString },
    areYouThere: { success: IsBoolean },
  },
});
const Api = webSocketSchema(contract).path("ws/built").done();

const http = new GGHttpServer({ port: 0 });
Api.register(
  (incoming, outgoing) => {
    incoming.on({
      async greet({ name }) {
        outgoing.news(`${name} was greeted`);
        return `Hello ${name}, ${(await outgoing.areYouThere()) ? "here" : "gone"}`;
      },
      ping() {},
    });
  },
  { http },
);
await http.start();
const url = `ws://127.0.0.1:${http.port}`;

const client = Api.createClient({ url });
const news = [];
client.incoming.on({ news: (text) => void news.push(text), areYouThere: () => true });
await client.connect();
const greeting = await client.outgoing.greet({ name: "Ann" });
const invalid = await client.outgoing.greet({ name: "" }).asResult();

const socket = await GGSocketPool.getOrConnect({ domain: url, path: "/ws/built" });
const { type: raw } = await socket.send("BuiltApi.nope", undefined, true);
await GGSocketPool.closeAll();

await client.disconnect();
await http.teardown();
console.log(
  JSON.stringify({
    module: import.meta.resolve("@grest-ts/websocket").split("/").slice(-2).join("/"),
    testkit: import.meta.resolve("@grest-ts/websocket/testkit").split("/").slice(-2).join("/"),
    greeting,
    news,
    invalid: invalid.type,
    raw,
    closeCode: CloseCode.HANDSHAKE_FAILED,
  }),
);
