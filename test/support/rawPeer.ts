import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { Queue } from "./queue.js";

/** How a connection ended. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** One end of a WebSocket that sends only text frames, like a 0.0.39 peer on the wire. */
export class RawPeer {
  readonly frames = new Queue<string>();
  readonly closed: Promise<Closed>;

  constructor(readonly ws: WebSocket) {
    ws.on("message", (data) => this.frames.push(data.toString()));
    ws.on("error", () => {});
    this.closed = new Promise((resolve) => {
      ws.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    onTestFinished(() => ws.terminate());
  }

  /** Opens a connection, without a handshake. */
  static async open(url: string): Promise<RawPeer> {
    const peer = new RawPeer(new WebSocket(url, { perMessageDeflate: false }));
    await once(peer.ws, "open");
    return peer;
  }

  /** Opens a connection and goes through the handshake. */
  static async connect(url: string, headers: object = {}): Promise<RawPeer> {
    const peer = await RawPeer.open(url);
    peer.send(`h:::${JSON.stringify(headers)}`);
    const answer = await peer.frames.next();
    if (answer !== "k:::null") throw new Error(`not accepted: ${answer}`);
    return peer;
  }

  /** Opens a connection that announces these capabilities, and gives what the server answered. */
  static async connectWith(url: string, capabilities: string): Promise<{ peer: RawPeer; accepted: string }> {
    const peer = await RawPeer.open(url);
    peer.send(`h:::${JSON.stringify({ "ws-capabilities": capabilities })}`);
    return { peer, accepted: await peer.next() };
  }

  send(...frames: string[]): void {
    for (const frame of frames) this.ws.send(frame);
  }

  /** Sends frames so that they arrive in one chunk. */
  sendTogether(...frames: string[]): void {
    const socket = (this.ws as unknown as { _socket: { cork(): void; uncork(): void } })._socket;
    socket.cork();
    this.send(...frames);
    socket.uncork();
  }

  next(): Promise<string> {
    return this.frames.next();
  }

  /** Waits until the other end has read all frames sent so far, and its own frames until then are here. */
  async roundTrip(): Promise<void> {
    this.ws.ping();
    await once(this.ws, "pong");
  }

  /** Closes, and waits for the other end to do so. */
  async close(): Promise<void> {
    this.ws.close();
    await this.closed;
  }

  /** Sends a request that is known to be answered, and returns all messages that came before the answer. */
  async framesUntilAnswerTo(request: string, isBatching = false): Promise<string[]> {
    this.send(request);
    const answer = request.replace(/^r:([^:]*:[^:]*):.*$/s, "s:$1:");
    const seen: string[] = [];
    for (;;) {
      const text = await this.next();
      for (const frame of isBatching ? text.split("\n") : [text]) {
        if (frame.startsWith(answer)) return seen;
        seen.push(frame);
      }
    }
  }
}

/** A server that does nothing by itself: each connection is a `RawPeer` for the test to play. */
export class RawServer {
  readonly connections = new Queue<RawPeer & { readonly requestUrl: string }>();
  #count = 0;

  private constructor(
    readonly url: string,
    webSockets: WebSocketServer,
  ) {
    webSockets.on("connection", (ws, request) => {
      this.#count++;
      this.connections.push(Object.assign(new RawPeer(ws), { requestUrl: request.url ?? "" }));
    });
  }

  static async start(port = 0): Promise<RawServer> {
    const http = createServer();
    const webSockets = new WebSocketServer({ server: http });
    http.listen(port, "127.0.0.1");
    await once(http, "listening");
    onTestFinished(() => {
      for (const ws of webSockets.clients) ws.terminate();
      http.close();
    });
    return new RawServer(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`, webSockets);
  }

  /** How many connections there ever were. */
  get count(): number {
    return this.#count;
  }

  /** The next connection, with its handshake accepted. */
  async accept(
    ...more: string[]
  ): Promise<RawPeer & { readonly requestUrl: string; readonly handshake: string; readonly headers: object }> {
    const peer = await this.connections.next();
    const handshake = await peer.next();
    peer.sendTogether("k:::null", ...more);
    const { "ws-capabilities": _announced, ...headers } = JSON.parse(handshake.slice("h:::".length));
    return Object.assign(peer, { handshake, headers });
  }
}
