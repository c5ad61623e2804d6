import { once } from "node:events";
import { connect } from "node:net";
import { GG_DISCOVERY, GGLocalDiscovery } from "@grest-ts/discovery";
import { GGHttp, GGHttpServer, GGRpc, httpSchema } from "@grest-ts/http";
import { GGLocatorScope } from "@grest-ts/locator";
import { GGContractClass, IsString } from "@grest-ts/schema";
import { defineSocketContract, GG_WS_CONNECTION, webSocketSchema } from "@grest-ts/websocket";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { ChatApi } from "../support/chatApi.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { serveApi, startHttp } from "../support/server.js";
import { closeOf } from "../support/tcp.js";

const api = (name: string, path = `ws/${name}`) =>
  webSocketSchema(defineSocketContract(name, { clientToServer: { name: { success: IsString } }, serverToClient: {} }))
    .path(path)
    .done();

/** A connection handler whose `name` answers with this. */
const naming =
  (name: string) =>
  (incoming: { on(handlers: { name: () => string }): void }): void =>
    incoming.on({ name: () => name });

async function ask(url: string, api: string): Promise<string | undefined> {
  const peer = await RawPeer.connect(url);
  peer.send(`r:${api}.name:1:`);
  return /"data":"(.*)"/.exec(await peer.next())?.[1];
}

/** All that a server sends in reply to an upgrade request of these lines, until it closes the socket. */
async function rawUpgrade(port: number, path: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await closeOf(socket);
  return text;
}

describe("register and startServer", () => {
  it("serve the README's program: one API beside an HTTP API on the same server", async () => {
    const methods = { hello: { success: IsString } };
    const Web = httpSchema(new GGContractClass("Web", methods))
      .pathPrefix("api")
      .routes({ hello: GGRpc.GET("hello") });
    const { http, url } = await startHttp((http) => {
      new GGHttp(http).http(Web, { hello: async () => "over http" });
      ChatApi.register(
        (incoming) =>
          incoming.on({
            sendMessage: async ({ text }) => ({ success: true, messageId: text }),
            markAsRead: async () => {},
            ping: async () => {},
          }),
        { http },
      );
    });
    const peer = await RawPeer.connect(`${url}/ws/chat`);
    peer.send('r:ChatApi.sendMessage:1:{"text":"hi","channelId":"c"}');
    expect(await peer.next()).toContain('"data":{"success":true,"messageId":"hi"}');
    expect(await Web.createClient({ url: `http://127.0.0.1:${http.port}` }).hello()).toBe("over http");
  });

  it("return nothing (register) and the socket server (startServer)", async () => {
    let registered: unknown = "untouched";
    const Listed = api("Listed");
    const closed = new Queue<void>();
    let server!: ReturnType<typeof Listed.startServer>;
    const { url } = await startHttp((http) => {
      registered = api("Plain").register(naming("p"), { http });
      server = Listed.startServer((_incoming, outgoing) => outgoing.onClose(() => closed.push()), { http });
    });
    expect(registered).toBeUndefined();
    expect(server).toMatchObject({ apiName: "Listed", path: "/ws/Listed", connectionCount: 0 });
    const peer = await RawPeer.connect(`${url}/ws/Listed`);
    await RawPeer.connect(`${url}/ws/Listed`);
    await RawPeer.connect(`${url}/ws/Plain`);
    expect(server.connectionCount).toBe(2);
    peer.ws.close();
    await closed.next();
    expect(server.connectionCount).toBe(1);
  });

  it.each(["register", "startServer"] as const)(
    "%s takes the app's GGHttpServer when none is given",
    async (method) => {
      const { url } = await startHttp(() => void api("Default")[method](naming("found")));
      expect(await ask(`${url}/ws/Default`, "Default")).toBe("found");
    },
  );

  it.each(["register", "startServer"] as const)("%s says what is missing when there is no server at all", (method) => {
    const register = () => api("Lost")[method](naming("x"));
    expect(() => new GGLocatorScope("empty").run(register)).toThrow(/Lost: .*no HTTP server.*GGHttpServer.*\{http\}/);
  });

  it("treats a path the same with and without its leading slash, and matches nothing else", async () => {
    const { url } = await startHttp((http) => {
      api("Bare", "ws/bare").register(naming("bare"), { http });
      api("Slash", "/ws/slash").register(naming("slash"), { http });
    });
    expect([await ask(`${url}/ws/bare`, "Bare"), await ask(`${url}/ws/slash?x=/ws/bare`, "Slash")]).toEqual([
      "bare",
      "slash",
    ]);
    for (const path of ["/ws/bare/", "/ws/bare/more", "/WS/bare", "/ws", "//ws/bare", "/ws/%62are"]) {
      await expect(RawPeer.open(`${url}${path}`)).rejects.toThrow("404");
    }
  });
});

