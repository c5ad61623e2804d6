import { once } from "node:events";

export async function listening(server) {
  await once(server, "listening");
  return server.address().port;
}

export async function opened(ws) {
  await once(ws, "open");
}

/** Corks a connection's socket until the end of the tick, so that its frames are sent in one write. */
export function corkedSend(ws, text) {
  const socket = ws._socket;
  if (socket.writableCorked === 0) {
    socket.cork();
    process.nextTick(() => socket.uncork());
  }
  ws.send(text);
}
