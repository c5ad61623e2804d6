// README, "Context Keys".
import { GG_WS_CONNECTION, GG_WS_MESSAGE } from "@grest-ts/websocket";

/** Available during connection lifecycle */
export function duringConnection() {
  const conn = GG_WS_CONNECTION.get()!;
  return [
    conn.port, // Server port
    conn.path, // WebSocket path
  ];
}

/** Available during message handling */
export function duringMessage() {
  const msg = GG_WS_MESSAGE.get()!;
  return msg.path; // Message path (e.g. "ChatApi.sendMessage")
}
