import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createVite, type InlineConfig } from "vite";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { watchTheProcess } from "../hostile/watch.js";
import { Gate } from "../support/gate.js";
import { endServer, listen, nodeHost, portOf } from "./hosts.js";
import { apiNamed, ask, clientOf, serveOn, upgradeStatus } from "./parts.js";

watchTheProcess();

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mounting-vite-"));
  await writeFile(
    join(folder, "index.html"),
    '<!doctype html><title>page</title><script type="module" src="/page.js">',
  );
  await writeFile(join(folder, "page.js"), "export const answer = 42;\n");
});

afterAll(() => rm(folder, { recursive: true }));

/** A Vite development server of the folder, for the length of a test. */
async function vite(config: InlineConfig) {
  const server = await createVite({
    root: folder,
    configFile: false,
    logLevel: "silent",
    clearScreen: false,
    ...config,
  });
  onTestFinished(() => server.close());
  return server;
}

/** Opens Vite's own socket for updates as its page does, and gives its first message. */
async function openHmr(url: string, token: string): Promise<string> {
  const ws = new WebSocket(`${url.replace("http", "ws")}/?token=${token}`, "vite-hmr");
  onTestFinished(() => ws.terminate());
  return new Promise((resolve, reject) => {
    ws.on("message", (data) => resolve(String(data)));
    ws.on("error", reject);
  });
}

describe("Vite in development", () => {
  it("forwards the path of an API to its server, beside its own socket", async () => {
    const Chat = apiNamed("Chat");
    const api = nodeHost();
    const chat = serveOn(api.server, Chat);
    await api.listen();
    const target = `ws://127.0.0.1:${portOf(api.server)}`;
    const server = await vite({ server: { port: 0, host: "127.0.0.1", proxy: { "/ws": { target, ws: true } } } });
    await server.listen();
    const url = `http://127.0.0.1:${portOf(server.httpServer as Server)}`;
    const { client, news, closed } = clientOf(Chat, url);
    await client.connect();
    expect(await client.outgoing.greet("Ann")).toBe("Hello Ann from Chat");
    expect(await news.next()).toBe("welcome");
    expect((await ask(`${url}/page.js`)).body).toContain("answer = 42");
    expect(JSON.parse(await openHmr(url, server.config.webSocketToken))).toEqual({ type: "connected" });
    await chat.teardown();
    expect(await closed.next()).toBe("drop");
  });

  it.each(["before", "after"] as const)(
    "shares the server of an app with an API that is mounted %s it (middleware mode)",
    async (when) => {
      const Chat = apiNamed("Chat");
      const server = createServer();
      onTestFinished(() => endServer(server));
      if (when === "before") serveOn(server, Chat);
      const { middlewares, config } = await vite({
        server: { middlewareMode: true, hmr: { server } },
        appType: "spa",
      });
      server.on("request", middlewares);
      if (when === "after") serveOn(server, Chat);
      await listen(server);
      const url = `http://127.0.0.1:${portOf(server)}`;
      const { client } = clientOf(Chat, url);
      await client.connect();
      expect(await client.outgoing.greet("Ann")).toBe("Hello Ann from Chat");
      expect(JSON.parse(await openHmr(url, config.webSocketToken))).toEqual({ type: "connected" });
      expect((await ask(`${url}/page.js`)).body).toContain("answer = 42");
      expect((await ask(`${url}/`)).body).toContain("<title>page</title>");
      expect(await client.outgoing.greet("Bo")).toBe("Hello Bo from Chat");
    },
  );

  it("shares its own server with an API, as a plugin mounts it", async () => {
    const Chat = apiNamed("Chat");
    const server = await vite({
      server: { port: 0, host: "127.0.0.1" },
      plugins: [{ name: "api", configureServer: ({ httpServer }) => void serveOn(httpServer as Server, Chat) }],
    });
    await server.listen();
    const url = `http://127.0.0.1:${portOf(server.httpServer as Server)}`;
    const { client } = clientOf(Chat, url);
    await client.connect();
    expect(await client.outgoing.greet("Ann")).toBe("Hello Ann from Chat");
    expect(JSON.parse(await openHmr(url, server.config.webSocketToken))).toEqual({ type: "connected" });
  });
});

/**
 * An app with a socket of its own, as frameworks for pages have it in development: it begins to listen for upgrades with the
 * first request, looks its routes up before it takes one, and ends those that match a page.
 */
function nextLike() {
  const sockets = new WebSocketServer({ noServer: true });
  const mayTake = new Gate();
  let isSetUp = false;
  async function upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    socket.on("error", () => {});
    await mayTake.passed;
    if (request.url === "/_app/hot") sockets.handleUpgrade(request, socket, head, (ws) => ws.send("hot"));
    else if (request.url === "/page") socket.end();
  }
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (!isSetUp) (request.socket as Socket & { readonly server: Server }).server.on("upgrade", upgrade);
    isSetUp = true;
    response.end(`page ${request.url}`);
  };
  return { handle, mayTake };
}

describe.each([undefined, "leave"] as const)("an app with a socket of its own (unknownPaths: %s)", (unknownPaths) => {
  it("keeps its socket and its pages beside an API", async () => {
    const { handle, mayTake } = nextLike();
    const Chat = apiNamed("Chat");
    const server = createServer((request, response) => handle(request, response));
    onTestFinished(() => endServer(server));
    serveOn(server, Chat, { unknownPaths });
    await listen(server);
    const url = `http://127.0.0.1:${portOf(server)}`;
    // There is no other listener yet.
    expect(await upgradeStatus(`${url}/_app/hot`)).toBe(404);
    expect((await ask(`${url}/first`)).body).toBe("page /first");
    const { client } = clientOf(Chat, url);
    await client.connect();
    const hot = new WebSocket(`${url.replace("http", "ws")}/_app/hot`);
    onTestFinished(() => hot.terminate());
    const first = new Promise((resolve, reject) =>
      hot.on("message", (data) => resolve(String(data))).on("error", reject),
    );
    expect(await client.outgoing.greet("Ann")).toBe("Hello Ann from Chat");
    mayTake.open();
    expect(await first).toBe("hot");
    await expect(upgradeStatus(`${url}/page`)).rejects.toThrow("socket hang up");
    expect(await client.outgoing.greet("Bo")).toBe("Hello Bo from Chat");
    expect((await ask(`${url}/ws/Chat`)).body).toBe("page /ws/Chat");
  });
});

it('unknownPaths: "refuse" answers for all others', async () => {
  const { handle } = nextLike();
  const server = createServer((request, response) => handle(request, response));
  onTestFinished(() => endServer(server));
  serveOn(server, apiNamed("Chat"), { unknownPaths: "refuse" });
  await listen(server);
  const url = `http://127.0.0.1:${portOf(server)}`;
  await ask(`${url}/first`);
  expect(await upgradeStatus(`${url}/_app/hot`)).toBe(404);
});
