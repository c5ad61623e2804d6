import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/**
 * Knows a server's open sockets and unanswered requests. Node forgets a socket once it is upgraded, and yet waits for
 * it before the server counts as closed.
 */
export class OpenSockets {
  readonly #sockets = new Set<Socket>();
  readonly #responses = new Set<ServerResponse>();
  #onIdle: (() => void) | undefined;
  #draining = false;

  constructor(server: Server) {
    const sockets = this.#sockets;
    // One listener for all sockets: a closure for each would be the larger part of what an idle one costs here.
    function forget(this: Socket): void {
      sockets.delete(this);
    }
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.on("close", forget);
    });
  }

  /** Notes a request until its response is done. */
  trackResponse(response: ServerResponse): void {
    this.#responses.add(response);
    if (this.#draining) response.shouldKeepAlive = false;
    response.on("close", () => {
      this.#responses.delete(response);
      if (this.#responses.size === 0) this.#onIdle?.();
    });
  }

  /** Resolves when no request is waiting for its response, or after `ms`. */
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

  /** Cuts whatever is still connected. */
  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
