import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { onTestFinished } from "vitest";

/** TLS by a shared key: needs no certificate. */
const PSK = Buffer.from("a key for tests alone");
export const TLS_SERVER = { pskCallback: () => PSK, ciphers: "PSK", maxVersion: "TLSv1.2" } as const;
const TLS_CLIENT: ConnectionOptions = {
  pskCallback: () => ({ psk: PSK, identity: "test" }),
  ciphers: "PSK",
  maxVersion: "TLSv1.2",
  checkServerIdentity: () => undefined,
};

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A TCP connection of a test: writes any bytes, and takes what it reads piece by piece. Ends with its test. */
export class RawTcp {
  /** Resolves when the connection has ended, in whatever way. */
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #isClosed = false;
  #wake = () => {};

  private constructor(
    readonly socket: Socket,
    readonly lower: Socket,
  ) {
    lower.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.#isClosed = true;
        this.#wake();
        resolve();
      });
    });
    onTestFinished(() => void socket.destroy());
  }

  static async open(port: number, isTls = false): Promise<RawTcp> {
    const lower = connect({ host: "127.0.0.1", port, noDelay: true });
    const socket = isTls ? connectTls({ ...TLS_CLIENT, socket: lower }) : lower;
    const tcp = new RawTcp(socket, lower);
    await once(socket, isTls ? "secureConnect" : "connect");
    return tcp;
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Ends with a RST. */
  async reset(): Promise<void> {
    this.lower.resetAndDestroy();
    await this.closed;
  }

  /** Takes the next bytes. Rejects when the connection ends before they are all there. */
  async take(length: number): Promise<Buffer> {
    while (this.#received.length < length) await this.#more();
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  /** All that comes until the other end closes. */
  async rest(): Promise<Buffer> {
    await this.closed;
    return this.#received;
  }

  /** Takes the next HTTP answer, with its body where it has a length. */
  async answer(): Promise<HttpAnswer> {
    const end = "\r\n\r\n";
    while (!this.#received.includes(end)) await this.#more();
    const head = (await this.take(this.#received.indexOf(end) + end.length)).toString();
    const [first = "", ...fields] = head.trimEnd().split("\r\n");
    const headers: Record<string, string> = {};
    for (const field of fields) {
      const [, name = "", value = ""] = /^([^:]*): *(.*)$/.exec(field) ?? [];
      headers[name.toLowerCase()] = value;
    }
    const status = Number(first.split(" ")[1]);
    const length = status === 100 || status === 101 ? 0 : Number(headers["content-length"] ?? 0);
    return { status, headers, body: (await this.take(length)).toString() };
  }

  async #more(): Promise<void> {
    if (this.#isClosed) throw new Error(`the connection ended after: ${this.#received.toString("latin1")}`);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }
}
