import { GG_WS_CONNECTION, GGSocketPool, GGSocketServer, webSocketSchema } from "@grest-ts/websocket";
import { WebSocket as Undici } from "undici";
import { describe, expect, it, onTestFinished } from "vitest";
import { socketUrl } from "../../src/client/url.js";
import { webSocketSchema as inPages } from "../../src/index.browser.js";
import { displayed, ProbeApi, probeContract } from "../support/probe.js";
import { RawServer } from "../support/rawPeer.js";
import { RawTcp } from "../support/rawTcp.js";
import { upgradeRequest } from "../support/rawWebSocket.js";
import { serveApi, startHttp } from "../support/server.js";

/** What follows the host in a `url`, and what is requested with the argument `room=a`. */
const BASES: readonly (readonly [base: string, requested: string])[] = [
  ["", "/ws/probe?room=a"],
  ["/", "/ws/probe?room=a"],
  ["//", "/ws/probe?room=a"],
  ["?", "/ws/probe?room=a"],
  ["#frag", "/ws/probe?room=a"],
  ["/#frag?not=query", "/ws/probe?room=a"],
  ["?x=1", "/ws/probe?x=1&room=a"],
  ["/?x=1", "/ws/probe?x=1&room=a"],
  ["/prefix", "/prefix/ws/probe?room=a"],
  ["/prefix/", "/prefix/ws/probe?room=a"],
  ["/prefix//", "/prefix/ws/probe?room=a"],
  ["/prefix?tenant=1", "/prefix/ws/probe?tenant=1&room=a"],
  ["/a/b/?tenant=1&tag=x&tag=y#frag", "/a/b/ws/probe?tenant=1&tag=x&tag=y&room=a"],
  ["?room=old&room=older&x=%26", "/ws/probe?x=%26&room=a"],
  ["/%2e%2f/č", "/%2e%2f/%C4%8D/ws/probe?room=a"],
];

describe("the url of a client", () => {
  const Api = webSocketSchema(probeContract).path("ws/probe").queryOnConnect<{ room: string }>().done();

  it.each(BASES)("keeps its path and query: %j requests %s", async (base, requested) => {
    const server = await RawServer.start();
    for (const scheme of ["ws://", "http://", "WS://", "Http://"]) {
      const url = server.url.replace("ws://", scheme) + base;
      const client = Api.createClient({ url, query: { room: "a" } });
      onTestFinished(() => client.close());
      const accepted = server.accept();
      await client.connect();
      expect((await accepted).requestUrl).toBe(requested);
    }
    const accepted = server.accept();
    const socket = await GGSocketPool.connect({ domain: server.url + base, path: "/ws/probe", query: { room: "a" } });
    expect((await accepted).requestUrl).toBe(requested);
    socket.close();
  });

  it("may be a URL object", async () => {
    const server = await RawServer.start();
    const client = Api.createClient({ url: new URL(`${server.url}/prefix?x=1`), query: { room: "a" } });
    onTestFinished(() => client.close());
    const accepted = server.accept();
    await client.connect();
    expect((await accepted).requestUrl).toBe("/prefix/ws/probe?x=1&room=a");
  });

  it.each([
    ["https://[::1]:8443/p", "wss://[::1]:8443/p/x"],
    ["HTTPS://Host:1", "wss://Host:1/x"],
    ["wss://ann:s%2Fe@host/p?t=1", "wss://ann:s%2Fe@host/p/x?t=1"],
    ["ws://host", "ws://host/x"],
  ])("%s becomes %s", (base, url) => {
    expect(socketUrl(base, "x", {})).toBe(url);
    expect(socketUrl(base, "/x", {})).toBe(url);
  });

  it("may name a user, whom the server gets by Basic authentication", async () => {
    let authorization: unknown;
    const { base } = await serveApi(ProbeApi, () => {}, {
      middlewares: [
        {
          parseHandshake({ request }) {
            authorization = request?.headers.authorization;
          },
        },
      ],
    });
    const client = ProbeApi.createClient({ url: base.replace("://", "://ann:s%20e@") });
    await client.connect();
    await client.disconnect();
    expect(authorization).toBe(`Basic ${Buffer.from("ann:s e").toString("base64")}`);
  });

  it.each(["host:1", "/prefix", "ftp://host", "ws:///x", "ws://?x=1", "ws:host", "ws://#x"])(
    "is refused with a sentence when it is none: %s",
    async (url) => {
      const error = await ProbeApi.createClient({ url })
        .connect()
        .catch((thrown: unknown) => thrown);
      expect(displayed(error)).toMatch(/is not a ws\(s\):\/\/ or http\(s\):\/\/ URL/);
    },
  );

  it("shows no secret in that sentence", async () => {
    for (const url of ["ftp://ann:secret@host/#secret", "ftp://host?token=secret", "ann:secret@host#secret"]) {
      const error = await ProbeApi.createClient({ url })
        .connect()
        .catch((thrown: unknown) => thrown);
      expect(displayed(error)).not.toContain("secret");
    }
  });
});

