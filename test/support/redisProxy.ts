import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import type { TestRedis } from "./redis.js";

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  isSubscriber: boolean;
  /** Commands on their way. */
  readonly held: Buffer[];
}

/** A TCP proxy before a redis-server. Ends with the test. */
export class RedisProxy {
  /** Where new connections go. */
  target: TestRedis;
  /** Swallows what Redis answers to commands. */
  isMuted = false;
  /** Swallows commands. */
  isDeaf = false;
  /** Swallows what is published. */
  isSilent = false;
  /** Commands stay on their way, also when the client is gone. */
  isHolding = false;
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

  /** Ends all connections; those with commands on their way end only for the client. */
  cut(): void {
    for (const { client, server, held } of this.#pairs) {
      client.destroy();
      if (held.length === 0) server.destroy();
    }
  }

  /** Whether a text is among what is on its way. */
  isOnItsWay(text: string): boolean {
    return [...this.#pairs].some(({ held }) => Buffer.concat(held).includes(text));
  }

  /** What was on its way arrives, where Redis still reads. Resolves when it has been read. */
  async release(): Promise<void> {
    this.isHolding = false;
    for (const { server, held } of [...this.#pairs].filter((pair) => pair.held.length > 0)) {
      const data = Buffer.concat(held.splice(0));
      if (server.writable) await new Promise((resolve) => server.write(data, resolve));
      server.end();
      if (!server.destroyed) await once(server, "close");
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
    const pair: Pair = { client, server, isSubscriber: false, held: [] };
    this.#pairs.add(pair);
    client.on("data", (data) => {
      if (/subscribe\r\n/i.test(data.toString("latin1"))) pair.isSubscriber = true;
      if (this.isHolding && !pair.isSubscriber) pair.held.push(data);
      else if (!this.isDeaf || pair.isSubscriber) server.write(data);
    });
    server.on("data", (data) => {
      if (pair.isSubscriber ? !this.isSilent : !this.isMuted) client.write(data);
    });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      socket.on("error", () => {});
      socket.on("close", () => {
        if (socket === client && pair.held.length > 0) return;
        this.#pairs.delete(pair);
        other.destroy();
      });
    }
  }
}
