import { connect, type Socket } from "node:net";
import { afterEach, vi } from "vitest";
import { GGHttpServer, type GGHttpServerConfig } from "../src/index.js";

const servers: GGHttpServer[] = [];

/** A server on a free port that is torn down after the test. */
export function newServer(config: GGHttpServerConfig = {}): GGHttpServer {
  const server = new GGHttpServer({ port: 0, ...config });
  servers.push(server);
  return server;
}

/** Starts the server and returns its base URL. */
export async function startServer(server: GGHttpServer): Promise<string> {
  await server.start();
  return `http://127.0.0.1:${server.port}`;
}

/** A raw connection to a started server. */
export async function openSocket(server: GGHttpServer): Promise<Socket> {
  const socket = connect(server.port as number, "127.0.0.1");
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  return socket;
}

/** Everything that arrives until the other side closes. */
export async function readToEnd(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  await new Promise((resolve) => socket.once("close", resolve).on("error", () => undefined));
  return text;
}

/** A promise and the function that resolves it. */
export function signal<T = void>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** Captures `console.error`, one text per call; nothing reaches the terminal. */
export function captureErrors(): string[] {
  const lines: string[] = [];
  vi.spyOn(console, "error").mockImplementation((...parts: unknown[]) => {
    lines.push(parts.map(String).join(" "));
  });
  return lines;
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.teardown()));
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});
