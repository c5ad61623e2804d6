import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { IsString } from "@grest-ts/schema";
import {
  defineSocketContract,
  GGWebSocketMetrics,
  type WebSocketSchemaConfig,
  webSocketSchema,
} from "@grest-ts/websocket";
import { beforeEach, describe, expect, it } from "vitest";
import { watchTheProcess } from "../../hostile/watch.js";
import { Gate } from "../../support/gate.js";
import { RawPeer } from "../../support/rawPeer.js";
import { serveApi, startHttp } from "../../support/server.js";
import { closeOf } from "../../support/tcp.js";
import { upgrade } from "../../support/upgrade.js";

const Api = webSocketSchema(
  defineSocketContract("Adm", { clientToServer: { echo: { input: IsString, success: IsString } }, serverToClient: {} }),
)
  .path("ws/adm")
  .done();

async function start(config: WebSocketSchemaConfig) {
  const { url, server, http, logger } = await serveApi(
    Api,
    (incoming) => incoming.on({ echo: (text) => text }),
    config,
  );
  return { url, server, http, logger };
}

const refused = (result: string) => GGWebSocketMetrics.connections.getValue({ api: "Adm", path: "/ws/adm", result });

watchTheProcess();
beforeEach(() => GG_METRICS.overwrite(new GGMetricsStore()));

describe("limits before the upgrade", () => {
  it("maxConnections: the last one that fits is served, the next gets 503 until one has gone", async () => {
    const { url, server, logger } = await start({ limits: { maxConnections: 2 } });
    const [first, second] = [await RawPeer.connect(url), await RawPeer.connect(url)];
    const answer = await upgrade(url);
    expect(answer).toMatchObject({ status: 503, body: "There are too many connections\n" });
    expect(answer.headers["retry-after"]).toBe("1");
    expect(refused("TOO_MANY_CONNECTIONS")).toBe(1);
    expect(logger.entries).toMatchObject([{ level: "warn", fields: { result: "TOO_MANY_CONNECTIONS" } }]);

    await first.close();
    const third = await RawPeer.connect(url);
    third.send('r:Adm.echo:1:"x"');
    expect(await third.next()).toBe('s:Adm.echo:1:{"success":true,"type":"OK","data":"x"}');
    expect(server.connectionCount).toBe(2);
    await second.close();
  });

  it("maxConnections: those in their handshake count too", async () => {
    const { url } = await start({ limits: { maxConnections: 1 } });
    const silent = await RawPeer.open(url);
    expect(await upgrade(url)).toMatchObject({ status: 503, body: "There are too many connections\n" });
    await silent.close();
    await RawPeer.connect(url);
  });

  it("maxHandshakes: counts only connections that have not sent their handshake", async () => {
    const { url } = await start({ limits: { maxHandshakes: 1 } });
    await RawPeer.connect(url);
    const silent = await RawPeer.open(url);
    expect(await upgrade(url)).toMatchObject({ status: 503, body: "Too many connections are being made\n" });
    expect(refused("TOO_MANY_HANDSHAKES")).toBe(1);
    silent.send("h:::{}");
    expect(await silent.next()).toBe("k:::null");
    await RawPeer.connect(url);
  });

  it("maxConnectionsPerAddress: by the peer's own address, or by what addressOf says", async () => {
    const { url } = await start({
      limits: { maxConnectionsPerAddress: 1 },
      addressOf: ({ headers, socket }) => headers["x-forwarded-for"]?.toString() ?? socket.remoteAddress,
    });
    const first = await RawPeer.connect(url);
    expect(await upgrade(url)).toMatchObject({ status: 429, body: "Too many connections\n" });
    expect(refused("TOO_MANY_CONNECTIONS_PER_ADDRESS")).toBe(1);
    expect(await upgrade(url, { "X-Forwarded-For": "192.0.2.7" })).toMatchObject({ status: 101 });
    await first.close();
    await RawPeer.connect(url);
  });

  it.each<[string, NonNullable<WebSocketSchemaConfig["addressOf"]>, boolean]>([
    ["finds nothing", ({ headers }) => headers["x-forwarded-for"]?.toString(), false],
    // As written behind a proxy that always sends the header.
    ["throws", ({ headers }) => (headers["x-forwarded-for"] as string).split(",")[0], true],
  ])("falls back to the TCP peer's address when addressOf %s", async (_, addressOf, fails) => {
    const { url, logger } = await start({ limits: { maxConnectionsPerAddress: 1 }, addressOf });
    await RawPeer.connect(url);
    expect(await upgrade(url)).toMatchObject({ status: 429 });
    expect(await upgrade(url, { "X-Forwarded-For": "192.0.2.7" })).toMatchObject({ status: 101 });
    const failures = logger.entries.filter(({ message }) => message === "Adm: addressOf failed");
    expect(failures.length > 0).toBe(fails);
    for (const { fields } of failures) expect(fields.error).toBeInstanceOf(TypeError);
  });

  it("maxPayloadBytes: each API has its own; a larger message closes with 1009", async () => {
    const other = webSocketSchema(
      defineSocketContract("Big", {
        clientToServer: { echo: { input: IsString, success: IsString } },
        serverToClient: {},
      }),
    )
      .path("ws/big")
      .done();
    const { url } = await startHttp((http) => {
      Api.register((incoming) => incoming.on({ echo: (text) => text }), { http, limits: { maxPayloadBytes: 1_000 } });
      other.register((incoming) => incoming.on({ echo: (text) => text }), { http });
    });
    const text = "x".repeat(2_000);
    const small = await RawPeer.connect(`${url}/ws/adm`);
    small.send(`r:Adm.echo:1:"${text}"`);
    expect(await small.closed).toMatchObject({ code: 1009 });
    const big = await RawPeer.connect(`${url}/ws/big`);
    big.send(`r:Big.echo:1:"${text}"`);
    expect(await big.next()).toContain(text);
  });

  it("logs at most ten refusals of one kind a second", async () => {
    const { url, logger } = await start({ limits: { maxConnections: 1 } });
    await RawPeer.connect(url);
    for (let i = 0; i < 20; i++) expect((await upgrade(url)).status).toBe(503);
    expect(refused("TOO_MANY_CONNECTIONS")).toBe(20);
    expect(logger.entries.length).toBeLessThan(20);
  });

  it("answers 503 while the API is torn down, and 404 when it is gone", async () => {
    const gate = new Gate();
    const working = new Gate();
    const { url, server } = await serveApi(Api, (incoming) =>
      incoming.on({
        async echo(text) {
          working.open();
          await gate.passed;
          return text;
        },
      }),
    );
    const peer = await RawPeer.connect(url);
    peer.send('r:Adm.echo:1:"x"');
    await working.passed;
    const torndown = server.teardown();
    expect(await upgrade(url)).toMatchObject({ status: 503, body: "The server is shutting down\n" });
    expect(refused("SHUTTING_DOWN")).toBe(1);
    gate.open();
    expect(await peer.next()).toContain('"data":"x"');
    await torndown;
    expect(await upgrade(url)).toMatchObject({ status: 404 });
  });

  it.each([
    [{ maxDepth: 0 }, "limits.maxDepth must be a number of 1 or more, not 0"],
    [{ maxConnections: Number.NaN }, "limits.maxConnections must be a number of 1 or more, not NaN"],
    [{ maxHandshakes: -1 }, "limits.maxHandshakes must be a number of 1 or more, not -1"],
    [{ maxPayloadBytes: "1" as unknown as number }, "limits.maxPayloadBytes must be a number of 1 or more, not 1"],
  ])("refuses %j at registration", async (limits, message) => {
    await startHttp((http) => {
      expect(() => Api.register(() => {}, { http, limits })).toThrow(`Adm: ${message}`);
    });
  });
});

