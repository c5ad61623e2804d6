import { IsObject, IsString } from "@grest-ts/schema";
import {
  defineSocketContract,
  type GGBus,
  type GGPresenceInfo,
  type GGSocketGroup,
  type GGSocketServer,
  type WebSocketOutgoing,
} from "@grest-ts/websocket";

const contract = defineSocketContract("ChatApi", {
  clientToServer: {},
  serverToClient: {
    message: { input: IsObject({ from: IsString, text: IsString }) },
    notice: { input: IsString },
  },
});
type Methods = typeof contract.methods.serverToClient;

export declare const room: GGSocketGroup<Methods>;
export declare const server: GGSocketServer<object, unknown, Methods>;
export declare const outgoing: WebSocketOutgoing<Methods>;
export declare const bus: GGBus;
export declare function show(joined: readonly GGPresenceInfo[], left: readonly GGPresenceInfo[]): void;
