import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";

const contract = defineSocketContract("ChatApi", { clientToServer: {}, serverToClient: {} });

export const ChatApi = webSocketSchema(contract).path("ws/chat").done();
