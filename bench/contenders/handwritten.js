// Handwritten code: JSON over bare `ws`, a map of pending calls, no validation. The reference of all ratios.
import { WebSocket, WebSocketServer } from "ws";
import { corkedSend, listening, opened } from "../lib/ws.js";

/** `send` sends a text: at once, or corked until the end of the tick. */
export function handwritten(send) {
  return {
    async serve() {
      const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
      const clients = new Set();
      const pending = new Map();
      let lastId = 0;
      /** Encodes once. */
      function broadcast(data) {
        const text = JSON.stringify({ method: "news", data });
        for (const ws of clients) send(ws, text);
      }
      server.on("connection", (ws) => {
        clients.add(ws);
        ws.on("close", () => clients.delete(ws));
        ws.on("message", (text) => {
          const message = JSON.parse(text);
          if (message.method === "send") {
            const { text, channelId } = message.data;
            send(
              ws,
              JSON.stringify({ id: message.id, data: { success: true, messageId: `${channelId}-${text.length}` } }),
            );
          } else {
            pending.get(message.id)?.(message.data);
            pending.delete(message.id);
          }
        });
      });
      return {
        port: await listening(server),
        connections: () => clients.size,
        broadcast,
        loop: broadcast,
        ask() {
          const [ws] = clients;
          const id = ++lastId;
          return new Promise((resolve) => {
            pending.set(id, resolve);
            send(ws, JSON.stringify({ id, method: "ask", data: { question: "here?" } }));
          });
        },
      };
    },

    async connect(port, onNews) {
      const ws = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
      const pending = new Map();
      let lastId = 0;
      ws.on("message", (text) => {
        const message = JSON.parse(text);
        if (message.method === "news") onNews(message.data);
        else if (message.method === "ask") send(ws, JSON.stringify({ id: message.id, data: { answer: true } }));
        else {
          pending.get(message.id)(message.data);
          pending.delete(message.id);
        }
      });
      await opened(ws);
      return {
        call(data) {
          const id = ++lastId;
          return new Promise((resolve) => {
            pending.set(id, resolve);
            send(ws, JSON.stringify({ id, method: "send", data }));
          });
        },
        close: () => ws.close(),
      };
    },
  };
}

export default handwritten((ws, text) => ws.send(text));
export const corked = handwritten(corkedSend);
