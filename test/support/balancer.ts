import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A TCP proxy in front of servers that start and stop: a new connection goes to the first port that accepts it. */
export class Balancer {
  ports: readonly number[] = [];
  /** Both ends of what is open. */
  readonly #pairs = new Set<readonly [Socket, Socket]>();

  private constructor(readonly url: string) {}

  static async start(): Promise<Balancer> {
    const listener = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
    await once(listener, "listening");
    const balancer = new Balancer(`ws://127.0.0.1:${(listener.address() as AddressInfo).port}`);
    onTestFinished(() => {
      listener.close();
      balancer.cut();
    });
    listener.on("connection", async (client) => {
      client.on("error", () => client.destroy());
      for (const port of balancer.ports) {
        const server = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
        const isThere = await once(server, "connect").then(
          () => true,
          () => false,
        );
        if (!isThere) continue;
        const pair = [client, server] as const;
        balancer.#pairs.add(pair);
        server.on("error", () => server.destroy());
        server.on("close", () => {
          balancer.#pairs.delete(pair);
          client.destroy();
        });
        client.on("close", () => server.destroy());
        client.pipe(server).pipe(client);
        return;
      }
      client.destroy();
    });
    return balancer;
  }

  /** Ends connections without a word, all or those that are picked; what is on its way to the client is lost. */
  cut(isPicked: () => boolean = () => true): void {
    for (const [client, server] of [...this.#pairs].filter(isPicked)) {
      client.destroy();
      server.destroy();
    }
  }
}