const PATHS = [
  "ws/čaj",
  "ws/{room}",
  'ws/"q"',
  "ws/it's",
  "ws/a%2fb",
  "ws/a%20b",
  "ws/a%zz",
  "ws/^",
  "ws/a|b",
  "ws/<b>",
  "ws/`",
  "ws/[x]",
  "ws/😀",
  "ws//double",
  "ws/slash/",
  "ws/.hidden/...",
  "/ws/a;b,c=d&e@f:g!$*()~",
];

describe("a path", () => {
  it.each(PATHS)("that is served is found: %s", async (path) => {
    const Api = webSocketSchema(probeContract).path(path).done();
    expect(Api.path).toBe(path);
    const paths: unknown[] = [];
    const { base, server } = await serveApi(Api, () => void paths.push(GG_WS_CONNECTION.get()?.path));
    expect(server.path).toBe(`/${path.replace(/^\//, "")}`);
    for (const webSocket of [undefined, Undici]) {
      const client = Api.createClient({ url: base, webSocket });
      await client.connect();
      await client.disconnect();
    }
    expect(paths).toEqual([server.path, server.path]);
  });

  it.each([
    "",
    "a b",
    "a\tb",
    "ws?x",
    "ws#x",
    "..",
    "ws/../x",
    "./ws",
    "ws/.",
    "ws/%2e%2E/x",
    "ws/.%2e",
    "ws\\x",
    "ws/\0",
    "ws/\x7f",
    "ws/\ud800",
  ])("is refused at its definition when no client can ask for it: %j", (path) => {
    expect(() => webSocketSchema(probeContract).path(path)).toThrow(/^Probe: .* is no path: /);
  });

  it("is taken in each of its spellings", async () => {
    await serveApi(webSocketSchema(probeContract).path("ws/čaj").done(), () => {}).then(({ http }) => {
      const Same = webSocketSchema(probeContract).path("/ws/%C4%8Daj").done();
      expect(() => Same.register(() => {}, { http })).toThrow(/already registered/);
    });
  });

  it("is explained to a plain request in the spelling that it is sent in", async () => {
    const { url } = await serveApi(webSocketSchema(probeContract).path("ws/čaj").done(), () => {});
    expect((await fetch(url.replace("ws:", "http:"))).status).toBe(426);
  });

  it("of a socket without a contract has the same rules", async () => {
    await startHttp((server) => {
      expect(() => new GGSocketServer(server, { apiName: "Raw", path: "/ws/../x" })).toThrow(/^Raw: .* is no path: /);
    });
  });

  it("that a page's production build has not, fails when its client is made", () => {
    const Api = inPages(probeContract).done();
    expect(() => Api.createClient({ url: "ws://host" })).toThrow("Probe: no path");
  });

  it("is compared as it is sent: nothing is resolved or decoded", async () => {
    const { http } = await serveApi(webSocketSchema(probeContract).path("ws/a/b").done(), () => {});
    for (const sent of ["/ws/a/../a/b", "/ws/./a/b", "/ws/a%2fb", "/ws/%61/b", "/ws/a/b/", "//ws/a/b", "/ws\\a\\b"]) {
      const tcp = await RawTcp.open(http.port as number);
      tcp.write(upgradeRequest(sent));
      expect((await tcp.answer()).status).toBe(404);
    }
  });
});
