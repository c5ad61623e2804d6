import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** How a scripted server treats one connection. */
export const BEHAVIOURS = [
  "answers",
  "never answers",
  "drains",
  "asks and pushes",
  "closes at once",
  "drops at the first message",
  "drops in the handshake",
  "refuses for now",
  "refuses for good",
  "ignores the handshake",
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

const refusal = (type: string) => `x:::{"success":false,"type":"${type}","statusCode":403}`;

/** A server that treats its connections as a list says, in turn; beyond the list it answers. */
export class ScriptedServer {
  readonly url: string;
  readonly #webSockets: WebSocketServer;
  readonly #behaviours: Behaviour[];
  #dials = 0;
  #accepted = 0;

  private constructor(webSockets: WebSocketServer, url: string, behaviours: readonly Behaviour[]) {
    this.url = url;
    this.#webSockets = webSockets;
    this.#behaviours = [...behaviours];
    webSockets.on("connection", (socket) => {
      this.#dials++;
      play(socket, this.#behaviours.shift() ?? "answers", () => this.#accepted++);
    });
  }

  static async start(behaviours: readonly Behaviour[]): Promise<ScriptedServer> {
    const http = createServer();
    const webSockets = new WebSocketServer({ server: http });
    http.listen(0, "127.0.0.1");
    await once(http, "listening");
    return new ScriptedServer(webSockets, `ws://127.0.0.1:${(http.address() as AddressInfo).port}`, behaviours);
  }

  /** How many connections there ever were. */
  get dials(): number {
    return this.#dials;
  }

  /** How many of them were accepted. */
  get accepted(): number {
    return this.#accepted;
  }

  /** How many connections are open. */
  get open(): number {
    return this.#webSockets.clients.size;
  }

  drop(): void {
    for (const socket of this.#webSockets.clients) socket.terminate();
  }

  drain(): void {
    for (const socket of this.#webSockets.clients) socket.send("d:::0");
  }

  stop(): void {
    this.drop();
    this.#webSockets.close();
    this.#webSockets.options.server?.close();
  }
}

function play(socket: WebSocket, behaviour: Behaviour, onAccepted: () => void): void {
  let isAccepted = false;
  socket.on("error", () => {});
  socket.on("message", (data) => {
    const [type, path, id] = String(data).split(":");
    if (isAccepted) {
      if (behaviour === "drops at the first message") return socket.terminate();
      if (type === "r" && behaviour !== "never answers") {
        socket.send(`s:${path}:${id}:{"success":true,"type":"OK","data":{"text":"x"}}`);
      }
      return;
    }
    if (behaviour === "ignores the handshake") return;
    if (behaviour === "drops in the handshake") return socket.terminate();
    if (behaviour === "refuses for now") return socket.send(refusal("SERVER_ERROR"));
    if (behaviour === "refuses for good") return socket.send(refusal("FORBIDDEN"));
    isAccepted = true;
    onAccepted();
    socket.send('k:::{"ws-capabilities":"drain"}');
    if (behaviour === "drains") socket.send("d:::0");
    if (behaviour === "closes at once") socket.close(1001);
    if (behaviour === "asks and pushes") {
      socket.send("r:Probe.ask:1:");
      socket.send('m:Probe.news::{"text":"x"}');
    }
  });
}
