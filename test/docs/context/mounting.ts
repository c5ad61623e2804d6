import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { IsObject, IsString } from "@grest-ts/schema";
import {
  defineSocketContract,
  type GGSocketServer,
  type WebSocketIncoming,
  type WebSocketOutgoing,
  webSocketSchema,
} from "@grest-ts/websocket";

const contract = defineSocketContract("Greeter", {
  clientToServer: { greet: { input: IsObject({ name: IsString.nonEmpty }), success: IsString } },
  serverToClient: { news: { input: IsString } },
});

export const Greeter = webSocketSchema(contract).path("ws/greeter").done();

export declare function onConnection(
  incoming: WebSocketIncoming<typeof contract.methods.clientToServer>,
  outgoing: WebSocketOutgoing<typeof contract.methods.serverToClient>,
): void;

export declare const greeter: GGSocketServer;
export declare const server: Server;
export declare const handler: (request: IncomingMessage, response: ServerResponse) => void;
/** What the function `next` of Next.js returns, as far as it is used. */
export declare const app: {
  prepare(): Promise<void>;
  getRequestHandler(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
};
