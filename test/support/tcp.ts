import type { Socket } from "node:net";

/** Resolves when a TCP connection has ended, also by an error, and `ws` has emitted its events, one turn later. */
export function closeOf(socket: Socket): Promise<void> {
  socket.on("error", () => {});
  return new Promise((resolve) => {
    socket.once("close", () => setImmediate(resolve));
  });
}
