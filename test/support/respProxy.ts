import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterAll } from "vitest";

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  isSubscriber: boolean;
  /** Of a subscriber: what does not end with a whole reply yet. */
  rest: Buffer<ArrayBufferLike>;
  /** From when on bytes are lost, in one direction. */
  isDeaf: boolean;
  isMuted: boolean;
}

/** A TCP proxy between one node and Redis. Ends after the tests of the file. */
export class RespProxy {
  /** Whether new connections are refused. */
  isAway = false;
  /** How long everything takes that passes, in ms. */
  delayMs = 0;
  /** Changes what is published, message by message, for the subscriber. */
  tamper: ((messages: readonly Buffer[]) => readonly Buffer[]) | undefined;
  readonly #pairs = new Set<Pair>();
  readonly #listener: Server;
  readonly #port: number;
  // What passes keeps its order, also when the delay changes.
  readonly #waiting: (() => void)[] = [];
  #due = 0;

  private constructor(port: number, listener: Server) {
    this.#port = port;
    this.#listener = listener;
  }

  /** To a port of this machine. */
  static async start(port: number): Promise<RespProxy> {
    const listener = createServer({ noDelay: true }).listen(0, "127.0.0.1");
    await once(listener, "listening");
    const proxy = new RespProxy(port, listener);
    listener.on("connection", (client) => proxy.#accept(client));
    proxies.add(proxy);
    return proxy;
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.cut();
    this.#listener.close();
  }

  /** Ends all connections, or those of one kind. */
  cut(kind?: "commands" | "subscriber"): void {
    for (const { client, server } of this.#of(kind)) {
      client.destroy();
      server.destroy();
    }
  }

  /** Cuts the node off, until `heal`. */
  cutOff(): void {
    this.isAway = true;
    this.cut();
  }

  /** Ends all faults but those of connections that have lost bytes. */
  heal(): void {
    this.isAway = false;
    this.delayMs = 0;
    this.tamper = undefined;
  }

  /** From now on loses what the connections of now carry: commands, or what Redis sends. */
  lose(what: "commands" | "answers" | "published"): void {
    for (const pair of this.#of(what === "published" ? "subscriber" : "commands")) {
      if (what === "commands") pair.isDeaf = true;
      else pair.isMuted = true;
    }
  }

  #of(kind: "commands" | "subscriber" | undefined): Pair[] {
    return [...this.#pairs].filter(({ isSubscriber }) => !kind || isSubscriber === (kind === "subscriber"));
  }

  #accept(client: Socket): void {
    if (this.isAway) return void client.destroy();
    const server = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    const pair: Pair = {
      client,
      server,
      isSubscriber: false,
      rest: Buffer.alloc(0),
      isDeaf: false,
      isMuted: false,
    };
    this.#pairs.add(pair);
    client.on("data", (data) => {
      if (/\r\nsubscribe\r\n/i.test(data.toString("latin1"))) pair.isSubscriber = true;
      if (!pair.isDeaf) this.#later(() => server.write(data));
    });
    server.on("data", (data) => {
      if (!pair.isMuted) this.#later(() => client.write(pair.isSubscriber ? this.#published(pair, data) : data));
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

  #later(run: () => void): void {
    this.#due = Math.max(this.#due, performance.now() + this.delayMs);
    const wait = this.#due - performance.now();
    if (wait <= 0 && this.#waiting.length === 0) return run();
    this.#waiting.push(run);
    setTimeout(() => this.#waiting.shift()?.(), wait);
  }

  #published(pair: Pair, data: Buffer): Buffer {
    const all = Buffer.concat([pair.rest, data]);
    const replies: Buffer[] = [];
    let start = 0;
    for (let end = replyEnd(all, start); end !== undefined; end = replyEnd(all, start)) {
      replies.push(all.subarray(start, end));
      start = end;
    }
    pair.rest = all.subarray(start);
    const { tamper } = this;
    if (!tamper) return Buffer.concat(replies);
    const isMessage = (reply: Buffer) => reply.includes("\r\nk") && reply.includes("\r\nmessage\r\n");
    return Buffer.concat([
      ...replies.filter((reply) => !isMessage(reply)),
      ...tamper(replies.filter((reply) => isMessage(reply))),
    ]);
  }
}

const proxies = new Set<RespProxy>();
afterAll(() => {
  for (const proxy of proxies) proxy.stop();
  proxies.clear();
});

/** Where the reply of Redis (RESP) ends that begins at `start`; `undefined` when it is not all there. */
function replyEnd(bytes: Buffer, start: number): number | undefined {
  const lineEnd = bytes.indexOf("\r\n", start);
  if (start >= bytes.length || lineEnd < 0) return undefined;
  const type = String.fromCharCode(bytes[start]!);
  const count = Number(bytes.toString("latin1", start + 1, lineEnd));
  let end: number | undefined = lineEnd + 2;
  if ("$=!".includes(type) && count >= 0) {
    end += count + 2;
    return end <= bytes.length ? end : undefined;
  }
  const parts = "*>~".includes(type) ? count : type === "%" ? 2 * count : 0;
  for (let part = 0; part < parts && end !== undefined; part++) end = replyEnd(bytes, end);
  return end;
}
