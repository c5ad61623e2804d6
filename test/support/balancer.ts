import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { onTestFinished } from "vitest";

/** A TCP proxy in front of servers that start and stop: a new connection goes to the first port that accepts it. */
export class Balancer {
  ports: readonly number[] = [];

  private constructor(readonly url: string) {}

  static async start(): Promise<Balancer> {
    const listener = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
    await once(listener, "listening");
    onTestFinished(() => void listener.close());
    const balancer = new Balancer(`ws://127.0.0.1:${(listener.address() as AddressInfo).port}`);
    listener.on("connection", async (client) => {
      client.on("error", () => client.destroy());
      for (const port of balancer.ports) {
        const server = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
        const isThere = await once(server, "connect").then(
          () => true,
          () => false,
        );
        if (!isThere) continue;
        server.on("error", () => server.destroy());
        server.on("close", () => client.destroy());
        client.on("close", () => server.destroy());
        client.pipe(server).pipe(client);
        return;
      }
      client.destroy();
    });
    return balancer;
  }
}
