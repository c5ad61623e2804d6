import { once } from "node:events";
import type { Duplex } from "node:stream";
import type { GGHttpServer } from "@grest-ts/http";
import { GG_METRICS, GGMetricsStore, GGPrometheusMetricsExporter } from "@grest-ts/metrics";
import { GG_WS_MESSAGE, type WebSocketOutgoing } from "@grest-ts/websocket";
import { BoardApi, FULL } from "../../fixtures/react/api.js";
import { Gate } from "../../support/gate.js";
import { Queue } from "../../support/queue.js";
import { startHttp } from "../../support/server.js";

/** One accepted connection, as its server sees it. */
export interface BoardConnection {
  readonly outgoing: WebSocketOutgoing<typeof BoardApi.methods.serverToClient>;
  readonly closed: Promise<void>;
}

/** A call of `wait`, which the test answers; with `full` by an error. */
export class Waiting extends Gate<string> {
  constructor(
    readonly text: string,
    readonly signal: AbortSignal,
  ) {
    super();
  }
}

/** The server of a page, and of the API that it talks to, on one origin. */
export class BoardServer {
  readonly connections = new Queue<BoardConnection>();
  readonly waiting = new Queue<Waiting>();
  readonly waves = new Queue<void>();
  /** What each new connection is pushed before anything else. */
  greeting: number | undefined;
  readonly #sockets = new Set<Duplex>();
  #upgrades = 0;

  private constructor(readonly http: GGHttpServer) {
    http.httpServer.on("upgrade", (_request, socket: Duplex) => {
      this.#upgrades++;
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  /** `html` is the body of the page before its script has run. The metrics begin anew. */
  static async start(script: string, port = 0, html = ""): Promise<BoardServer> {
    GG_METRICS.set(new GGMetricsStore());
    let board!: BoardServer;
    await startHttp(
      (http) => {
        board = new BoardServer(http);
        board.#servePage(script, html);
        board.#serveApi();
      },
      { port },
    );
    return board;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.http.port}`;
  }

  /** How many sockets there ever were. */
  get upgrades(): number {
    return this.#upgrades;
  }

  /** How many sockets are open. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Destroys every socket without a close frame, and waits until they are closed. */
  async dropAll(): Promise<void> {
    await Promise.all(
      [...this.#sockets].map((socket) => {
        const closed = once(socket, "close");
        socket.destroy();
        return closed;
      }),
    );
  }

  /** The attempts to connect that the metrics have counted, by result. */
  async attempts(): Promise<Record<string, number>> {
    const text = await new GGPrometheusMetricsExporter().export();
    const found = text.matchAll(/^websocket_connections_total\{.*result="(\w+)"\} (\d+)$/gm);
    return Object.fromEntries(Array.from(found, ([, result = "", count]) => [result, Number(count)]));
  }

  #servePage(script: string, html: string): void {
    const answer = (path: string, type: string, body: string) =>
      this.http.registerRoute("GET", path, (_request, response) => {
        response.setHeader("content-type", `${type};charset=utf-8`).end(body);
      });
    const head = '<!doctype html><title>Board</title><link rel="icon" href="data:,">';
    answer("/", "text/html", `${head}<script type="module" src="/lab.js"></script><body>${html}</body>`);
    answer("/lab.js", "text/javascript", script);
  }

  #serveApi(): void {
    BoardApi.register(
      (incoming, outgoing) => {
        incoming.on({
          pin: ({ text }) => `pinned ${text}`,
          wait: (text) => {
            const waiting = new Waiting(text, GG_WS_MESSAGE.get()!.signal);
            this.waiting.push(waiting);
            return waiting.passed.then((answer) => {
              if (answer === "full") throw new FULL({ limit: 3 });
              return answer;
            });
          },
          wave: () => this.waves.push(),
        });
        if (this.greeting !== undefined) outgoing.pinned(this.greeting);
        this.connections.push({ outgoing, closed: new Promise((resolve) => outgoing.onClose(resolve)) });
      },
      { http: this.http },
    );
  }
}
