// A page's whole program, as a user writes it: the packages by their names.
import { IsObject, IsString } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";

const contract = defineSocketContract("Page", {
  clientToServer: { greet: { input: IsObject({ name: IsString.nonEmpty }), success: IsString } },
  serverToClient: { news: { input: IsObject({ text: IsString }) } },
});
const Api = webSocketSchema(contract).path("ws/page").done();

const client = Api.createClient({ url: "", query: { room: "lobby" } });
client.incoming.on({ news: ({ text }) => report(`news ${text}`) });
await client.connect();
report(await client.outgoing.greet({ name: "Ann" }));
