import { once } from "node:events";

export async function listening(server) {
  await once(server, "listening");
  return server.address().port;
}

export async function opened(ws) {
  await once(ws, "open");
}

/** Keeps what a connection sends within a tick together, and lets it go at the tick's end. */
export function corkedSend(ws, text) {
  const line = ws._socket;
  if (line.writableCorked === 0) {
    line.cork();
    process.nextTick(() => line.uncork());
  }
  ws.send(text);
}
