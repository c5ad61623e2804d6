import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { GGHttpServer } from "@grest-ts/http";
import { defineSocketContract, webSocketSchema } from "@grest-ts/websocket";
import { describe, expect, it } from "vitest";
import { watchTheProcess } from "../hostile/watch.js";
import { onFakeClock } from "../support/fakeClock.js";
import { Gate } from "../support/gate.js";
import { RawPeer } from "../support/rawPeer.js";
import { type HttpAnswer, RawTcp, TLS_SERVER } from "../support/rawTcp.js";
import { startHttp } from "../support/server.js";

watchTheProcess();

const api = (path: string, name = "ChatApi") =>
  webSocketSchema(defineSocketContract(name, { clientToServer: {}, serverToClient: {} }))
    .path(path)
    .done();

/** What Java's `HttpClient` adds to each request to an `http:` URL. */
const H2C =
  "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA";

const request = (method: string, path: string, fields: string, body = "") =>
  `${method} ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n\r\n${body}`;

/** A plain route that answers with what it has got. */
async function reflect(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = "";
  try {
    for await (const chunk of request) body += chunk;
  } catch {
    return;
  }
  const { method, url, headers } = request;
  const { connection, upgrade, "http2-settings": settings, "x-mark": mark } = headers;
  const text = JSON.stringify({ method, url, connection, upgrade, settings, mark, body });
  response.setHeader("Content-Length", Buffer.byteLength(text)).end(text);
}

function reflecting(http: GGHttpServer): void {
  http.registerRoute("GET", "/health", reflect);
  http.registerRoute("POST", "/items", reflect);
}

const read = ({ status, body }: HttpAnswer) => ({ status, ...JSON.parse(body) });

