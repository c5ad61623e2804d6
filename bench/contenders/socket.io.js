import { createServer } from "node:http";
import { Server } from "socket.io";
import { io } from "socket.io-client";
import { listening } from "../lib/ws.js";

export default {
  async serve() {
    const http = createServer();
    const server = new Server(http, { transports: ["websocket"], perMessageDeflate: false });
    const sockets = new Set();
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.on("disconnect", () => sockets.delete(socket));
      socket.on("send", ({ text, channelId }, reply) =>
        reply({ success: true, messageId: `${channelId}-${text.length}` }),
      );
    });
    http.listen(0, "127.0.0.1");
    return {
      port: await listening(http),
      connections: () => sockets.size,
      broadcast: (data) => server.emit("news", data),
      loop(data) {
        for (const socket of sockets) socket.emit("news", data);
      },
      async ask() {
        const [socket] = sockets;
        await socket.emitWithAck("ask", { question: "here?" });
      },
    };
  },

  async connect(port, onNews) {
    const socket = io(`http://127.0.0.1:${port}`, { transports: ["websocket"], forceNew: true });
    socket.on("news", onNews);
    socket.on("ask", (_question, reply) => reply({ answer: true }));
    await new Promise((resolve) => socket.on("connect", resolve));
    return { call: (data) => socket.emitWithAck("send", data), close: () => socket.disconnect() };
  },
};
