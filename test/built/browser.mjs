// What a bundler gets for a page: the same import, under the `browser` condition.
import { IsString } from "@grest-ts/schema";
import { defineSocketContract, GGSocketPool, webSocketSchema } from "@grest-ts/websocket";

const contract = defineSocketContract("BuiltApi", {
  clientToServer: { greet: { success: IsString } },
  serverToClient: {},
});
export const client = webSocketSchema(contract).path("ws/built").done().createClient({ url: "" });
export const pool = GGSocketPool;
