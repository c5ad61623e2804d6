import { once } from "node:events";
import type { Duplex } from "node:stream";
import type { GGHttpServer } from "@grest-ts/http";
import { NOT_AUTHORIZED } from "@grest-ts/schema";
import type { GGWebSocketMiddleware, WebSocketOutgoing } from "@grest-ts/websocket";
import { FULL, PageApi } from "../../fixtures/browser/api.js";
import { Gate } from "../../support/gate.js";
import { Queue } from "../../support/queue.js";
import { type RecordingLogger, recordingLogger, startHttp } from "../../support/server.js";

/** One accepted connection, as its server sees it. */
export interface AppConnection {
  readonly outgoing: WebSocketOutgoing<typeof PageApi.methods.serverToClient>;
  readonly room: string;
  readonly closed: Promise<void>;
}

/** A page, and the API that it talks to, on one origin. */
export class AppServer {
  readonly connections = new Queue<AppConnection>();
  readonly notes = new Queue<string>();
  /** The calls of `wait`, each answered by its gate. */
  readonly waiting = new Queue<Gate<string>>();
  /** The `authorization` headers received. */
  readonly tokens: string[] = [];
  readonly #sockets = new Set<Duplex>();
  #accepted = 0;

  private constructor(
    readonly http: GGHttpServer,
    readonly logger: RecordingLogger,
  ) {
    http.httpServer.on("upgrade", (_request, socket: Duplex) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(script: string): Promise<AppServer> {
    const logger = recordingLogger();
    let app!: AppServer;
    await startHttp((http) => {
      app = new AppServer(http, logger);
      app.#servePage(script);
      app.#serveApi();
    });
    return app;
  }

  get port(): number {
    return this.http.port ?? 0;
  }

  get origin(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** How many connections there ever were. */
  get accepted(): number {
    return this.#accepted;
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

  #servePage(script: string): void {
    const answer = (path: string, type: string, body: string) =>
      this.http.registerRoute("GET", path, (_request, response) => {
        response.setHeader("content-type", type).end(body);
      });
    answer(
      "/",
      "text/html",
      '<!doctype html><title>Page</title><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>',
    );
    answer("/main.js", "text/javascript", script);
  }

  #serveApi(): void {
    PageApi.register(
      (incoming, outgoing, { room }) => {
        this.#accepted++;
        incoming.on({
          greet: async ({ name }) => {
            if (name === "one too many") throw new FULL({ limit: 3 });
            return `Hello ${name}`;
          },
          wait: () => {
            const gate = new Gate<string>();
            this.waiting.push(gate);
            return gate.passed;
          },
          note: ({ text }) => this.notes.push(text),
        });
        outgoing.news({ text: `welcome to ${room}` });
        this.connections.push({ outgoing, room, closed: new Promise((resolve) => outgoing.onClose(resolve)) });
      },
      { http: this.http, logger: this.logger, middlewares: [this.#door()] },
    );
  }

  #door(): GGWebSocketMiddleware {
    return {
      parseHandshake: ({ headers }) => {
        const { authorization = "" } = headers;
        this.tokens.push(authorization);
        if (authorization.startsWith("stranger")) throw new NOT_AUTHORIZED({ displayMessage: "Unknown user" });
        if (authorization.startsWith("late")) throw new FULL({ limit: 3 });
      },
    };
  }
}
