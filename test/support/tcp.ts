import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** Resolves when a TCP connection has ended, also by an error, and `ws` has emitted its events, one turn later. */
export function closeOf(socket: Socket): Promise<void> {
  socket.on("error", () => {});
  return new Promise((resolve) => {
    socket.once("close", () => setImmediate(resolve));
  });
}

/** A port of this machine on which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
