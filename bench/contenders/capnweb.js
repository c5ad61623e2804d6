import { newWebSocketRpcSession, RpcTarget } from "capnweb";
import { WebSocket, WebSocketServer } from "ws";
import { listening, opened } from "../lib/ws.js";

class Api extends RpcTarget {
  send({ text, channelId }) {
    return { success: true, messageId: `${channelId}-${text.length}` };
  }
}

export default {
  async serve() {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
    server.on("connection", (ws) => newWebSocketRpcSession(ws, new Api()));
    return { port: await listening(server), connections: () => server.clients.size };
  },

  async connect(port) {
    const ws = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    const api = newWebSocketRpcSession(ws);
    await opened(ws);
    return { call: async (data) => await api.send(data), close: () => ws.close() };
  },
};
