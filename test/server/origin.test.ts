import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import {
  defineSocketContract,
  GGWebSocketMetrics,
  type WebSocketSchemaConfig,
  webSocketSchema,
} from "@grest-ts/websocket";
import { beforeEach, describe, expect, it } from "vitest";
import { serveApi, startHttp } from "../support/server.js";
import { upgrade } from "../support/upgrade.js";

const Api = webSocketSchema(defineSocketContract("Ori", { clientToServer: {}, serverToClient: {} }))
  .path("ws/ori")
  .done();

async function start(allowedOrigins?: readonly string[] | "same-host", addressOf?: WebSocketSchemaConfig["addressOf"]) {
  const { url, logger } = await serveApi(Api, () => {}, { allowedOrigins, addressOf });
  return { logger, from: async (Origin: string) => (await upgrade(url, { Origin })).status, url };
}

beforeEach(() => GG_METRICS.overwrite(new GGMetricsStore()));

describe("allowedOrigins", () => {
  it("refuses other origins with 403 before the upgrade, counts and logs them", async () => {
    const { from, logger, url } = await start(["https://app.example", "HTTP://Localhost:5173"]);
    for (const origin of ["https://app.example", "https://APP.example:443", "http://localhost:5173"]) {
      expect(await from(origin)).toBe(101);
    }
    const strangers = [
      "https://evil.example",
      "https://app.example.evil.example",
      "https://evil-app.example",
      "http://app.example",
      "https://app.example:8443",
      "null",
      "app.example",
      "://",
    ];
    for (const origin of strangers) expect(await from(origin)).toBe(403);
    expect((await upgrade(url, { Origin: "null" })).body).toBe("This origin may not connect\n");
    const labels = { api: "Ori", path: "/ws/ori", result: "ORIGIN_REFUSED" };
    expect(GGWebSocketMetrics.connections.getValue(labels)).toBe(strangers.length + 1);
    expect(logger.entries[0]).toMatchObject({ level: "warn", fields: { result: "ORIGIN_REFUSED" } });
  });

  it('"same-host" compares with the Host of the request', async () => {
    const { from, url } = await start("same-host");
    const { host } = new URL(url);
    expect(await from(`http://${host}`)).toBe(101);
    expect(await from(`https://${host}`)).toBe(101);
    for (const origin of ["http://127.0.0.1", `http://x.${host}`, "null", "file://"])
      expect(await from(origin)).toBe(403);
    expect((await upgrade(url, { Origin: "https://app.example", Host: "app.example" })).status).toBe(101);
    expect((await upgrade(url, { Origin: "https://app.example", Host: "app.example:443" })).status).toBe(101);
  });

  it.each([[undefined], [["https://app.example"]], ["same-host" as const]])(
    "accepts a client that is not a browser and sends no origin (%j)",
    async (allowed) => {
      const { url } = await start(allowed);
      expect((await upgrade(url)).status).toBe(101);
    },
  );

  it("accepts every origin without the option", async () => {
    const { from } = await start();
    for (const origin of ["https://anywhere.example", "null", "nonsense"]) expect(await from(origin)).toBe(101);
  });

  it.each([
    [
      "capacitor://localhost",
      ["capacitor://localhost", "capacitor://LOCALHOST"],
      ["capacitor://localhost.evil", "https://localhost"],
    ],
    ["ionic://localhost/", ["ionic://localhost"], ["ionic://localhost:1", "null"]],
    ["tauri://localhost", ["tauri://localhost"], ["http://tauri.localhost"]],
    ["http://tauri.localhost", ["http://tauri.localhost", "http://tauri.localhost:80"], ["https://tauri.localhost"]],
    ["app://-", ["app://-"], ["app://x"]],
    [
      "chrome-extension://abcdef",
      ["chrome-extension://abcdef"],
      ["chrome-extension://abcdeg", "moz-extension://abcdef"],
    ],
    ["moz-extension://0d2a-11", ["moz-extension://0d2a-11"], ["moz-extension://0d2a-1"]],
    ["null", ["null"], ["file://", "null.example", "https://null"]],
    ["file://", ["file://", "file:///"], ["null", "file://host", "file:///etc"]],
    ["HTTPS://App.Example:443/", ["https://app.example"], ["http://app.example", "https://app.example:444"]],
    ["https://bücher.example", ["https://xn--bcher-kva.example"], ["https://bucher.example"]],
    ["http://[::1]:8080", ["http://[::1]:8080"], ["http://[::1]"]],
    [
      "https://*.example.com",
      ["https://app.example.com", "https://APP.example.com:443", "https://a.b.example.com"],
      [
        "https://example.com",
        "https://evilexample.com",
        "https://app.example.com.evil.example",
        "https://app.example.com:8443",
        "http://app.example.com",
        "https://evil.example/.example.com",
        "https://evil.example?.example.com",
        "https://evil.example#.example.com",
        "https://x@.example.com",
        "chrome-extension://app.example.com",
      ],
    ],
    ["http://*.localhost:5173", ["http://app.localhost:5173"], ["http://app.localhost", "http://localhost:5173"]],
  ] as const)("takes %s, and nothing like it", async (entry, fine, others) => {
    const { from } = await start(["https://first.example", entry]);
    for (const origin of [...fine, "https://first.example"])
      expect([origin, await from(origin)]).toEqual([origin, 101]);
    for (const origin of others) expect([origin, await from(origin)]).toEqual([origin, 403]);
  });

  it("takes no origin of an app, and not null, unless it is listed", async () => {
    for (const allowed of [["https://app.example", "https://*.app.example"], [], "same-host"] as const) {
      const { from } = await start(allowed);
      for (const origin of ["capacitor://localhost", "ionic://localhost", "chrome-extension://a", "file://", "null"])
        expect(await from(origin)).toBe(403);
    }
  });

  describe('"same-host" behind a proxy', () => {
    const page = "https://app.example:8443";
    const FORWARDED: readonly Readonly<Record<string, string>>[] = [
      { Host: "app.example:8443" },
      { Host: "internal:80", "X-Forwarded-Host": "app.example:8443" },
      { Host: "internal", "X-Forwarded-Host": "app.example:8443, inner.example" },
      { Host: "internal", "X-Forwarded-Host": "app.example", "X-Forwarded-Port": "8443" },
      { Host: "app.example", "X-Forwarded-Port": "8443" },
      { Host: "app.example:3000", "X-Forwarded-Port": "8443, 80" },
    ];

    it.each(FORWARDED)("takes what a trusted one says: %j", async (headers) => {
      const { url } = await start("same-host", () => "192.0.2.1");
      expect((await upgrade(url, { ...headers, Origin: page })).status).toBe(101);
      for (const Origin of ["https://app.example:1", "https://evil.example:8443", "http://x.app.example:8443", "null"])
        expect((await upgrade(url, { ...headers, Origin })).status).toBe(403);
    });

    it.each(FORWARDED.slice(1))("takes nothing of the kind without addressOf: %j", async (headers) => {
      const { url } = await start("same-host");
      expect((await upgrade(url, { ...headers, Origin: page })).status).toBe(403);
    });
  });

  it.each([
    "app.example",
    "localhost:5173",
    "https://app.example/path",
    "https://app.example?x",
    "https://ann@app.example",
    "wss://app.example",
    "*",
    "",
    "https://*",
    "https://*.",
    "https://app.*.example",
    "https://*.*.example",
    "https://*app.example",
    "https://app.example:*",
    "chrome-extension://*",
    "*.app.example",
    "same-host",
    "file://host",
    "data:",
    /app/,
    undefined,
    5,
  ])("refuses %s at registration", async (entry) => {
    await startHttp((http) => {
      expect(() => Api.register(() => {}, { http, allowedOrigins: [entry as string] })).toThrow(
        /^Ori: allowedOrigins: .* is no origin such as /,
      );
    });
  });

  it("refuses what is no list at registration", async () => {
    await startHttp((http) => {
      expect(() => Api.register(() => {}, { http, allowedOrigins: "https://app.example" as "same-host" })).toThrow(
        'Ori: allowedOrigins: "https://app.example" is neither "same-host" nor a list of origins',
      );
    });
  });
});
