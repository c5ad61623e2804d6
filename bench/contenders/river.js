import { createClient, createServer, Ok, Procedure, ServiceSchema } from "@replit/river";
import { WebSocketClientTransport } from "@replit/river/transport/ws/client";
import { WebSocketServerTransport } from "@replit/river/transport/ws/server";
import { Type } from "@sinclair/typebox";
import { WebSocket, WebSocketServer } from "ws";
import { listening } from "../lib/ws.js";

/** By default each connection sends a heartbeat every second from both ends, while others are measured too. */
const options = { heartbeatIntervalMs: 25_000 };
let lastId = 0;

export default {
  async serve() {
    const send = Procedure.rpc({
      input: Type.Object({ text: Type.String({ minLength: 1 }), channelId: Type.String() }),
      output: Type.Object({ success: Type.Boolean(), messageId: Type.String() }),
      errors: Type.Never(),
      handler: async (_context, { text, channelId }) => Ok({ success: true, messageId: `${channelId}-${text.length}` }),
    });
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
    createServer(new WebSocketServerTransport(server, "server", options), { api: ServiceSchema.define({ send }) });
    return { port: await listening(server), connections: () => server.clients.size };
  },

  async connect(port) {
    const open = async () => new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    const transport = new WebSocketClientTransport(open, `client ${process.pid} ${++lastId}`, options);
    const connected = new Promise((resolve) => {
      transport.addEventListener("connectionStatus", ({ status }) => status === "connect" && resolve());
    });
    const { api } = createClient(transport, "server");
    await connected;
    return {
      async call(data) {
        const { ok, payload } = await api.send.rpc(data);
        if (!ok) throw new Error(payload.message);
        return payload;
      },
      close: () => transport.close(),
    };
  },
};
