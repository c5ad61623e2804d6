import { once } from "node:events";
import { Agent, createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { failureOf, type GGWebSocketClientConfig, type SocketFailure } from "@grest-ts/websocket";
import { WebSocket as Undici } from "undici";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket as Ws } from "ws";
import { onFakeClock } from "../support/fakeClock.js";
import { displayed, ProbeApi } from "../support/probe.js";
import { RawServer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";

/** Listens for the length of a test. */
async function listen(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket.on("error", () => {}));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const http = (answer: RequestListener) => listen(createServer(answer));
const tcp = (onConnection: (socket: Socket) => void) => listen(createTcpServer(onConnection));

/** Why a client does not connect: the sentence after the address, and what it says to programs. */
async function failureAt(url: string, more: Partial<GGWebSocketClientConfig> = {}) {
  const error = await ProbeApi.createClient({ url, ...more })
    .connect()
    .catch((thrown: unknown) => thrown);
  const text = displayed(error);
  const [, why = text] = /^Probe: could not connect to ws:\/\/[^ ]+\/ws\/probe: (.*)$/s.exec(text) ?? [];
  return { text, why, ...(failureOf(error) as SocketFailure) };
}

/** A name that has these addresses, or none. */
const resolving = (result: Error | readonly string[]) =>
  new Agent({
    lookup: (_host, _options, callback) => {
      if (result instanceof Error) callback(result, "", 0);
      else callback(null, result.map((address) => ({ address, family: 4 })) as never);
    },
  });

describe("an answer of HTTP", () => {
  it.each([
    [200, "answers HTTP 200, no WebSocket there", "unreachable"],
    [204, "answers HTTP 204, no WebSocket there", "unreachable"],
    [400, "answers HTTP 400: Bad Request", "refused"],
    [401, "answers HTTP 401: Unauthorized", "refused"],
    [403, "answers HTTP 403: Forbidden", "refused"],
    [404, "answers HTTP 404, no API at /ws/probe", "refused"],
    [407, "answers HTTP 407, the proxy asks for credentials", "refused"],
    [426, "answers HTTP 426: Upgrade Required", "refused"],
    [429, "answers HTTP 429: Too Many Requests", "limit"],
    [500, "answers HTTP 500: Internal Server Error", "refused"],
    [502, "answers HTTP 502: Bad Gateway", "refused"],
    [503, "answers HTTP 503: Service Unavailable", "limit"],
    [599, "answers HTTP 599", "refused"],
  ])("has its own sentence: %i", async (status, sentence, reason) => {
    const url = await http((_request, response) => void response.writeHead(status).end(status === 204 ? "" : "<html>"));
    const { why, ...failure } = await failureAt(url);
    expect(why).toBe(sentence);
    expect(failure).toMatchObject({ reason, wasSent: false });
  });

  it.each([301, 302, 303, 307, 308])("is a redirect, which is named and not followed: %i", async (status) => {
    let requests = 0;
    const url = await http((request, response) => {
      requests++;
      const Location = request.url?.startsWith("/relative")
        ? "/login?token=secret"
        : "https://ann:secret@other.example/x?token=secret";
      response.writeHead(status, { Location }).end();
    });
    const { why, text, reason } = await failureAt(url);
    expect(why).toBe(`answers HTTP ${status}, a redirect to https://other.example, which is not followed`);
    expect(reason).toBe("unreachable");
    expect(text).not.toContain("secret");
    expect((await failureAt(`${url}/relative`)).why).toBe(
      `answers HTTP ${status}, a redirect to ${url}, which is not followed`,
    );
    expect(requests).toBe(2);
  });

  it("is a redirect to nowhere", async () => {
    for (const headers of [{}, { Location: "https://" }]) {
      const url = await http((_request, response) => void response.writeHead(302, headers).end());
      expect((await failureAt(url)).why).toBe("answers HTTP 302, a redirect, which is not followed");
    }
  });

  it("says why in a short text, on one line", async () => {
    const text = "No\r\n\u001b access \tto /x?token=secret č\n\n ";
    const headers = { "Content-Type": "text/plain; charset=utf-8", "Content-Length": Buffer.byteLength(text) };
    const url = await http((_request, response) => void response.writeHead(403, headers).end(text));
    expect((await failureAt(url)).why).toBe("answers HTTP 403: No access to /x č");
  });

  it.each([
    ["long", { "Content-Length": "100000" }],
    ["endless", {}],
    ["not text", { "Content-Length": "1000", "Content-Type": "text/html" }],
    ["cut", { "Content-Length": "400" }],
  ])("is not waited for when its text is %s", async (kind, headers) => {
    const url = await http((_request, response) => {
      response.writeHead(403, { "Content-Type": "text/plain", ...headers }).write("half");
      if (kind === "cut") response.socket?.end();
    });
    expect((await failureAt(url)).why).toMatch(
      kind === "cut" ? /^answers HTTP 403: half$/ : /^answers HTTP 403: Forbidden$/,
    );
  });

  it("of this package says why itself", async () => {
    const full = await serveApi(ProbeApi, () => {}, { limits: { maxConnections: 1 } });
    const first = ProbeApi.createClient({ url: full.base });
    await first.connect();
    onTestFinished(() => first.close());
    expect(await failureAt(full.base)).toMatchObject({
      why: "answers HTTP 503: There are too many connections",
      reason: "limit",
    });
    const { base } = await serveApi(ProbeApi, () => {}, { allowedOrigins: ["https://app.example"] });
    expect(await failureAt(base, { connectOptions: { origin: "https://evil.example" } })).toMatchObject({
      why: "answers HTTP 403: This origin may not connect",
      reason: "refused",
    });
  });

  it.each([200, 302, 404, 503])("is tried again with reconnect: %i", async (status) => {
    const { base } = await serveApi(ProbeApi, () => {});
    const { hostname, port } = new URL(base);
    let refusals = 0;
    const url = await http((_request, response) => {
      refusals++;
      response.writeHead(status).end();
    });
    const client = ProbeApi.createClient({
      reconnect: { initial: true, initialDelayMs: 1 },
      beforeConnect: () => ({ url: refusals < 2 ? url : `ws://${hostname}:${port}` }),
    });
    await client.connect();
    client.close();
    expect(refusals).toBe(2);
  });
});

it("keeps the status of an answer that is cut", async () => {
  const url = await listen(
    createTcpServer((socket) => {
      socket.once("data", () => {
        const head = "HTTP/1.1 403 X\r\nContent-Type: text/plain\r\nContent-Length: 400\r\n\r\nabc";
        // Later than the head is read.
        socket.write(head, () => setTimeout(() => socket.resetAndDestroy(), 50));
      });
    }),
  );
  const error = await ProbeApi.createClient({ url })
    .connect()
    .catch((thrown: unknown) => thrown);
  expect(displayed(error)).toMatch("answers HTTP 403");
  expect(failureOf(error)?.reason).toBe("refused");
});

describe("a network failure", () => {
  it("has its own sentence, and shows the error below with its code", async () => {
    const url = await tcp(() => {});
    const { port } = new URL(url);
    const { why, reason, cause } = await failureAt("ws://127.0.0.1:1");
    expect(why).toBe("nothing listens there (connect ECONNREFUSED 127.0.0.1:1)");
    expect(reason).toBe("unreachable");
    expect(cause).toMatchObject({ code: "ECONNREFUSED", cause: { code: "ECONNREFUSED", port: 1 } });
    const unknown = Object.assign(new Error("getaddrinfo ENOTFOUND host.example"), { code: "ENOTFOUND" });
    expect(
      await failureAt(`ws://host.example:${port}`, { connectOptions: { agent: resolving(unknown) } }),
    ).toMatchObject({
      why: "there is no such host (getaddrinfo ENOTFOUND host.example)",
      reason: "unreachable",
    });
  });

  it("names each address of a host, where none answers", async () => {
    const connectOptions = { agent: resolving(["127.0.0.1", "127.0.0.2"]) };
    const { why, reason } = await failureAt("ws://host.example:1", { connectOptions });
    expect(why).toBe("nothing listens there (connect ECONNREFUSED 127.0.0.1:1, connect ECONNREFUSED 127.0.0.2:1)");
    expect(reason).toBe("unreachable");
  });

  it.each<[string, (socket: Socket) => void, RegExp]>([
    [
      "closes at once",
      (socket) => void socket.end(),
      /^the connection was closed without an answer, as a server for wss:.*\(.+\)$/,
    ],
    ["resets", (socket) => void socket.resetAndDestroy(), /^the connection was closed without an answer.*\(.+\)$/],
    [
      "closes after the request",
      (socket) => void socket.once("data", () => socket.end()),
      /^the connection was closed without an answer.*hang up\)$/,
    ],
    [
      "speaks something else",
      (socket) => void socket.write("SSH-2.0-x\r\n"),
      /^what answers does not speak HTTP \(.+\)$/,
    ],
    [
      "speaks TLS",
      (socket) => void socket.once("data", () => socket.write(Buffer.from([0x15, 3, 1, 0, 2, 2, 70]))),
      /^what answers speaks TLS; wss:\/\/ is with it \(.+\)$/,
    ],
    [
      "upgrades to something else",
      (socket) =>
        void socket.once("data", () => socket.write("HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")),
      /^Invalid Upgrade header$/,
    ],
    [
      "upgrades without reading the key",
      (socket) =>
        void socket.once("data", () =>
          socket.write(
            "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n",
          ),
        ),
      /^Invalid Sec-WebSocket-Accept header$/,
    ],
  ])("has its own sentence for a server that %s", async (_what, onConnection, sentence) => {
    const { why, reason } = await failureAt(await tcp(onConnection));
    expect(why).toMatch(sentence);
    expect(reason).toBe("unreachable");
  });

  it("shows no secret", async () => {
    const { text } = await failureAt("ws://ann:secret@127.0.0.1:1/prefix?token=secret#secret");
    expect(text).toContain("could not connect to ws://127.0.0.1:1/prefix/ws/probe: nothing listens there");
    expect(text).not.toContain("secret");
  });
});

