import { GG_METRICS, GGMetricsStore } from "@grest-ts/metrics";
import { GGWebSocketMetrics } from "@grest-ts/websocket";
import { beforeEach, expect, it } from "vitest";
import { ServerCapabilities } from "../../src/server/handshake/capabilities.js";
import { serveExt } from "../support/extApi.js";
import { RawPeer } from "../support/rawPeer.js";
import { watchTheProcess } from "./watch.js";

const attempts = (result: string) => GGWebSocketMetrics.connections.getValue({ api: "Ext", path: "/ws/ext", result });

beforeEach(() => GG_METRICS.overwrite(new GGMetricsStore()));
watchTheProcess();

it("refuses a handshake message above the size limit without reading it, counts and logs it", async () => {
  const { url, logger } = await serveExt();
  const peer = await RawPeer.open(url);
  peer.send(`h:::{"a":"${"x".repeat(65_536)}"}`);
  expect(await peer.next()).toMatch(/^x:::.*"SERVER_ERROR".*Handshake message of more than 65536 characters/);
  expect(await peer.closed).toEqual({ code: 4001, reason: "Handshake failed" });
  expect(attempts("HANDSHAKE_TOO_LARGE")).toBe(1);
  expect(logger.entries).toMatchObject([{ level: "warn", message: "Ext: a handshake message was too large" }]);
  // Several times the HTTP headers that a proxy accepts.
  await RawPeer.connect(url, { token: "x".repeat(60_000) });
  expect(attempts("OK")).toBe(1);
});

it("reads a very long list of capabilities, and keeps none of it", async () => {
  const { url } = await serveExt();
  const long = `${"telepathy ".repeat(1_000)}cancel`;
  expect((await RawPeer.connectWith(url, long)).accepted).toBe('k:::{"ws-capabilities":"cancel"}');
  const capabilities = new ServerCapabilities(undefined, undefined);
  expect(capabilities.agreeOn(long)).not.toBe(capabilities.agreeOn(long));
  expect(capabilities.agreeOn("cancel")).toBe(capabilities.agreeOn("cancel"));
  for (let i = 0; i < 100; i++) capabilities.agreeOn(`cancel x${i}`);
  expect(capabilities.agreeOn("cancel x99")).not.toBe(capabilities.agreeOn("cancel x99"));
});
