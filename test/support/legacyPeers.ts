import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";

/** How a peer of version 0.0.39 reads a frame: it knows six types, and ignores all others. */
interface Frame {
  readonly type: string;
  readonly path: string;
  readonly id: string;
  readonly data: unknown;
}

type Handler = (data: unknown) => unknown;

/** Either end of version 0.0.39, after its handshake: the wire table of that version. */
export class LegacyPeer {
  /** All texts received, in order. */
  readonly texts: string[] = [];
  readonly headers: Record<string, unknown> = {};
  readonly #ws: WebSocket;
  readonly #handlers: Readonly<Record<string, Handler>>;
  readonly #pending = new Map<string, (reply: unknown) => void>();
  #lastId = 0;

  constructor(ws: WebSocket, handlers: Readonly<Record<string, Handler>>) {
    this.#ws = ws;
    this.#handlers = handlers;
    ws.on("error", () => {});
    ws.on("message", (data) => this.#receive(data.toString()));
    onTestFinished(() => ws.terminate());
  }

  /** A client: connects, and resolves when it was accepted; rejects with the error that it was refused with. */
  static async connect(
    url: string,
    headers: object,
    handlers: Readonly<Record<string, Handler>> = {},
  ): Promise<LegacyPeer> {
    const ws = new WebSocket(url);
    const peer = new LegacyPeer(ws, handlers);
    await once(ws, "open");
    ws.send(`h:::${JSON.stringify(headers)}`);
    const [answer] = await once(ws, "message");
    const { type, data } = split(String(answer));
    if (type === "x") throw data;
    return peer;
  }

  send(path: string, data?: unknown): void {
    this.#ws.send(`m:${path}::${text(data)}`);
  }

  request(path: string, data?: unknown): Promise<unknown> {
    const id = String(++this.#lastId);
    this.#ws.send(`r:${path}:${id}:${text(data)}`);
    return new Promise((resolve) => this.#pending.set(id, resolve));
  }

  raw(frame: string): void {
    this.#ws.send(frame);
  }

  async closed(): Promise<number> {
    if (this.#ws.readyState === WebSocket.CLOSED) return -1;
    const [code] = await once(this.#ws, "close");
    return code as number;
  }

  close(): void {
    this.#ws.close();
  }

  #receive(message: string): void {
    this.texts.push(message);
    const { type, path, id, data } = split(message);
    if (type === "h") {
      Object.assign(this.headers, data);
      this.#ws.send(this.headers.token === "bad" ? REFUSAL : "k:::null");
      if (this.headers.token === "bad") this.#ws.close(4001, "Handshake failed");
    } else if (type === "s") {
      this.#pending.get(id)?.(data);
      this.#pending.delete(id);
    } else if (type === "m") this.#handlers[path]?.(data);
    else if (type === "r") {
      const result = this.#handlers[path]?.(data);
      if (result !== undefined)
        this.#ws.send(`s:${path}:${id}:${JSON.stringify({ success: true, type: "OK", data: result })}`);
    }
  }
}

const REFUSAL =
  'x:::{"success":false,"type":"NOT_AUTHORIZED","statusCode":401,"context":{"displayMessage":"no","timestamp":1,"ref":"R"}}';

/** A server of version 0.0.39. */
export async function legacyServer(handlers: Readonly<Record<string, Handler>>) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const peers: LegacyPeer[] = [];
  server.on("connection", (ws, request) => {
    if (request.url?.includes("bad=")) return ws.close(4000, "Invalid query parameters");
    peers.push(new LegacyPeer(ws, handlers));
  });
  onTestFinished(() => void server.close());
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, peers };
}

function split(message: string): Frame {
  const [type = "", path = "", id = "", ...rest] = message.split(":");
  const json = rest.join(":");
  return { type, path, id, data: json === "" ? undefined : JSON.parse(json) };
}

function text(data: unknown): string {
  return data === undefined ? "" : JSON.stringify(data);
}
