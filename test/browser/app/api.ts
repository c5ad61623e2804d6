import { ERROR, IsBoolean, IsObject, IsString, IsUint } from "@grest-ts/schema";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";

/** What the page and its server agree on. The server's end is made from the sources, the page's from the build. */

export const FULL = ERROR.define("FULL", 409, IsObject({ limit: IsUint }));

const IsText = IsObject({ text: IsString });

export const PageApi = webSocketSchema(
  defineSocketContract("Page", {
    clientToServer: {
      greet: { input: IsObject({ name: IsString.nonEmpty }), success: IsString, errors: [FULL] },
      /** Is answered when the test says so. */
      wait: { success: IsString },
      note: { input: IsText },
    },
    serverToClient: {
      news: { input: IsText },
      areYouThere: { input: IsText, success: IsBoolean },
    },
  }),
)
  .path("ws/page")
  .queryOnConnect(IsObject({ room: IsString.nonEmpty }))
  .done();

/** The same API as a client has it that checks less than the server does. */
export const LaxApi = webSocketSchema(
  defineSocketContract("Page", {
    clientToServer: {
      ...PageApi.methods.clientToServer,
      greet: { input: IsObject({ name: IsString }), success: IsString },
    },
    serverToClient: PageApi.methods.serverToClient,
  }),
)
  .path("ws/page")
  .queryOnConnect<{ room: string }>()
  .done();
