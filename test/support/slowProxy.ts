import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** How many bytes the proxy keeps for an end that does not read. */
const MAX_KEPT = 64 * 1024;

/** How two ends reach each other, in steps that the test takes. */
export class DirectNetwork {
  /** The address of a server's URL in this network. */
  through(url: string): string {
    return url;
  }

  /** Lets what arrives be read. */
  step(_bytes?: number): Promise<void> {
    return turns(4);
  }

  /** Takes steps until a promise has settled. */
  async until<T>(promise: Promise<T>, eachStep: () => unknown = () => {}, bytes?: number): Promise<T> {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    promise.then(settle, settle);
    for (let steps = 0; !isSettled; steps++) {
      if (steps > 20_000) throw new Error("nothing came of it");
      await this.step(bytes);
      await eachStep();
    }
    return promise;
  }
}

/**
 * A TCP proxy with little bandwidth and some latency. In each step, so many bytes pass in each direction of each connection,
 * and those that were taken some steps ago arrive.
 */
export class SlowProxy extends DirectNetwork {
  readonly #lanes = new Set<Lane>();

  private constructor(readonly port: number) {
    super();
  }

  /** @param latency how many steps it takes for bytes to arrive */
  static async start(targetPort: number, latency = 0): Promise<SlowProxy> {
    const listener = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
    await once(listener, "listening");
    const proxy = new SlowProxy((listener.address() as AddressInfo).port);
    const sockets = new Set<Socket>();
    listener.on("connection", (client) => {
      const server = connect(targetPort, "127.0.0.1");
      const lanes = [new Lane(client, server, latency), new Lane(server, client, latency)];
      for (const lane of lanes) {
        const { from, to } = lane;
        proxy.#lanes.add(lane);
        sockets.add(from);
        from.on("error", () => {});
        from.on("close", () => {
          to.destroy();
          proxy.#lanes.delete(lane);
        });
      }
    });
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      listener.close();
    });
    return proxy;
  }

  override through(url: string): string {
    return Object.assign(new URL(url), { port: this.port }).href;
  }

  /** Passes on this many bytes in each direction, and lets what arrives be read. */
  override async step(bytes = 64): Promise<void> {
    await Promise.all([...this.#lanes].map((lane) => lane.step(bytes)));
    await super.step();
  }

  /** Takes steps until the end that a lane leads to has stopped reading. */
  async untilPaused(bytes: number): Promise<void> {
    const isPaused = () => [...this.#lanes].some(({ to }) => otherEndOf(to)?.isPaused());
    for (let steps = 0; steps < 1_000 && !isPaused(); steps++) await this.step(bytes);
    if (!isPaused()) throw new Error("both ends read on");
  }
}

/** The networks that tests of liveness run over. */
export const NETWORKS = [
  ["a direct connection", async (_port: number) => new DirectNetwork()],
  ["a slow connection", (port: number) => SlowProxy.start(port, 2)],
] as const;

/** One direction of a connection. */
class Lane {
  /** What is on its way, by steps. */
  readonly #moving: Buffer[][];

  constructor(
    readonly from: Socket,
    readonly to: Socket,
    latency: number,
  ) {
    this.#moving = Array.from({ length: latency }, () => []);
    // In this mode nothing is read but what is asked for.
    from.on("readable", () => {});
  }

  async step(bytes: number): Promise<void> {
    const { to } = this;
    this.#moving.push(to.writableLength > MAX_KEPT ? [] : await this.#take(bytes));
    for (const chunk of this.#moving.shift() ?? []) if (to.writable) to.write(chunk);
    // The system may take its time even within one machine, and the clock of a test does not know.
    const reader = otherEndOf(to);
    const mustRead = () =>
      reader && !reader.isPaused() && !reader.destroyed && reader.bytesRead < to.bytesWritten - to.writableLength;
    await turnsWhile(mustRead);
  }

  async #take(bytes: number): Promise<Buffer[]> {
    const { from } = this;
    const chunks: Buffer[] = [];
    for (let left = bytes; left > 0; ) {
      const writer = otherEndOf(from);
      const isComing = () =>
        from.readableLength === 0 && !from.destroyed && from.bytesRead < (writer?.bytesWritten ?? 0);
      await turnsWhile(isComing);
      const chunk: Buffer | null = from.read(Math.min(left, from.readableLength));
      if (!chunk) break;
      chunks.push(chunk);
      left -= chunk.length;
    }
    return chunks;
  }
}

const socketsOfProcess = new Set<Socket>();
for (const channel of ["net.client.socket", "net.server.socket"]) {
  subscribe(channel, (message) => {
    const { socket } = message as { socket: Socket };
    socketsOfProcess.add(socket);
    socket.once("close", () => socketsOfProcess.delete(socket));
  });
}

/** The other end of a TCP connection, if this process has it too. */
function otherEndOf({ localPort, remotePort }: Socket): Socket | undefined {
  for (const socket of socketsOfProcess)
    if (socket.localPort === remotePort && socket.remotePort === localPort) return socket;
  return undefined;
}

/** Lets the event loop read and write while something is to be done, which it is soon. */
async function turnsWhile(isWaiting: () => unknown): Promise<void> {
  for (let i = 0; i < 10_000 && isWaiting(); i++) await turns(1);
}

/** Lets the event loop read and write some times. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
