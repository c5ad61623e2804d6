import { once } from "node:events";
import { Agent } from "node:http";
import { createServer } from "node:https";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import type { TlsOptions } from "node:tls";
import { type ConnectOptions, failureOf, GGSocketPool } from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { type Certificates, makeCertificates } from "../support/certificates.js";
import { displayed, ProbeApi } from "../support/probe.js";
import { RawServer } from "../support/rawPeer.js";
import { serveApi } from "../support/server.js";

/** What the server sees of a client with these options. */
async function requestOf(connectOptions: ConnectOptions) {
  let seen: { readonly headers: Readonly<Record<string, unknown>>; readonly address: unknown } | undefined;
  const { base } = await serveApi(ProbeApi, () => {}, {
    middlewares: [
      {
        parseHandshake({ request }) {
          seen = request && { headers: request.headers, address: request.address };
        },
      },
    ],
  });
  const client = ProbeApi.createClient({ url: base, connectOptions });
  await client.connect();
  await client.disconnect();
  return seen;
}

async function sentenceFor(connectOptions: unknown, url = "ws://127.0.0.1:1") {
  const error = await ProbeApi.createClient({ url, connectOptions: connectOptions as ConnectOptions })
    .connect()
    .catch((thrown: unknown) => thrown);
  return { text: displayed(error), reason: failureOf(error)?.reason };
}

describe("connectOptions", () => {
  it("adds headers and the origin to the upgrade request", async () => {
    const seen = await requestOf({
      headers: { "X-Gateway": "k", Authorization: "Bearer t", Host: "api.example" },
      origin: "https://app.example",
    });
    expect(seen?.headers).toMatchObject({
      "x-gateway": "k",
      authorization: "Bearer t",
      host: "api.example",
      origin: "https://app.example",
      upgrade: "websocket",
    });
  });

  it("connects from a local address and by an IP version", async () => {
    expect(await requestOf({ localAddress: "127.0.0.9", family: 4 })).toMatchObject({ address: "127.0.0.9" });
    const { text } = await sentenceFor({ family: 6 }, "ws://127.0.0.1:1");
    expect(text).toMatch(/127\.0\.0\.1/);
  });

  it("connects by an agent", async () => {
    const server = await RawServer.start();
    const { port } = new URL(server.url);
    let connections = 0;
    class Tunnel extends Agent {
      override createConnection() {
        connections++;
        return connect(Number(port), "127.0.0.1");
      }
    }
    const agent = new Tunnel({ keepAlive: true });
    const client = ProbeApi.createClient({ url: "ws://only.the.tunnel.example", connectOptions: { agent } });
    onTestFinished(() => client.close());
    const accepted = server.accept();
    await client.connect();
    await accepted;
    expect(connections).toBe(1);
  });

  it("may be fresh for each attempt", async () => {
    const tokens: unknown[] = [];
    const { base } = await serveApi(ProbeApi, () => {}, {
      middlewares: [{ parseHandshake: ({ request }) => void tokens.push(request?.headers["x-token"]) }],
    });
    const client = ProbeApi.createClient({
      url: base,
      connectOptions: { headers: { "X-Token": "stale" } },
      beforeConnect: () => ({ connectOptions: { headers: { "X-Token": `fresh ${tokens.length}` } } }),
    });
    for (let i = 0; i < 2; i++) {
      await client.connect();
      await client.disconnect();
    }
    expect(tokens).toEqual(["fresh 0", "fresh 1"]);
  });

  it.each([
    ["perMessageDeflate", true],
    ["maxPayload", 1],
    ["followRedirects", true],
    ["createConnection", () => {}],
    ["finishRequest", () => {}],
    ["skipUTF8Validation", true],
    ["handshakeTimeout", 1],
    ["protocolVersion", 8],
    ["socketPath", "/run/x.sock"],
    ["method", "POST"],
    ["Headers", {}],
    ["__proto__x", {}],
  ])("refuses what is none: %s", async (name, value) => {
    const { text, reason } = await sentenceFor({ [name]: value });
    expect(text).toContain(`connectOptions: "${name}" is none of headers, origin, agent, `);
    expect(reason).toBe("invalid-input");
  });

  it.each(["Connection", "upgrade", "Sec-WebSocket-Extensions", "sec-websocket-protocol", "SEC-WEBSOCKET-KEY"])(
    "refuses the header %s",
    async (name) => {
      const { text, reason } = await sentenceFor({ headers: { [name]: "permessage-deflate" } });
      expect(text).toContain(`connectOptions: the header "${name}" belongs to the upgrade`);
      expect(reason).toBe("invalid-input");
    },
  );

  it("refuses a header that has no form, and shows no value of it", async () => {
    for (const headers of [{ Authorization: "secret\r\nX: y" }, { Authorization: "secret\u{1f600}" }]) {
      const { text, reason } = await sentenceFor({ headers });
      expect(text).toMatch(/Invalid character in header content \["Authorization"\]/);
      expect(text).not.toContain("secret");
      expect(reason).toBe("invalid-input");
    }
  });

  it("is part of whose connection it is in a pool", async () => {
    const tokens: unknown[] = [];
    const { base } = await serveApi(ProbeApi, () => {}, {
      middlewares: [{ parseHandshake: ({ request }) => void tokens.push(request?.headers["x-token"]) }],
    });
    const at = { domain: new URL(base), path: "ws/probe" };
    const [ann, bob] = ["ann", "bob"].map((token) => ({ headers: { "X-Token": token } }));
    const sockets = [
      await GGSocketPool.getOrConnect({ ...at, connectOptions: ann }),
      await GGSocketPool.getOrConnect({ ...at, connectOptions: bob }),
      await GGSocketPool.getOrConnect(at),
      await GGSocketPool.getOrConnect({ ...at, connectOptions: ann }),
    ];
    onTestFinished(() => GGSocketPool.closeAll(false));
    expect(tokens).toEqual(["ann", "bob", undefined]);
    expect(sockets[3]).toBe(sockets[0]);
    expect(GGSocketPool.getConnectionKeys().join()).not.toMatch(/ann|bob/);
  });

  it("keeps the limit of messages, and offers no compression", async () => {
    const server = await RawServer.start();
    const client = ProbeApi.createClient({ url: server.url, connectOptions: { headers: { "X-A": "b" } } });
    onTestFinished(() => client.close());
    const accepted = server.accept();
    await client.connect();
    const peer = await accepted;
    expect(peer.ws.extensions).toBe("");
    peer.send("x".repeat(16 * 1024 * 1024 + 1));
    expect((await peer.closed).code).toBe(1009);
  });
});

