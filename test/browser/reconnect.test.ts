import type { BrowserContext } from "playwright-core";
import { expect, it } from "vitest";
import type { AppOptions } from "../fixtures/browser/main.js";
import { FaultProxy } from "../support/faultProxy.js";
import { RawServer } from "../support/rawPeer.js";
import { AppPage } from "./support/appPage.js";
import { describeInChromium } from "./support/inChromium.js";

/** A back-off of no length, so that tests depend on events alone, and one that outlasts every test. */
const AT_ONCE = { initialDelayMs: 0, maxDelayMs: 0 };
const NEVER = { initialDelayMs: 2 ** 31 - 1, maxDelayMs: 2 ** 31 - 1 };

const RESTORED = ["disconnect drop", "setup", "news welcome to lobby"];

describeInChromium("a page that loses its connection", ({ newContext, serve, open, connected }) => {
  /** A page that reaches its own origin through a proxy, connected. */
  async function throughProxy(options: AppOptions) {
    const server = await serve();
    const proxy = await FaultProxy.start(server.port);
    const context: BrowserContext = await newContext();
    const app = await AppPage.open(context, proxy.url.replace("ws:", "http:"));
    await app.create(options);
    await app.connectAndHear();
    return { server, proxy, app };
  }

  /** A page connected to a server that the test plays. */
  async function toRawServer(reconnect: AppOptions["reconnect"]) {
    const raw = await RawServer.start();
    const { app } = await open({ url: raw.url, reconnect });
    const accepted = raw.accept();
    expect(await app.connect()).toEqual({ ok: undefined });
    const peer = await accepted;
    expect(await app.events.next()).toBe("setup");
    return { app, raw, peer };
  }

  it("stays without one by default", async () => {
    const { server, app } = await connected();
    await server.dropAll();
    expect(await app.events.take(2)).toEqual(["disconnect drop", "close drop SERVER_ERROR"]);
    expect(server.accepted).toBe(1);
  });

  it("connects again with its handlers, its set-up run anew and a fresh handshake", async () => {
    const { server, app } = await connected({ reconnect: AT_ONCE, token: "Ann" });
    await server.connections.next();
    for (const round of [2, 3]) {
      await server.dropAll();
      expect(await app.events.take(3)).toEqual(RESTORED);
      expect(server.tokens).toHaveLength(round);
      expect(server.tokens.at(-1)).toBe(`Ann ${round}`);
      const { outgoing } = await server.connections.next();
      expect(await outgoing.areYouThere({ text: "page" })).toBe(true);
      expect(await app.greet("Ann")).toEqual({ ok: "Hello Ann" });
      await outgoing.news({ text: `round ${round}` });
      expect(await app.events.next()).toBe(`news round ${round}`);
    }
  });

  it.each(["cut", "reset"] as const)("connects again when the network ends the connection (%s)", async (fault) => {
    const { server, proxy, app } = await throughProxy({ reconnect: AT_ONCE });
    proxy[fault]();
    expect(await app.events.take(3)).toEqual(RESTORED);
    expect(await app.greet("Ann")).toEqual({ ok: "Hello Ann" });
    expect(server.accepted).toBe(2);
  });

  it("goes on trying while no server listens", async () => {
    const { proxy, app } = await throughProxy({ reconnect: AT_ONCE });
    app.expectFailedDials();
    proxy.refuseNext(3);
    proxy.cut();
    expect(await app.events.take(3)).toEqual(RESTORED);
    expect(app.urls.length).toBeGreaterThanOrEqual(5);
    expect(await app.greet("Ann")).toEqual({ ok: "Hello Ann" });
  });

  it("settles calls in flight, says that they had been sent, and sends nothing twice", async () => {
    const { server, app } = await connected({ reconnect: AT_ONCE });
    const { outcome } = app.wait();
    await server.waiting.next();
    await server.dropAll();
    expect(await outcome).toMatchObject({
      error: { class: "SERVER_ERROR", text: expect.stringMatching("was sent and may have run") },
    });
    expect(await app.events.take(3)).toEqual(RESTORED);
    expect(await app.greet("Ann")).toEqual({ ok: "Hello Ann" });
    expect(server.waiting.unseen).toEqual([]);
    expect((await app.sent.atLeast(4)).map((frame) => frame.split(":{")[0])).toEqual([
      "h::",
      "r:Page.wait:1:",
      "h::",
      "r:Page.greet:1",
    ]);
  });

  it("settles a call whose reply was cut in two", async () => {
    const { proxy, app } = await throughProxy({ reconnect: AT_ONCE });
    proxy.truncateNextReply(10);
    expect(await app.greet("Ann")).toMatchObject({
      error: { text: expect.stringMatching("was sent and may have run") },
    });
    expect(await app.events.take(3)).toEqual(RESTORED);
  });

  it("says of calls in between that they were not sent", async () => {
    const { server, app } = await connected({ reconnect: NEVER });
    await server.dropAll();
    await app.heard("disconnect drop");
    expect(await app.greet("Ann")).toMatchObject({
      error: { class: "SERVER_ERROR", text: expect.stringMatching(/was not sent.*is reconnecting/) },
    });
  });

  it("replaces a silent connection on forceReconnect()", async () => {
    const { server, proxy, app } = await throughProxy({ reconnect: NEVER });
    proxy.stallReplies();
    const { outcome } = app.wait();
    await server.waiting.next();
    const again = app.page.evaluate(() => pageApp.settled(pageApp.client.forceReconnect()));
    expect(await outcome).toMatchObject({ error: { text: expect.stringMatching("was sent and may have run") } });
    proxy.release();
    expect(await again).toEqual({ ok: undefined });
    expect(await app.heard("news welcome to lobby")).toEqual(["disconnect manual", "setup"]);
    expect(await app.greet("Ann")).toEqual({ ok: "Hello Ann" });
    expect(server.accepted).toBe(2);
  });

  it("does not wait out its back-off on forceReconnect(), nor on disconnect()", async () => {
    const { server, app } = await connected({ reconnect: NEVER });
    await server.dropAll();
    await app.heard("disconnect drop");
    expect(await app.page.evaluate(() => pageApp.settled(pageApp.client.forceReconnect()))).toEqual({ ok: undefined });
    expect(await app.events.take(2)).toEqual(["setup", "news welcome to lobby"]);
    await server.dropAll();
    await app.heard("disconnect drop");
    await app.page.evaluate(() => pageApp.client.disconnect());
    expect(await app.events.next()).toBe("close manual");
    expect(server.accepted).toBe(2);
  });

  it("gives up when it is refused", async () => {
    const { app, raw, peer } = await toRawServer(AT_ONCE);
    peer.ws.terminate();
    const second = await raw.connections.next();
    second.send('x:::{"success":false,"type":"FORBIDDEN","statusCode":403}');
    expect(await app.events.take(2)).toEqual(["disconnect drop", "close unrecoverable FORBIDDEN"]);
    expect(raw.count).toBe(2);
  });

  it.each([1002, 1003, 1007, 1008, 1009, 3000, 3003, 4000])("gives up on close code %d", async (code) => {
    const { app, raw, peer } = await toRawServer(AT_ONCE);
    peer.ws.close(code, "enough");
    const type = code === 4000 ? "VALIDATION_ERROR" : "SERVER_ERROR";
    expect(await app.events.take(2)).toEqual(["disconnect drop", `close unrecoverable ${type}`]);
    expect(raw.count).toBe(1);
  });

  it.each([1000, 1001, undefined, 1011, 1012, 1013, 4001])("comes back after close code %s", async (code) => {
    const { app, raw, peer } = await toRawServer(AT_ONCE);
    peer.ws.close(code);
    await raw.accept();
    expect(await app.events.take(2)).toEqual(["disconnect drop", "setup"]);
  });

  it("ends a connection that carries binary data, with 4003, and gives up", async () => {
    const { app, raw, peer } = await toRawServer(AT_ONCE);
    peer.ws.send(Buffer.from([1, 2, 3]));
    expect(await peer.closed).toEqual({ code: 4003, reason: "Text messages only" });
    expect(await app.events.take(2)).toEqual(["disconnect drop", "close unrecoverable SERVER_ERROR"]);
    expect(raw.count).toBe(1);
  });
});
