import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GG_WS_CONNECTION, GGSocketServer, type GGWebSocketLogger } from "@grest-ts/websocket";
import { callOn } from "@grest-ts/websocket/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { watchTheProcess } from "../hostile/watch.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { certificates, endServer, listen, nodeHost, portOf } from "./hosts.js";
import { apiNamed, ask, clientOf, serveOn } from "./parts.js";

watchTheProcess();

/** A logger that keeps where an API says that it is served. */
function servedLog(): { readonly logger: GGWebSocketLogger; readonly ports: Queue<unknown> } {
  const ports = new Queue<unknown>();
  const info: GGWebSocketLogger["info"] = (message, fields) => {
    if (message.includes("served on")) ports.push(fields?.port);
  };
  return { ports, logger: { info, debug() {}, warn: console.warn, error: console.error } };
}

describe("a server of Node", () => {
  it.each(["before listen()", "right after listen()", "in its callback", "while it listens"] as const)(
    "is announced once when an API is mounted %s, and once each time that it listens again",
    async (when) => {
      const { server } = nodeHost();
      const { logger, ports } = servedLog();
      const mount = () => serveOn(server, apiNamed("Chat"), { logger });
      if (when === "before listen()") mount();
      const listening = once(server, "listening");
      // Without the name of a host, `listening` is true at once, and the event comes later.
      server.listen(0, () => when === "in its callback" && mount());
      if (when === "right after listen()") mount();
      await listening;
      if (when === "while it listens") mount();
      expect(await ports.next()).toBe(portOf(server));
      server.close();
      await once(server, "close");
      await listen(server);
      expect(await ports.next()).toBe(portOf(server));
      expect(ports.unseen).toEqual([]);
    },
  );

  it("serves again, on its new port, when it was closed and listens again", async () => {
    const Chat = apiNamed("Chat");
    const { server } = nodeHost();
    const seen = new Queue<number | undefined>();
    const chat = Chat.startServer(() => seen.push(GG_WS_CONNECTION.assert().port), { http: server });
    onTestFinished(() => chat.teardown());
    const used = new Set<number>();
    for (const _time of [1, 2, 3]) {
      await listen(server);
      const port = portOf(server);
      used.add(port);
      const kit = callOn(Chat, { url: `http://127.0.0.1:${port}` });
      await kit.connect();
      expect(await seen.next()).toBe(port);
      await kit.disconnect();
      const ended = once(server, "close");
      server.close();
      await ended;
    }
    expect(used.size).toBeGreaterThan(1);
  });

  it("ends no WebSocket by close(): calls go on until teardown(), and only then it has closed", async () => {
    const Chat = apiNamed("Chat");
    const host = nodeHost();
    const chat = serveOn(host.server, Chat);
    await host.listen();
    const { client, closed } = clientOf(Chat, `http://127.0.0.1:${portOf(host.server)}`);
    await client.connect();
    let hasClosed = false;
    const end = host.close().then(() => {
      hasClosed = true;
    });
    expect(await client.outgoing.greet("Ann")).toBe("Hello Ann from Chat");
    host.server.closeAllConnections();
    expect(await client.outgoing.greet("Bo")).toBe("Hello Bo from Chat");
    expect([hasClosed, chat.connectionCount]).toEqual([false, 1]);
    await chat.teardown();
    await end;
    expect(await closed.next()).toBe("drop");
  });

  it("has one listener for each event, however many APIs come and go", async () => {
    const { server } = nodeHost();
    const warnings: Error[] = [];
    const note = (warning: Error) => warnings.push(warning);
    process.on("warning", note);
    onTestFinished(() => void process.off("warning", note));
    const before = ["listening", "close", "error", "request"].map((event) => server.listenerCount(event));
    for (let i = 0; i < 15; i++) serveOn(server, apiNamed(`Api${i}`));
    for (let i = 0; i < 15; i++) await serveOn(server, apiNamed(`Gone${i}`)).teardown();
    await listen(server);
    expect(server.listenerCount("upgrade")).toBe(1);
    const [listening, ...others] = before;
    const after = ["listening", "close", "error", "request"].map((event) => server.listenerCount(event));
    expect(after).toEqual([(listening ?? 0) + 1, ...others]);
    // Node emits a warning in a later tick.
    await new Promise(setImmediate);
    expect(warnings).toEqual([]);
  });

  it("announces no API that was torn down before it listened", async () => {
    const { server } = nodeHost();
    const { logger, ports } = servedLog();
    await serveOn(server, apiNamed("Gone"), { logger }).teardown();
    serveOn(server, apiNamed("Here"), { logger });
    await listen(server);
    expect(await ports.next()).toBe(portOf(server));
    expect(ports.unseen).toEqual([]);
  });

  it("serves when its first port was taken, and when it failed to listen before", async () => {
    const Chat = apiNamed("Chat");
    const { server: first } = nodeHost();
    await listen(first);
    const { server } = nodeHost();
    serveOn(server, Chat);
    server.listen(portOf(first), "127.0.0.1");
    const [error] = await once(server, "error");
    expect(error).toMatchObject({ code: "EADDRINUSE" });
    await listen(server);
    const { client } = clientOf(Chat, `http://127.0.0.1:${portOf(server)}`);
    await client.connect();
  });

  it("may listen on a pipe", async () => {
    const { server } = nodeHost();
    const { logger, ports } = servedLog();
    const seen = new Queue<string>();
    const warn = (message: string) => seen.push(message);
    serveOn(server, apiNamed("Chat"), { logger: { ...logger, warn, error: warn } });
    const socketPath = join(tmpdir(), `mounting-${process.pid}.sock`);
    server.listen(socketPath);
    await once(server, "listening");
    serveOn(server, apiNamed("Late"), { logger: { ...logger, warn, error: warn } });
    for (const path of ["/ws/Chat", "/ws/Late"]) {
      const asked = request({
        socketPath,
        path,
        headers: {
          Connection: "Upgrade",
          Upgrade: "websocket",
          "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
          "Sec-WebSocket-Version": "13",
        },
      });
      asked.end();
      const [, socket] = await once(asked, "upgrade");
      socket.destroy();
    }
    expect([ports.unseen, seen.unseen]).toEqual([[], []]);
  });

  it("serves a path without a contract", async () => {
    const { server } = nodeHost();
    const raw = new GGSocketServer(server, { apiName: "Raw", path: "raw" });
    onTestFinished(() => raw.teardown());
    raw.onConnection((socket) => {
      socket.registerHandler({ path: "any.thing", handler: async (data) => ({ got: data }) });
    });
    await listen(server);
    const peer = await RawPeer.connect(`ws://127.0.0.1:${portOf(server)}/raw`);
    peer.send('r:any.thing:1:"x"');
    expect(await peer.next()).toContain('{"got":"x"}');
    expect(() => new GGSocketServer(server, { apiName: "More", path: "raw" })).toThrow("More and Raw");
  });
});

