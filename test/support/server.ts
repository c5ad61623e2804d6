import { GGHttpServer } from "@grest-ts/http";
import type { GGSocketServer, GGWebSocketLogger } from "@grest-ts/websocket";
import { onTestFinished } from "vitest";
import { Queue } from "./queue.js";

/** A logger that keeps its lines. */
export interface LogLine {
  readonly level: "debug" | "warn" | "error";
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface RecordingLogger extends GGWebSocketLogger {
  /** Warnings and errors. */
  readonly lines: LogLine[];
  readonly debugLines: LogLine[];
  /** Resolves with the next warning or error, one that was logged already included. */
  next(): Promise<LogLine>;
}

export function recordingLogger(): RecordingLogger {
  const lines: LogLine[] = [];
  const debugLines: LogLine[] = [];
  const queue = new Queue<LogLine>();
  const at =
    (level: LogLine["level"]) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      const line = { level, message, fields };
      if (level === "debug") return void debugLines.push(line);
      lines.push(line);
      queue.push(line);
    };
  return { lines, debugLines, next: () => queue.next(), debug: at("debug"), warn: at("warn"), error: at("error") };
}

/** Starts an HTTP server with whatever `register` puts on it, and tears it down when the test is over. */
export async function startHttp(register: (http: GGHttpServer) => void): Promise<{ http: GGHttpServer; url: string }> {
  const http = new GGHttpServer({ port: 0 });
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
