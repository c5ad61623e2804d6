import { IsObject, IsString, IsUint } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";

/** The contract of the soak's server and clients. */
export const Api = webSocketSchema(
  defineSocketContract("Soak", {
    clientToServer: {
      echo: { input: IsObject({ text: IsString, delay: IsUint }), success: IsString },
      note: { input: IsString },
    },
    serverToClient: { news: { input: IsString }, ask: { input: IsString, success: IsString } },
  }),
)
  .path("ws/soak")
  .done();
