// A program of any runtime: the client over the global WebSocket. It is told where the server is, tells what happens line
// by line, and ends by itself.
import { ERROR, IsBoolean, IsObject, IsString, NOT_AUTHORIZED } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";

const [url] = (globalThis.Deno?.args ?? globalThis.process.argv).slice(-1);
const say = (event, value = null) => console.log(JSON.stringify([event, value]));

const IsText = IsObject({ text: IsString });
const contract = defineSocketContract("Page", {
  clientToServer: {
    greet: { input: IsObject({ name: IsString.nonEmpty }), success: IsString },
    wait: { success: IsString },
    note: { input: IsText },
  },
  serverToClient: {
    news: { input: IsText },
    areYouThere: { input: IsText, success: IsBoolean },
  },
});
const Api = webSocketSchema(contract).path("ws/page").done();
const token = (authorization) => ({ updateHandshake: ({ headers }) => void Object.assign(headers, { authorization }) });
const options = { url, query: { room: "lobby" }, webSocket: globalThis.WebSocket };

say("entry", import.meta.resolve("@grest-ts/websocket").split("/").at(-1));

const stranger = Api.createClient({ ...options, middlewares: [token("stranger")] });
const refusal = await stranger.connect().catch((error) => error);
say("refused", [refusal instanceof NOT_AUTHORIZED, refusal instanceof ERROR, refusal.context?.displayMessage]);

const client = Api.createClient({ ...options, reconnect: { initialDelayMs: 0, maxDelayMs: 0 } });
client.incoming.on({ news: ({ text }) => say("news", text), areYouThere: ({ text }) => text === "program" });
const dropped = new Promise((resolve) => client.onDisconnect(resolve));
await client.connect(() => say("setup"));
say("reply", await client.outgoing.greet({ name: "Ann" }));
say("invalid", (await client.outgoing.greet({ name: "" }).asResult()).type);
await client.outgoing.note({ text: "ready" });

// The server drops the line while this call is in flight.
const inFlight = await client.outgoing.wait().asResult();
say("in flight", [inFlight.type, /was sent and may have run/.test(inFlight.context.displayMessage)]);
say("disconnect", await dropped);
await client.connect();
say("again", await client.outgoing.greet({ name: "Bo" }));
await client.disconnect();
say("end");