const certificates = makeCertificates();

describe.skipIf(!certificates)("TLS", () => {
  const { ca, server, expired, other, client } = (certificates ?? {}) as Certificates;

  /** A server with TLS that accepts every handshake. */
  async function serveTls(options: TlsOptions): Promise<string> {
    const https = createServer(options);
    const webSockets = new WebSocketServer({ server: https });
    webSockets.on("connection", (ws) => ws.on("message", () => ws.send("k:::null")));
    https.on("tlsClientError", () => {});
    https.listen(0, "127.0.0.1");
    await once(https, "listening");
    onTestFinished(() => {
      for (const ws of webSockets.clients) ws.terminate();
      https.close();
      https.closeAllConnections();
    });
    return `wss://localhost:${(https.address() as AddressInfo).port}`;
  }

  /** "connected", or the sentence after the address. */
  async function outcome(url: string, connectOptions: ConnectOptions = {}): Promise<string> {
    const api = ProbeApi.createClient({ url, connectOptions: { family: 4, ...connectOptions } });
    onTestFinished(() => api.close());
    const error = await api.connect().then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error) expect(failureOf(error)?.reason).toBe("unreachable");
    return error ? displayed(error).replace(/^.*\/ws\/probe: /, "") : "connected";
  }

  it("trusts the authority that it is given, and only that", async () => {
    const url = await serveTls(server);
    expect(await outcome(url, { ca })).toBe("connected");
    expect(await outcome(url, { ca: [Buffer.from(ca)] })).toBe("connected");
    expect(await outcome(url)).toMatch(
      /^the certificate is of an authority that is not trusted; connectOptions.ca names one \(.+\)$/,
    );
    expect(await outcome(url, { ca: client.cert })).toMatch(/not trusted/);
    expect(await outcome(url, { rejectUnauthorized: false })).toBe("connected");
  });

  it("trusts no certificate that has expired, is for another host, or signed by itself", async () => {
    expect(await outcome(await serveTls(expired), { ca })).toMatch(/^the certificate has expired \(.+\)$/);
    const url = await serveTls(other);
    expect(await outcome(url, { ca })).toMatch(
      /^the certificate is for another host \(.*localhost.*other\.example.*\)$/,
    );
    expect(await outcome(url, { ca, servername: "other.example" })).toBe("connected");
  });

  it("shows a certificate of its own", async () => {
    const url = await serveTls({ ...server, ca, requestCert: true, rejectUnauthorized: true });
    expect(await outcome(url, { ca, ...client })).toBe("connected");
    expect(await outcome(url, { ca })).toMatch(/^(TLS failed|the connection was closed without an answer) \(.+\)$/);
  });

  it("names what answers without TLS", async () => {
    const plain = await RawServer.start();
    expect(await outcome(plain.url.replace("ws:", "wss:"))).toBe(
      "what answers does not speak TLS; ws:// is without (wrong version number)",
    );
    const ssh = createTcpServer((socket) => socket.on("error", () => {}).write("SSH-2.0-x\r\n"));
    ssh.listen(0, "127.0.0.1");
    await once(ssh, "listening");
    onTestFinished(() => void ssh.close());
    expect(await outcome(`wss://127.0.0.1:${(ssh.address() as AddressInfo).port}`)).toMatch(/does not speak TLS/);
  });

  it("names what answers with TLS only", async () => {
    const url = await serveTls(server);
    expect(await outcome(url.replace("wss:", "ws:"))).toMatch(/wss:\/\//);
  });
});