describe("a server of Node without a listener for plain requests", () => {
  async function bare() {
    const server = createServer();
    onTestFinished(() => endServer(server));
    const chat = serveOn(server, apiNamed("Chat"));
    await listen(server);
    return { server, chat, url: `http://127.0.0.1:${portOf(server)}` };
  }
  const theirs = (_request: IncomingMessage, response: ServerResponse) => void response.end("theirs");

  it("leaves none waiting: it explains the path of an API, and knows no other", async () => {
    const { chat, url } = await bare();
    const explained = await ask(`${url}/ws/Chat?x=1`);
    expect(explained).toMatchObject({ status: 426, body: expect.stringContaining("Chat is a WebSocket API") });
    expect(await ask(`${url}/ws/Chat`, "posted")).toMatchObject({ status: 426 });
    expect(await ask(`${url}/`)).toMatchObject({ status: 404, body: expect.stringContaining("GET /") });
    await chat.teardown();
    expect(await ask(`${url}/ws/Chat`)).toMatchObject({ status: 404 });
  });

  it("leaves all to a listener that is added later", async () => {
    const { server, url } = await bare();
    server.on("request", theirs);
    expect(server.listeners("request")).toEqual([theirs]);
    expect(await ask(`${url}/ws/Chat`)).toEqual({ status: 200, body: "theirs" });
    serveOn(server, apiNamed("More"));
    expect(await ask(`${url}/ws/More`)).toEqual({ status: 200, body: "theirs" });
    expect(server.listenerCount("newListener")).toBe(0);
  });

  it("answers nothing when another library has put its listener around the one of here", async () => {
    const { server, url } = await bare();
    const wrapped = server.listeners("request");
    server.removeAllListeners("request");
    server.on("request", (request, response) => {
      for (const listener of wrapped) listener.call(server, request, response);
      theirs(request, response);
    });
    expect(await ask(`${url}/ws/Chat`)).toEqual({ status: 200, body: "theirs" });
  });
});