describe("several APIs on one server", () => {
  it("are each served on their own path, by their own handler", async () => {
    const names = ["Chat", "Notification", "Presence"];
    const { url } = await startHttp((http) => {
      for (const name of names) api(name).register(naming(`I am ${name}`), { http });
    });
    for (const name of names) expect(await ask(`${url}/ws/${name}`, name)).toBe(`I am ${name}`);
    const peer = await RawPeer.connect(`${url}/ws/Chat`);
    peer.send("r:Presence.name:1:");
    expect(await peer.next()).toContain("ROUTE_NOT_FOUND");
  });

  it("may not share a path: the error names both, and the first goes on serving", async () => {
    const { url } = await startHttp((http) => {
      api("First", "ws/same").register(naming("first"), { http });
      for (const path of ["ws/same", "/ws/same"]) {
        const again = () => api("Second", path).register(naming("second"), { http });
        expect(again).toThrow(/"\/ws\/same".*already registered.*Second and First/);
      }
      const twice = () => api("First", "ws/same").register(naming("first again"), { http });
      expect(twice).toThrow(/"\/ws\/same".*already registered.*First is registered twice/);
      expect(http.registeredWebSocketSchemas.map((schema) => schema.name)).toEqual(["First"]);
    });
    expect(await ask(`${url}/ws/same`, "First")).toBe("first");
  });

  it("may share a path on different servers, also as one schema", async () => {
    const Twice = api("Twice");
    const one = await serveApi(Twice, naming("one"));
    const two = await serveApi(Twice, naming("two"));
    expect([await ask(one.url, "Twice"), await ask(two.url, "Twice")]).toEqual(["one", "two"]);
  });
});

describe("an upgrade to an unknown path", () => {
  it.each(["/nowhere", "/", "/ws/known/", "/__proto__", "/constructor?x=1", "/ws/knownx"])(
    "%s gets HTTP 404, not a hang",
    async (path) => {
      const { http } = await serveApi(api("Known", "ws/known"), naming("x"));
      expect(await rawUpgrade(http.port as number, path)).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
    },
  );

  it("gets 404 when its socket is reset at once too, and the server goes on", async () => {
    const { http, url } = await serveApi(api("Known"), naming("alive"));
    const upgraded = once(http.httpServer, "upgrade");
    const socket = connect(http.port as number, "127.0.0.1");
    socket.write("GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    await upgraded;
    socket.resetAndDestroy();
    expect(await ask(url, "Known")).toBe("alive");
  });

  it("goes to other libraries' listeners with unknownPaths: 'leave'", async () => {
    const { http, url } = await startHttp((http) => {
      api("Mine").register(naming("mine"), { http });
      api("Leaves").register(naming("leaves"), { http, unknownPaths: "leave" });
      const others = new WebSocketServer({ noServer: true });
      http.httpServer.on("upgrade", (request, socket, head) => {
        if (request.url === "/other") {
          others.handleUpgrade(request, socket, head, (ws) => ws.on("message", (data) => ws.send(`echo ${data}`)));
        } else if (request.url === "/nowhere") socket.end("HTTP/1.1 418 I'm a teapot\r\n\r\n");
      });
    });
    const peer = await RawPeer.open(`${url}/other`);
    peer.send("hi");
    expect(await peer.next()).toBe("echo hi");
    expect(await rawUpgrade(http.port as number, "/nowhere")).toBe("HTTP/1.1 418 I'm a teapot\r\n\r\n");
    expect(await ask(`${url}/ws/Mine`, "Mine")).toBe("mine");
    expect(await ask(`${url}/ws/Leaves`, "Leaves")).toBe("leaves");
  });

  it("adds one upgrade listener to a server, however many APIs it has", async () => {
    await startHttp((http) => {
      for (const name of ["A", "B", "C"]) api(name).register(naming(name), { http });
      expect(http.httpServer.listenerCount("upgrade")).toBe(1);
    });
  });
});

describe("a start that is refused", () => {
  it("stops listening, and says which port is taken", async () => {
    const { http: first } = await serveApi(api("A"), naming("a"));
    const second = new GGHttpServer({ port: first.port as number });
    onTestFinished(() => second.teardown());
    api("B").register(naming("b"), { http: second });
    await expect(second.start()).rejects.toThrow(`port ${first.port} is already in use`);
    expect(second.httpServer.listening).toBe(false);
  });
});

describe("discovery", () => {
  let discovery: GGLocalDiscovery;
  beforeEach(() => {
    discovery = new GGLocalDiscovery();
    GG_DISCOVERY.set(discovery);
  });

  it("learns of every API when the server listens, with its real port and path", async () => {
    const routes: unknown[] = [];
    discovery.registerRoutes = (added) => void routes.push(...added);
    const { http } = await startHttp((http) => {
      api("Found", "ws/found").register(naming("f"), { http });
      api("AlsoFound").register(naming("g"), { http });
      expect(routes).toEqual([]);
    });
    expect(routes).toEqual([
      expect.objectContaining({ api: "Found", protocol: "ws", port: http.port, pathPrefix: "/ws/found" }),
      expect.objectContaining({ api: "AlsoFound", protocol: "ws", port: http.port, pathPrefix: "/ws/AlsoFound" }),
    ]);
  });

  it("gives the address of the API to a client without a url", async () => {
    const Found = api("Found");
    await serveApi(Found, naming("found"));
    const client = Found.createClient();
    await client.connect();
    expect(await client.outgoing.name()).toBe("found");
    client.close();
  });

  it("is not needed: a server starts without it", async () => {
    const { url } = await startHttp((http) =>
      new GGLocatorScope("empty").run(() => api("Alone").register(naming("alone"), { http })),
    );
    expect(await ask(`${url}/ws/Alone`, "Alone")).toBe("alone");
  });
});

it("GG_WS_CONNECTION holds the listening port and the path, in the connection and its messages", async () => {
  const seen: unknown[] = [];
  const { http, url } = await serveApi(api("Where", "ws/where"), (incoming) => {
    seen.push(GG_WS_CONNECTION.get());
    incoming.on({
      name: () => {
        seen.push(GG_WS_CONNECTION.get());
        return "";
      },
    });
  });
  await ask(`${url}?room=1`, "Where");
  expect(seen).toEqual(Array(2).fill({ port: http.port, path: "/ws/where" }));
  expect(GG_WS_CONNECTION.get()).toBeUndefined();
});