describe.each([
  { over: "http", isTls: false },
  { over: "https", isTls: true },
])("an upgrade to another protocol, over $over", ({ isTls }) => {
  async function start(options: { readonly unknownPaths?: "refuse" | "leave" } = {}) {
    const { http } = await startHttp(
      (http) => {
        reflecting(http);
        api("ws/chat").register(() => {}, { http, ...options });
      },
      isTls ? { tls: TLS_SERVER } : {},
    );
    return { http, open: () => RawTcp.open(http.port as number, isTls) };
  }

  it.each(["refuse", "leave"] as const)(
    "is the plain request that it also is (unknownPaths: %s)",
    async (unknownPaths) => {
      const tcp = await (await start({ unknownPaths })).open();
      tcp.write(request("GET", "/health?a=1", `${H2C}\r\nX-Mark: here`));
      expect(read(await tcp.answer())).toEqual({
        status: 200,
        method: "GET",
        url: "/health?a=1",
        mark: "here",
        body: "",
      });
    },
  );

  it.each([
    "Connection: Upgrade\r\nUpgrade: h2c",
    "Connection: keep-alive, upgrade\r\nUpgrade: H2C",
    "Connection: Upgrade\r\nConnection: HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA",
    "Connection: Upgrade\r\nUpgrade: TLS/1.2, HTTP/2.0",
    "Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: IRC/6.9",
    "Connection: Upgrade\r\nUpgrade: websocketx, xwebsocket",
  ])("is told by its tokens: %j", async (fields) => {
    const tcp = await (await start()).open();
    tcp.write(request("GET", "/health", fields));
    const { status, upgrade, connection = "keep-alive" } = read(await tcp.answer());
    expect({ status, upgrade, connection }).toEqual({ status: 200, upgrade: undefined, connection: "keep-alive" });
  });

  const text = "0123456789".repeat(30_000);
  const sized = `${H2C}\r\nContent-Length: ${text.length}`;
  const chunked = `${H2C}\r\nTransfer-Encoding: chunked`;
  const chunks = `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;

  it.each([
    ["sized", request("POST", "/items", sized, text)],
    ["chunked", request("POST", "/items", chunked, chunks)],
    ["empty", request("POST", "/items", `${H2C}\r\nContent-Length: 0`)],
  ])("keeps its body (%s), and what follows on the connection", async (kind, bytes) => {
    const tcp = await (await start()).open();
    const posted = { status: 200, method: "POST", url: "/items", body: kind === "empty" ? "" : text };
    // Pipelined, of both kinds, and then again once all is answered.
    for (let round = 0; round < 15; round++) {
      tcp.write(bytes + request("GET", "/health?plain", "X-Mark: 1") + bytes + request("GET", "/health?again", H2C));
      expect(read(await tcp.answer())).toEqual(posted);
      expect(read(await tcp.answer())).toMatchObject({ status: 200, url: "/health?plain", mark: "1" });
      expect(read(await tcp.answer())).toEqual(posted);
      expect(read(await tcp.answer())).toMatchObject({ status: 200, url: "/health?again" });
    }
  });

  it("arrives in any pieces", async () => {
    const tcp = await (await start()).open();
    for (const byte of Buffer.from(request("POST", "/items", `${H2C}\r\nContent-Length: 5`, "hello"))) {
      tcp.write(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(read(await tcp.answer())).toMatchObject({ status: 200, body: "hello" });
  });

  it("may go before its answer", async () => {
    const { http, open } = await start();
    const tcp = await open();
    const upgraded = once(http.httpServer, "upgrade");
    tcp.write(request("POST", "/items", `${H2C}\r\nContent-Length: 5`, "he"));
    await upgraded;
    await tcp.reset();
    const next = await open();
    next.write(request("GET", "/health", ""));
    expect((await next.answer()).status).toBe(200);
  });

  it("waits for the answer to the request before it", async () => {
    const { http, open } = await start();
    const slow = new Gate();
    http.registerRoute("GET", "/slow", async (_request, response) => {
      await slow.passed;
      response.setHeader("Content-Length", 4).end("slow");
    });
    const tcp = await open();
    const upgraded = once(http.httpServer, "upgrade");
    tcp.write(request("GET", "/slow", "") + request("GET", "/health", H2C));
    await upgraded;
    slow.open();
    expect(await tcp.answer()).toMatchObject({ status: 200, body: "slow" });
    expect(read(await tcp.answer())).toMatchObject({ status: 200, url: "/health" });
  });

  it("is no WebSocket on the path of a socket either, which answers 426", async () => {
    const tcp = await (await start()).open();
    tcp.write(request("GET", "/ws/chat", H2C));
    expect((await tcp.answer()).status).toBe(426);
  });

  it("gets 404 where there is no route", async () => {
    const tcp = await (await start()).open();
    tcp.write(request("GET", "/nowhere", H2C));
    const { status, body } = await tcp.answer();
    expect([status, JSON.parse(body).type]).toEqual([404, "ROUTE_NOT_FOUND"]);
  });

  it("is refused when Node has dropped some of its headers, which may be those of its body", async () => {
    const { http, open } = await start();
    http.httpServer.maxHeadersCount = 50;
    const tcp = await open();
    const fields = `${H2C}\r\n${"a: b\r\n".repeat(100)}Content-Length: 32`;
    tcp.write(request("POST", "/items", fields, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"));
    expect((await tcp.answer()).status).toBe(431);
    await tcp.closed;
  });
});

describe("an upgrade to another protocol beside other listeners", () => {
  async function beside(listen: (socket: Duplex) => void) {
    const clock = await onFakeClock();
    const { http } = await clock.start((http) => {
      reflecting(http);
      clock
        .webSocketSchema(clock.defineSocketContract("ChatApi", { clientToServer: {}, serverToClient: {} }))
        .path("ws/chat")
        .done()
        .register(() => {}, { http, unknownPaths: "leave" });
      http.httpServer.on("upgrade", (_request, socket) => listen(socket));
    });
    const upgraded = once(http.httpServer, "upgrade");
    const tcp = await RawTcp.open(http.port as number);
    tcp.write(request("POST", "/items", `${H2C}\r\nContent-Length: 5`, "hello"));
    await upgraded;
    return { tcp, pass: clock.pass };
  }

  it("is theirs when one of them claims it", async () => {
    const { tcp, pass } = await beside((socket) => socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    pass(10_000);
    expect((await tcp.rest()).toString()).toBe("HTTP/1.1 101 Switching Protocols\r\n\r\n");
  });

  const passers: Readonly<Record<string, (socket: Duplex) => void>> = {
    "leaves it alone": () => {},
    "would claim it, but only after its own work": (socket) => void setTimeout(() => socket.destroy(), 1_000),
    "waits for its end": (socket) => void socket.once("close", () => {}),
  };
  it.each(Object.entries(passers))("is a plain request at once beside one that %s", async (_, listen) => {
    // The clock stands still.
    const { tcp } = await beside(listen);
    expect(read(await tcp.answer())).toMatchObject({ status: 200, method: "POST", body: "hello" });
  });

  it.each(["data", "readable"])("is theirs when one of them listens for %s", async (event) => {
    const { tcp } = await beside((socket) => socket.on(event, () => socket.end("theirs")).unshift("x"));
    expect((await tcp.rest()).toString()).toBe("theirs");
  });
});

describe("a plain request to the path of a socket", () => {
  const get = async (http: GGHttpServer, path: string, fields = "X: y", method = "GET") => {
    const tcp = await RawTcp.open(http.port as number);
    tcp.write(request(method, path, `${fields}\r\nConnection: close`));
    return tcp.answer();
  };

  it("is answered with 426, the API's name, and what it takes", async () => {
    const { http } = await startHttp((http) => api("ws/chat").register(() => {}, { http }));
    const { status, headers, body } = await get(http, "/ws/chat?room=1");
    expect({ status, upgrade: headers.upgrade }).toEqual({ status: 426, upgrade: "websocket" });
    expect(headers.connection).toMatch(/\bUpgrade\b/);
    expect(headers["content-type"]).toMatch(/^text\/plain/);
    expect(body).toMatch(/ChatApi.*WebSocket/);
    expect(body).toMatch(/proxy.*headers/);
  });

  it.each(["Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"])(
    "is answered so too when a proxy has left only %j of an upgrade",
    async (fields) => {
      const { http } = await startHttp((http) => api("ws/chat").register(() => {}, { http }));
      expect((await get(http, "/ws/chat", fields)).status).toBe(426);
    },
  );

  it("keeps the connection for further requests", async () => {
    const { http } = await startHttp((http) => {
      reflecting(http);
      api("ws/chat").register(() => {}, { http });
    });
    const tcp = await RawTcp.open(http.port as number);
    tcp.write(request("GET", "/ws/chat", "X: y") + request("HEAD", "/health", "X: y"));
    expect([(await tcp.answer()).status, Number.parseInt(await firstLine(tcp), 10)]).toEqual([426, 200]);
  });

  const firstLine = async (tcp: RawTcp) => (await tcp.take("HTTP/1.1 200".length)).toString().split(" ")[1] as string;

  it("is answered with 404 on other methods and similar paths", async () => {
    const { http } = await startHttp((http) => api("ws/chat").register(() => {}, { http }));
    expect((await get(http, "/ws/chat", "X: y", "POST")).status).toBe(404);
    expect((await get(http, "/ws/chat/")).status).toBe(404);
    expect((await get(http, "/ws/chatter")).status).toBe(404);
  });

  it.each(["before", "after"] as const)("goes to the app's own route that was registered %s the API", async (when) => {
    const { http, url } = await startHttp((http) => {
      const page = () => http.registerRoute("GET", "/ws/chat", (_request, response) => void response.end("page"));
      if (when === "before") page();
      api("ws/chat").register(() => {}, { http });
      if (when === "after") page();
    });
    expect((await get(http, "/ws/chat")).status).toBe(200);
    await RawPeer.connect(`${url}/ws/chat`);
  });

  it.each(["ws/:room", "ws/*", "ws/:a(b)", "ws/::b", "ws/(c", "ws/a:", "*"])(
    "serves an API on %j, and answers no other path",
    async (path) => {
      const { http, url } = await startHttp((http) => api(path).register(() => {}, { http }));
      await RawPeer.connect(`${url}/${path}`);
      expect((await get(http, "/ws/lobby")).status).toBe(404);
    },
  );

  it("is answered with 426 when the API was registered on a server that listens", async () => {
    const { http } = await startHttp(() => {});
    api("ws/late").register(() => {}, { http });
    expect((await get(http, "/ws/late")).status).toBe(426);
  });

  it("is answered with 404 once the API is gone, and for the next one when the path is taken again", async () => {
    const { http } = await startHttp(() => {});
    const server = api("ws/chat", "First").startServer(() => {}, { http });
    expect((await get(http, "/ws/chat")).body).toContain("First");
    await server.teardown();
    expect((await get(http, "/ws/chat")).status).toBe(404);
    api("ws/chat", "Second").register(() => {}, { http });
    expect((await get(http, "/ws/chat")).body).toContain("Second");
  });
});
