// README, "Direct socket access via GGSocketPool", "Connection Pool Management" and "Query Parameters on Connect".
import { GGSocketPool } from "@grest-ts/websocket";
import { ChatApi } from "./chatApi.js";

export async function directSocket(domain: string, show: (message: unknown) => void) {
  const socket = await GGSocketPool.getOrConnect({
    domain,
    path: "/ws/chat",
    middlewares: ChatApi.middlewares,
  });

  const result = await socket.send("ChatApi.sendMessage", { text: "Hello!", channelId: "general" }, true);
  socket.registerHandler({
    path: "ChatApi.newMessage",
    handler: (msg) => {
      show(msg);
    },
  });
  return { socket, result };
}

export async function poolManagement() {
  const [key] = GGSocketPool.getConnectionKeys();
  if (key === undefined) throw new Error("there is no connection");

  // Pool size
  const size = GGSocketPool.size; // Active connections
  const pendingSize = GGSocketPool.pendingSize; // Connections being established

  // Remove specific connection from pool (does not close it)
  GGSocketPool.removeFromPool(key);

  // List all connection keys (for debugging)
  const keys = GGSocketPool.getConnectionKeys();

  // Close all connections gracefully (waits for pending requests)
  await GGSocketPool.closeAll();

  // Close all connections immediately
  await GGSocketPool.closeAll(false);

  return { size, pendingSize, keys };
}

export async function queryOnConnect(domain: string) {
  const socket = await GGSocketPool.getOrConnect({
    domain,
    path: "/ws/chat",
    query: { room: "general", language: "en" },
    middlewares: ChatApi.middlewares,
  });
  // Connects to: ws://localhost:3000/ws/chat?room=general&language=en
  return socket;
}
