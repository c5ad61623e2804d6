import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { defineSocketContract, GGWebSocketMetrics, webSocketSchema } from "@grest-ts/websocket";
import { beforeEach, describe, expect, it } from "vitest";
import { serveApi, startHttp } from "../support/server.js";
import { upgrade } from "../support/upgrade.js";

const Api = webSocketSchema(defineSocketContract("Ori", { clientToServer: {}, serverToClient: {} }))
  .path("ws/ori")
  .done();

async function start(allowedOrigins?: readonly string[] | "same-host") {
  const { url, logger } = await serveApi(Api, () => {}, { allowedOrigins });
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

  it.each(["app.example", "https://app.example/path", "*", ""])("refuses %j at registration", async (entry) => {
    await startHttp((http) => {
      expect(() => Api.register(() => {}, { http, allowedOrigins: [entry] })).toThrow(
        /Ori: allowedOrigins: .* is no origin/,
      );
    });
  });
});
