import { GGHttpServer, type GGHttpServerConfig } from "@grest-ts/http";
import type {
  GGConnectionHandler,
  GGSocketMethodMap,
  GGSocketServer,
  GGWebSocketLogger,
  GGWebSocketSchema,
  WebSocketSchemaConfig,
} from "@grest-ts/websocket";
import { expect, onTestFinished } from "vitest";
import { Queue } from "./queue.js";

/** A logger that keeps its entries. */
export interface LogEntry {
  readonly level: "debug" | "warn" | "error";
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The fields of a server's entry that say whose connection it is about. */
export const ofConnection = { connection: expect.stringMatching(/^\w+-\d+$/), address: "127.0.0.1" };

export interface RecordingLogger extends GGWebSocketLogger {
  /** Warnings and errors. */
  readonly entries: LogEntry[];
  readonly debugEntries: LogEntry[];
  /** Resolves with the next warning or error, including one that is already logged. */
  next(): Promise<LogEntry>;
}

export function recordingLogger(): RecordingLogger {
  const entries: LogEntry[] = [];
  const debugEntries: LogEntry[] = [];
  const queue = new Queue<LogEntry>();
  const at =
    (level: LogEntry["level"]) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      const entry = { level, message, fields };
      if (level === "debug") return void debugEntries.push(entry);
      entries.push(entry);
      queue.push(entry);
    };
  return { entries, debugEntries, next: () => queue.next(), debug: at("debug"), warn: at("warn"), error: at("error") };
}

/** Starts an HTTP server with whatever `register` puts on it, and tears it down when the test is over. */
export async function startHttp(
  register: (http: GGHttpServer) => void,
  config: GGHttpServerConfig = {},
): Promise<{ http: GGHttpServer; url: string }> {
  const http = new GGHttpServer({ port: 0, ...config });
  register(http);
  await http.start();
  onTestFinished(() => http.teardown());
  return { http, url: `ws://127.0.0.1:${http.port}` };
}

/** Serves one API. `start` gets the HTTP server and must return what `startServer` returned. */
export async function serve(
  start: (http: GGHttpServer) => GGSocketServer,
): Promise<{ http: GGHttpServer; url: string; server: GGSocketServer }> {
  let server!: GGSocketServer;
  const { http, url } = await startHttp((made) => {
    server = start(made);
  });
  return { http, url, server };
}

/** Serves a schema for the length of a test, with a recording logger unless `config` has one. */
export async function serveApi<C2S extends GGSocketMethodMap, S2C extends GGSocketMethodMap, TQuery>(
  schema: GGWebSocketSchema<C2S, S2C, object, TQuery>,
  onConnection: GGConnectionHandler<C2S, S2C, TQuery>,
  config: WebSocketSchemaConfig = {},
) {
  const logger = recordingLogger();
  const { http, url, server } = await serve((http) => schema.startServer(onConnection, { http, logger, ...config }));
  return { http, server, logger, base: url, url: `${url}${server.path}` };
}
