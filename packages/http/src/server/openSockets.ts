import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/**
 * Tracks a server's open sockets and pending requests. Node's `closeAllConnections()` skips upgraded sockets, but
 * `close()` waits for them.
 */
export class OpenSockets {
  readonly #sockets = new Set<Socket>();
  readonly #responses = new Set<ServerResponse>();
  #onIdle: (() => void) | undefined;
  #draining = false;

  constructor(server: Server) {
    const sockets = this.#sockets;
    // One listener for all sockets: a closure per socket would dominate the memory of an idle one.
    function forget(this: Socket): void {
      sockets.delete(this);
    }
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.on("close", forget);
    });
  }

  /** Tracks a request until its response is finished. */
  trackResponse(response: ServerResponse): void {
    this.#responses.add(response);
    if (this.#draining) response.shouldKeepAlive = false;
    response.on("close", () => {
      this.#responses.delete(response);
      if (this.#responses.size === 0) this.#onIdle?.();
    });
  }

  /** Resolves when no request is pending, or after `ms`. */
  async waitForResponses(ms: number): Promise<void> {
    this.#draining = true;
    for (const response of this.#responses) response.shouldKeepAlive = false;
    if (this.#responses.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Destroys the remaining sockets. */
  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
