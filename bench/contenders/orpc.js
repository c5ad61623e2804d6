import { createORPCClient } from "@orpc/client";
import { RPCLink } from "@orpc/client/websocket";
import { os } from "@orpc/server";
import { RPCHandler } from "@orpc/server/ws";
import { WebSocket, WebSocketServer } from "ws";
import { z } from "zod";
import { listening, opened } from "../lib/ws.js";

export default {
  async serve() {
    const send = os
      .input(z.object({ text: z.string().min(1), channelId: z.string() }))
      .output(z.object({ success: z.boolean(), messageId: z.string() }))
      .handler(({ input }) => ({ success: true, messageId: `${input.channelId}-${input.text.length}` }));
    const handler = new RPCHandler({ send });
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
    server.on("connection", (ws) => handler.upgrade(ws, { context: {} }));
    return { port: await listening(server), connections: () => server.clients.size };
  },

  async connect(port) {
    const websocket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    const api = createORPCClient(new RPCLink({ websocket }));
    await opened(websocket);
    return { call: (data) => api.send(data), close: () => websocket.close() };
  },
};
