import { once } from "node:events";
import { connect, createServer } from "node:net";

/** @typedef {import("node:net").Socket} Socket */

/** Passes each TCP connection to one of several ports, in turn, and to the next one where nothing listens. */
export class Balancer {
  #turn = 0;
  /** @type {Set<Socket>} */
  #clients = new Set();
  #server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));

  /** @param {() => readonly number[]} ports those that listen at this moment, as far as it is known */
  constructor(ports) {
    this.ports = ports;
  }

  /**
   * Resolves to its port.
   *
   * @param {number} port 0 for any
   */
  async listen(port) {
    this.#server.listen(port);
    await once(this.#server, "listening");
    return /** @type {import("node:net").AddressInfo} */ (this.#server.address()).port;
  }

  close() {
    this.#server.close();
    for (const client of this.#clients) client.destroy();
  }

  /** @param {Socket} client */
  #accept(client) {
    this.#clients.add(client);
    client.once("close", () => this.#clients.delete(client));
    client.on("error", () => {});
    const ports = this.ports();
    const first = this.#turn++ % Math.max(ports.length, 1);
    this.#pass(client, [...ports.slice(first), ...ports.slice(0, first)]);
  }

  /**
   * @param {Socket} client
   * @param {readonly number[]} ports to try, in this order
   */
  #pass(client, [port, ...others]) {
    if (port === undefined || client.destroyed) return client.destroy();
    const server = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    let isConnected = false;
    server.once("connect", () => {
      isConnected = true;
      client.pipe(server).pipe(client);
    });
    server.on("error", () => {});
    server.once("close", () => {
      if (isConnected) client.destroy();
      else this.#pass(client, others);
    });
    client.once("close", () => server.destroy());
  }
}
