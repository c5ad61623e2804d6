import { ERROR, IsObject, IsString } from "@grest-ts/schema";
import { defineSocketContract, type GGWebSocketClient } from "@grest-ts/websocket";

const NOT_IN_ROOM = ERROR.define("NOT_IN_ROOM", 400);

const contract = defineSocketContract("ChatApi", {
  clientToServer: {
    join: { input: IsObject({ room: IsString.nonEmpty }), success: IsObject({ room: IsString }) },
    say: {
      input: IsObject({ room: IsString, text: IsString.nonEmpty }),
      success: IsObject({ id: IsString }),
      errors: [NOT_IN_ROOM],
    },
  },
  serverToClient: {},
});

export declare const client: GGWebSocketClient<
  typeof contract.methods.clientToServer,
  typeof contract.methods.serverToClient
>;
export declare const text: string;
export declare const banner: { show(text: string): void; hide(): void };
export declare function retryLater(text: string): void;
