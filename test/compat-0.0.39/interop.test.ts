import { NOT_AUTHORIZED, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import type { GGWebSocketMiddleware } from "@grest-ts/websocket";
import { describe, expect, it, onTestFinished } from "vitest";
import { ExtApi, serveExt } from "../support/extApi.js";
import { LegacyPeer, legacyServer } from "../support/legacyPeers.js";
import { Queue } from "../support/queue.js";
import { recordingLogger } from "../support/server.js";

/** Frames of 0.0.39: six types, one message per frame. */
function strangeTo0039(texts: readonly string[]): string[] {
  return texts.filter((text) => !/^(?:k:::null|x:::.*|h:::.*|[mrs]:[^:\n]+:\d*:.*)$/.test(text) || text.includes("\n"));
}

const auth: GGWebSocketMiddleware = {
  parseHandshake({ headers }) {
    if (headers.token === "bad") throw new NOT_AUTHORIZED({ displayMessage: "no" });
  },
};

describe("a client of 0.0.39 on this server", () => {
  it("calls, sends, gets pushes and requests, fails and closes, and never sees a newer feature", async () => {
    const { url, outgoings, events, gate, http } = await serveExt({
      middlewares: [auth],
      heartbeat: { intervalMs: 20, timeoutMs: 1_000 },
      drain: { spreadMs: 5 },
    });
    const received = new Queue<unknown>();
    const peer = await LegacyPeer.connect(
      url,
      { token: "t" },
      {
        "Ext.news": (data) => void received.push(data),
        "Ext.ask": (data) => (data === "never" ? undefined : `you said ${data}`),
      },
    );
    const outgoing = await outgoings.next();
    expect(await peer.request("Ext.echo", "a:b")).toEqual({ success: true, type: "OK", data: "a:b" });
    expect(await peer.request("Ext.nope")).toMatchObject({ success: false, type: "ROUTE_NOT_FOUND" });
    expect(await peer.request("Ext.echo", {})).toMatchObject({ success: false, type: "VALIDATION_ERROR" });
    peer.send("Ext.note", "hi");
    expect(await events.next()).toBe("note hi");
    for (let n = 0; n < 20; n++) outgoing.news({ text: "burst", n });
    expect(await received.take(20)).toHaveLength(20);
    expect(await outgoing.ask("x")).toBe("you said x");

    // All that could use an extension: an aborted call, a time-out, replies of one tick, an aborted handler.
    const controller = new AbortController();
    const aborted = outgoing.ask("never", { signal: controller.signal }).asResult();
    controller.abort();
    expect((await aborted).success).toBe(false);
    expect((await outgoing.ask("never", { timeout: 5 }).asResult()).success).toBe(false);
    peer.raw("s:Ext.ask:999:{}");
    const replies = ["1", "2", "3"].map((text) => peer.request("Ext.echo", text));
    expect(await Promise.all(replies)).toHaveLength(3);
    const waiting = peer.request("Ext.wait", "w");
    expect(await events.next()).toBe("begun w");
    const torndown = http.teardown();
    gate.open();
    expect(await waiting).toMatchObject({ success: true });
    expect(await peer.closed()).toBe(1012);
    await torndown;
    expect(peer.texts[0]).toBe("k:::null");
    expect(strangeTo0039(peer.texts)).toEqual([]);
  });

  it("is refused as before", async () => {
    const { url } = await serveExt({ middlewares: [auth] });
    await expect(LegacyPeer.connect(url, { token: "bad" })).rejects.toMatchObject({ type: "NOT_AUTHORIZED" });
  });
});

describe("this client on a server of 0.0.39", () => {
  const start = async (config: object = {}) => {
    const events = new Queue<unknown>();
    const { url, peers } = await legacyServer({
      "Ext.echo": (data) => data,
      "Ext.note": (data) => void events.push(data),
    });
    const client = ExtApi.createClient({ url, logger: recordingLogger(), ...config });
    onTestFinished(() => client.close());
    return { client, peers, events };
  };

  it("calls, sends, gets pushes and requests, aborts and closes, and never sends a newer feature", async () => {
    const token: GGWebSocketMiddleware = {
      updateHandshake: ({ headers }) => void Object.assign(headers, { token: "t" }),
    };
    const { client, peers, events } = await start({ middlewares: [token], reconnect: true });
    const received = new Queue<string>();
    client.incoming.on({ news: ({ text }) => void received.push(text), ask: (text) => `you said ${text}` });
    await client.connect();
    const peer = peers[0] as LegacyPeer;
    // Its middlewares get the header that was set, and one more that they ignore.
    expect(peer.headers).toMatchObject({ token: "t" });
    expect(Object.values(peer.headers).every((value) => typeof value === "string")).toBe(true);
    expect(await client.outgoing.echo("a:b")).toBe("a:b");
    client.outgoing.note("hi");
    expect(await events.next()).toBe("hi");
    peer.send("Ext.news", { text: "news" });
    expect(await received.next()).toBe("news");
    expect(await peer.request("Ext.ask", "x")).toEqual({ success: true, type: "OK", data: "you said x" });
    peer.raw("z:Ext.ask:1:");

    const controller = new AbortController();
    const aborted = client.outgoing.wait("never", { signal: controller.signal }).asResult();
    controller.abort();
    expect(await aborted).toBeInstanceOf(SERVER_ERROR);
    expect(await client.outgoing.wait("never", { timeout: 5 }).asResult()).toBeInstanceOf(SERVER_ERROR);
    expect(await Promise.all(["1", "2", "3"].map((text) => client.outgoing.echo(text)))).toEqual(["1", "2", "3"]);
    await client.disconnect();
    expect(peer.texts.filter((text) => text.startsWith("h"))).toHaveLength(1);
    expect(strangeTo0039(peer.texts)).toEqual([]);
  });

  it("is refused at once, also for an invalid query", async () => {
    const bad: GGWebSocketMiddleware = {
      updateHandshake: ({ headers }) => void Object.assign(headers, { token: "bad" }),
    };
    await expect((await start({ middlewares: [bad] })).client.connect()).rejects.toBeInstanceOf(NOT_AUTHORIZED);
    const query: GGWebSocketMiddleware = {
      updateHandshake: ({ queryArgs }) => void Object.assign(queryArgs, { bad: "1" }),
    };
    await expect((await start({ middlewares: [query] })).client.connect()).rejects.toBeInstanceOf(VALIDATION_ERROR);
  });
});
