import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { onTestFinished } from "vitest";

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
}

/** A TCP proxy that causes network faults. */
export class FaultProxy {
  readonly #pairs = new Set<Pair>();
  #refusals = 0;
  #stallsReplies = false;

  private constructor(
    readonly url: string,
    readonly listener: Server,
  ) {}

  static async start(targetPort: number): Promise<FaultProxy> {
    const listener = createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    const proxy = new FaultProxy(`ws://127.0.0.1:${(listener.address() as AddressInfo).port}`, listener);
    listener.on("connection", (client) => proxy.#forward(client, targetPort));
    onTestFinished(() => {
      proxy.cut();
      listener.close();
    });
    return proxy;
  }

  /** The number of open connections. */
  get open(): number {
    return this.#pairs.size;
  }

  /** Ends every connection in order, with a FIN. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }

  /** Ends every connection with a RST. */
  reset(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  /** Drops the next `count` connections as they come. */
  refuseNext(count: number): void {
    this.#refusals = count;
  }

  /** Holds the servers' answers back until they are released. */
  stallReplies(): void {
    this.#stallsReplies = true;
    for (const { server } of this.#pairs) server.pause();
  }

  /** Releases the answers held back. */
  release(): void {
    this.#stallsReplies = false;
    for (const { server } of this.#pairs) server.resume();
  }

  /** Passes on the first `bytes` of a server's next answer, and then cuts. */
  truncateNextReply(bytes: number): void {
    for (const { client, server } of this.#pairs) {
      server.unpipe(client);
      server.once("data", (data: Buffer) => {
        client.write(data.subarray(0, bytes));
        client.end();
        server.destroy();
      });
      server.resume();
    }
  }

  #forward(client: Socket, targetPort: number): void {
    client.on("error", () => {});
    if (this.#refusals > 0) {
      this.#refusals--;
      client.destroy();
      return;
    }
    const server = connect(targetPort, "127.0.0.1");
    const pair = { client, server };
    this.#pairs.add(pair);
    server.on("error", () => client.destroy());
    client.pipe(server);
    server.pipe(client);
    if (this.#stallsReplies) server.pause();
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    client.on("close", end);
    server.on("close", end);
  }
}

/** Random numbers that are the same in every run of one seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
