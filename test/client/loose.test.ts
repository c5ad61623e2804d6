import { GGSocketPool } from "@grest-ts/websocket";
import { WebSocket } from "undici";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { webSocketSchema as inPages } from "../../src/index.browser.js";
import { failureOf } from "../../src/index.js";
import { connectedProbe, displayed, ProbeApi, probe, probeContract } from "../support/probe.js";

describe("what programs give loosely", () => {
  it.each([
    "ws://ann:SEC RET@127.0.0.1:1",
    "ws://ann:SEC\tRET@127.0.0.1:1",
    "https:/ann:SECRET@h",
    "ws://ann:SEC/RET@127.0.0.1:1",
    "ftp://h?token=SEC RET",
  ])("a url shows no secret: %j", async (url) => {
    const error = await ProbeApi.createClient({ url })
      .connect()
      .catch((thrown: unknown) => thrown);
    expect(displayed(error)).not.toMatch(/SEC|RET/);
    expect(failureOf(error)?.wasSent).toBe(false);
  });

  it("handlers that are none are refused, and hide no others", async () => {
    const { client, peer } = await connectedProbe();
    client.incoming.on({ ask: () => 7 });
    for (const none of [undefined, null]) {
      expect(() => client.incoming.on(none as never)).toThrow("incoming.on() takes an object of handlers");
    }
    peer.send("r:Probe.ask:1:");
    expect(await peer.next()).toMatch('"data":7');
  });

  it("what beforeConnect leaves undefined keeps its option", async () => {
    let ran = 0;
    const middlewares = [{ updateHandshake: () => void ran++ }];
    const { client, server } = await probe({
      middlewares,
      beforeConnect: () => ({ url: undefined, middlewares: undefined }),
    });
    const connecting = client.connect();
    await server.accept();
    await connecting;
    expect(ran).toBe(1);
  });

  it.each([0, -1, Number.NaN])("a raw time-out of %s is refused", async (ms) => {
    const { server } = await probe();
    const opening = GGSocketPool.connect({ domain: server.url, path: "/raw" });
    await server.accept();
    const socket = await opening;
    onTestFinished(() => socket.close());
    const reply = await socket.send("Any.thing", 1, true, ms);
    expect(displayed(reply)).toMatch("timeout must be a number of ms above 0");
  });
});

describe("delays of 0", () => {
  it("leave the loop to others when attempts fail before they dial", async () => {
    let attempts = 0;
    const { client } = await probe({
      reconnect: { initial: true, initialDelayMs: 0 },
      beforeConnect() {
        attempts++;
        throw new Error("no token");
      },
    });
    const connecting = client.connect().catch(() => {});
    // A timer and an immediate come in between.
    await new Promise((resolve) => setTimeout(resolve, 5));
    client.close();
    await connecting;
    expect(attempts).toBeLessThan(100);
  });
});

describe("a logger that fails in a page", () => {
  it.each([
    [
      "throws",
      () => {
        throw new Error("the logger");
      },
    ],
    ["rejects", () => Promise.reject(new Error("the logger"))],
  ])("stops nothing when it %s, and the entry goes to the console", async (_, fails) => {
    const error = vi.spyOn(console, "error").mockReturnValue();
    onTestFinished(() => error.mockRestore());
    const { server } = await probe();
    const logger = { debug: fails, warn: fails, error: fails } as never;
    const Api = inPages(probeContract).path("ws/probe").done();
    const client = Api.createClient({ url: server.url, webSocket: WebSocket, logger });
    onTestFinished(() => client.close());
    client.onState(() => {
      throw new Error("the callback");
    });
    const connecting = client.connect();
    await server.accept();
    await connecting;
    await vi.waitFor(() =>
      expect(error.mock.calls.map(([text]) => text)).toContain("Probe: the onState callback failed"),
    );
  });
});