describe("a server that opens the connection", () => {
  it.each<[string, (ws: Ws) => void, string, number]>([
    ["and drops it", (ws) => ws.terminate(), "closed with 1006", 1006],
    ["and closes it", (ws) => ws.close(), "closed with 1005", 1005],
    ["and closes it with a reason", (ws) => ws.close(1013, "busy"), "closed with 1013 (busy)", 1013],
  ])("%s", async (_what, act, why, closeCode) => {
    const server = await RawServer.start();
    const failure = failureAt(server.url);
    act((await server.connections.next()).ws);
    expect(await failure).toMatchObject({ why, reason: "refused", closeCode });
  });

  it("and says nothing: the handshake is what is missing", async () => {
    const { pass, webSocketSchema, defineSocketContract, failureOf } = await onFakeClock();
    const Api = webSocketSchema(defineSocketContract("Late", { clientToServer: {}, serverToClient: {} }))
      .path("ws")
      .done();
    const server = await RawServer.start();
    const failure = Api.createClient({ url: server.url })
      .connect()
      .catch((thrown: unknown) => thrown);
    expect(await (await server.connections.next()).next()).toMatch(/^h:::/);
    pass(10_000);
    expect(displayed(await failure)).toMatch(/: open, but no handshake reply within 10000 ms$/);
    expect(failureOf(await failure)).toMatchObject({ reason: "timeout", wasSent: false });
  });
});

