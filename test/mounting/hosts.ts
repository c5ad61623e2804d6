import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createSecureServer } from "node:http2";
import { createServer as createTlsServer } from "node:https";
import { createRequire } from "node:module";
import { onTestFinished } from "vitest";
import { type Certificates, makeCertificates } from "../support/certificates.js";
import { haveEcosystem } from "../support/ecosystem.js";
import { fixture } from "../support/paths.js";

/** Apps that have an HTTP server already, each with the same routes: what an API is mounted on. */

/** An app that is made, with the server that it listens with. */
export interface HostApp {
  readonly server: Server;
  /** Begins to listen, on a port of its own; some apps do so when they are made. */
  listen(): Promise<void>;
  /** What runs before the app closes, where it has a hook for that. */
  beforeClose?(hook: () => Promise<void>): void;
  /** Ends the app in its own way: resolves when its server has closed. */
  close(): Promise<void>;
}

export interface HostKind {
  readonly name: string;
  readonly scheme: "http" | "https";
  /** Whether it listens as soon as there is a server. */
  readonly listensAtOnce: boolean;
  make(): HostApp;
}

/** What `GET /hello` answers. */
export const HELLO = "hello from the app";
/** What anything unknown gets. */
export const LOST = "the app has no such page";
/** A route of the app on this path answers with its method. */
export const OWN_PATH = "/ws/own";

export const requirePackage = createRequire(fixture("ecosystem/package.json"));

export const certificates: Certificates | undefined = makeCertificates();

/** The routes, for servers that have nothing but a listener. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url } = request;
  if (url === "/hello") return void response.end(HELLO);
  if (url === OWN_PATH) return void response.end(`own ${method}`);
  if (url === "/echo" && method === "POST") {
    let body = "";
    for await (const chunk of request) body += chunk;
    return void response.end(body);
  }
  response.writeHead(404).end(LOST);
}

function plain(name: string, scheme: HostKind["scheme"], create: () => Server): HostKind {
  return {
    name,
    scheme,
    listensAtOnce: false,
    make() {
      const server = create();
      return { server, listen: () => listen(server), close: () => closed(server) };
    },
  };
}

export async function listen(server: Server): Promise<void> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

type Handler = (request: IncomingMessage & { readonly body: string }, response: Reply) => void;
interface Reply {
  send(body: string): void;
  status(code: number): Reply;
}

interface Express {
  (): {
    use(middleware: unknown): void;
    get(path: string, handler: Handler): void;
    post(path: string, handler: Handler): void;
    listen(port: number, host: string): Server;
  };
  text(): unknown;
}

const express: HostKind = {
  name: "Express",
  scheme: "http",
  listensAtOnce: true,
  make() {
    const express = requirePackage("express") as Express;
    const app = express();
    app.use(express.text());
    app.get("/hello", (_request, response) => response.send(HELLO));
    app.get(OWN_PATH, (_request, response) => response.send("own GET"));
    app.post("/echo", ({ body }, response) => response.send(body));
    app.use((_request: unknown, response: Reply) => response.status(404).send(LOST));
    const server = app.listen(0, "127.0.0.1");
    return { server, listen: () => listeningOf(server), close: () => closed(server) };
  },
};

interface Fastify {
  readonly server: Server;
  get(path: string, handler: () => Promise<string>): void;
  post(path: string, handler: (request: { readonly body: string }) => Promise<string>): void;
  setNotFoundHandler(
    handler: (request: unknown, reply: { code(code: number): { send(body: string): void } }) => void,
  ): void;
  addHook(name: "preClose", hook: () => Promise<void>): void;
  listen(options: { readonly port: number; readonly host: string }): Promise<string>;
  addresses(): readonly { readonly address: string; readonly port: number }[];
  close(): Promise<void>;
}

export function makeFastify(): Fastify {
  const { fastify } = requirePackage("fastify") as { fastify(): Fastify };
  const app = fastify();
  app.get("/hello", async () => HELLO);
  app.get(OWN_PATH, async () => "own GET");
  app.post("/echo", async ({ body }) => body);
  app.setNotFoundHandler((_request, reply) => reply.code(404).send(LOST));
  return app;
}

const fastify: HostKind = {
  name: "Fastify",
  scheme: "http",
  listensAtOnce: false,
  make() {
    const app = makeFastify();
    return {
      server: app.server,
      listen: async () => void (await app.listen({ port: 0, host: "127.0.0.1" })),
      beforeClose: (hook) => app.addHook("preClose", hook),
      close: () => app.close(),
    };
  },
};

interface Context {
  text(body: string, status?: number): unknown;
  readonly req: { text(): Promise<string> };
}

export interface Hono {
  get(path: string, handler: (context: Context) => unknown): void;
  post(path: string, handler: (context: Context) => unknown): void;
  notFound(handler: (context: Context) => unknown): void;
  readonly fetch: unknown;
}

const hono: HostKind = {
  name: "Hono",
  scheme: "http",
  listensAtOnce: true,
  make() {
    const { Hono } = requirePackage("hono") as { readonly Hono: new () => Hono };
    const { serve } = requirePackage("@hono/node-server") as { serve(options: object): Server };
    const app = new Hono();
    app.get("/hello", (context) => context.text(HELLO));
    app.get(OWN_PATH, (context) => context.text("own GET"));
    app.post("/echo", async (context) => context.text(await context.req.text()));
    app.notFound((context) => context.text(LOST, 404));
    const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
    return { server, listen: () => listeningOf(server), close: () => closed(server) };
  },
};

async function listeningOf(server: Server): Promise<void> {
  if (!server.listening || portOf(server) === 0) await once(server, "listening");
}

/** A server for HTTP/2 that speaks HTTP/1 as well. */
function http2Server(): Server {
  const server = createSecureServer({ allowHTTP1: true, ...certificates?.server });
  server.on("request", (request, response) =>
    answer(request as unknown as IncomingMessage, response as unknown as ServerResponse),
  );
  return server as unknown as Server;
}

/** All kinds of hosts that can be made here. */
export const HOSTS: readonly HostKind[] = [
  plain("Node's http", "http", () => createServer(answer)),
  ...(certificates
    ? [
        plain("Node's https", "https", () => createTlsServer({ ...certificates?.server }, answer)),
        plain("Node's http2, with HTTP/1", "https", http2Server),
      ]
    : []),
  ...(haveEcosystem() ? [express, fastify, hono] : []),
];

/** A plain host, for what is the same on all of them. */
export const nodeHost = (): HostApp & { readonly server: Server } => {
  const server = createServer(answer);
  onTestFinished(() => endServer(server));
  return { server, listen: () => listen(server), close: () => closed(server) };
};

export function portOf(server: Pick<Server, "address">): number {
  const address = server.address();
  return typeof address === "object" && address ? address.port : 0;
}

/** Closes a server with all that is open on it, in whatever state it is. */
export function endServer(server: Server): void {
  server.close();
  // Those of `node:http2` have no such function.
  (server as Partial<Server>).closeAllConnections?.();
}