describe("a server that gets invalid upgrades", () => {
  it.each([
    ["a bad key", { "Sec-WebSocket-Key": "short" }, 400],
    ["a wrong version", { "Sec-WebSocket-Version": "7" }, 400],
    ["another protocol", { Upgrade: "h2c" }, 426],
  ])("answers %s with a 4xx, and serves others", async (_what, headers, status) => {
    const { url } = await start({});
    expect(await upgrade(url, headers)).toMatchObject({ status });
    await RawPeer.connect(url);
  });

  it("survives a TCP socket that is reset while it is refused", async () => {
    const { url } = await start({ limits: { maxConnections: 1 } });
    await RawPeer.connect(url);
    const { port, pathname, host } = new URL(url);
    for (const path of [pathname, "/nowhere"]) {
      for (let i = 0; i < 25; i++) {
        const socket = connectTcp(Number(port), "127.0.0.1");
        const ended = closeOf(socket);
        await once(socket, "connect");
        socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, () =>
          socket.resetAndDestroy(),
        );
        await ended;
      }
    }
    expect(await upgrade(url)).toMatchObject({ status: 503 });
  });

  it("survives 2,000 headers", async () => {
    const { url } = await start({});
    const headers = Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`x-${i}`, "1"]));
    // Node limits how many headers it reads, and refuses a header section that is too long.
    await upgrade(url, headers).catch(() => {});
    await RawPeer.connect(url);
  });

  it("accepts a query that is not well encoded", async () => {
    const { url } = await start({});
    expect((await upgrade(`${url}?room=%E0%A4%A&&=`)).status).toBe(101);
    await RawPeer.connect(`${url}?room=%E0%A4%A`);
  });
});