it("a server that accepts a connection and says nothing: the answer to the upgrade is what is missing", async () => {
  const { pass, webSocketSchema, defineSocketContract, failureOf } = await onFakeClock();
  const Api = webSocketSchema(defineSocketContract("Mute", { clientToServer: {}, serverToClient: {} }))
    .path("ws")
    .done();
  const server = createTcpServer();
  const url = await listen(server);
  const failure = Api.createClient({ url })
    .connect()
    .catch((thrown: unknown) => thrown);
  const [socket] = (await once(server, "connection")) as [Socket];
  await once(socket, "data");
  pass(10_000);
  expect(displayed(await failure)).toMatch(/: no answer to the upgrade within 10000 ms$/);
  expect(failureOf(await failure)).toMatchObject({ reason: "timeout", wasSent: false });
});

describe.each([
  ["the global one", globalThis.WebSocket ?? Undici],
  ["undici's", Undici],
  ["ws", Ws],
])("with another WebSocket class, %s,", (_which, webSocket) => {
  it("a failure is reported once, and at once", async () => {
    expect(await failureAt("ws://127.0.0.1:1", { webSocket })).toMatchObject({ reason: "unreachable" });
    const url = await http((_request, response) => void response.end("x"));
    expect(await failureAt(url, { webSocket })).toMatchObject({ reason: "unreachable" });
    const server = await RawServer.start();
    const refused = failureAt(server.url, { webSocket });
    (await server.connections.next()).ws.close(1013, "busy");
    expect(await refused).toMatchObject({ why: "closed with 1013 (busy)", reason: "refused", closeCode: 1013 });
  });

  it("connects", async () => {
    const { base } = await serveApi(ProbeApi, (incoming) =>
      incoming.on({ echo: (input) => input, note() {}, ping() {} }),
    );
    const client = ProbeApi.createClient({ url: base, webSocket });
    await client.connect();
    expect(await client.outgoing.echo({ text: "x" })).toEqual({ text: "x" });
    await client.disconnect();
  });
});