describe("the test kit finds an API", () => {
  it("on a server of Node that listens, the latest one", async () => {
    const Chat = apiNamed("Chat");
    const hosts = [nodeHost(), nodeHost(), nodeHost()] as const;
    const [closed, listening, later] = hosts;
    for (const [i, { server }] of hosts.entries()) {
      const api = Chat.startServer((incoming) => incoming.on({ greet: async () => `server ${i}` }), { http: server });
      onTestFinished(() => api.teardown());
    }
    await expect(callOn(Chat).connect()).rejects.toThrow("start its HTTP server");
    const answer = async () => {
      const kit = callOn(Chat);
      await kit.connect();
      const said = await kit.greet("Ann");
      await kit.disconnect();
      return said;
    };
    await closed.listen();
    await listening.listen();
    expect(await answer()).toBe("server 1");
    await later.listen();
    expect(await answer()).toBe("server 2");
    await Promise.all([later.close(), listening.close()]);
    expect(await answer()).toBe("server 0");
    await closed.close();
    await expect(callOn(Chat).connect()).rejects.toThrow("start its HTTP server");
  });

  it.skipIf(!certificates)("on a server with TLS", async () => {
    const Chat = apiNamed("Chat");
    const server = createTlsServer({ ...certificates?.server });
    onTestFinished(() => endServer(server));
    serveOn(server, Chat);
    await listen(server);
    const kit = callOn(Chat);
    await kit.connect();
    await kit.greet("Ann").toEqual("Hello Ann from Chat").with(kit.mock.news);
    await kit.disconnect();
  });
});

describe("what is no HTTP server is refused by a sentence that names the API", () => {
  const Chat = apiNamed("Chat");
  const net = createServer();
  const app = Object.assign(() => {}, { listen: () => net });
  const thenable = Object.assign(Promise.resolve(), { server: net });
  const cases: Readonly<Record<string, readonly [unknown, string]>> = {
    "an app of Express": [app, "not a function: of an app, pass what its listen() returns"],
    "an app with a server": [{ server: net, listen() {} }, 'not an app: pass its "server"'],
    "Fastify's app, which has a then": [thenable, 'not an app: pass its "server"'],
    "a promise": [Promise.resolve(net), "not a promise: await it first"],
    "an address": ["http://127.0.0.1:3000", "not http://127.0.0.1:3000"],
    "a port": [8080, "not 8080"],
    "an object": [{ listen() {} }, "not an object"],
  };

  it.each(Object.entries(cases))("%s", (_, [http, end]) => {
    const sentence = `Chat: http must be an HTTP server of Node, such as createServer() or app.listen() returns, or a GGHttpServer, ${end}`;
    expect(() => Chat.register(() => {}, { http: http as never })).toThrow(new Error(sentence));
    expect(() => Chat.startServer(() => {}, { http: http as never })).toThrow(new Error(sentence));
    expect(() => new GGSocketServer(http as never, { apiName: "Chat", path: "x" })).toThrow(new Error(sentence));
  });

  it("and what cannot upgrade", async () => {
    const http2 = await import("node:http2");
    const { createServer: createTcpServer } = await import("node:net");
    for (const server of [http2.createServer(), http2.createSecureServer({})]) {
      expect(() => Chat.register(() => {}, { http: server })).toThrow(
        "not a server that speaks HTTP/2 only: make it with createSecureServer({ allowHTTP1: true })",
      );
    }
    expect(() => Chat.register(() => {}, { http: createTcpServer() as never })).toThrow(
      /^Chat: http must be .*an object$/,
    );
  });
});
