import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import type { TestRedis } from "./redis.js";

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  isSubscriber: boolean;
}

/** A TCP proxy before a redis-server. Ends with the test. */
export class RedisProxy {
  /** Where new connections go. */
  target: TestRedis;
  /** Swallows what Redis answers to commands. */
  isMuted = false;
  /** Swallows commands. */
  isDeaf = false;
  /** Ends new connections at once. */
  isClosed = false;
  readonly #pairs = new Set<Pair>();
  readonly #listener: Server;

  private constructor(target: TestRedis, listener: Server) {
    this.target = target;
    this.#listener = listener;
  }

  static async start(target: TestRedis): Promise<RedisProxy> {
    const listener = createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    const proxy = new RedisProxy(target, listener);
    listener.on("connection", (client) => proxy.#accept(client));
    onTestFinished(() => {
      proxy.cut();
      listener.close();
    });
    return proxy;
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
  }

  /** Ends all connections. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  /** Does not read what is published, so that Redis must keep it. */
  stopReading(): void {
    for (const { server, isSubscriber } of this.#pairs) if (isSubscriber) server.pause();
  }

  readAgain(): void {
    for (const { server } of this.#pairs) server.resume();
  }

  #accept(client: Socket): void {
    if (this.isClosed) {
      client.destroy();
      return;
    }
    const server = connect(this.target.port, "127.0.0.1");
    const pair: Pair = { client, server, isSubscriber: false };
    this.#pairs.add(pair);
    client.on("data", (data) => {
      if (/subscribe\r\n/i.test(data.toString("latin1"))) pair.isSubscriber = true;
      if (!this.isDeaf || pair.isSubscriber) server.write(data);
    });
    server.on("data", (data) => {
      if (!this.isMuted || pair.isSubscriber) client.write(data);
    });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#pairs.delete(pair);
        other.destroy();
      });
    }
  }
}
