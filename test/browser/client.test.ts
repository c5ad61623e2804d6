import { expect, it } from "vitest";
import { AppPage } from "./support/appPage.js";
import { describeInChromium } from "./support/inChromium.js";

const ANNOUNCED = 'h:::{"ws-capabilities":"batch alive cancel"}';

describeInChromium("a client in a page", ({ newContext, serve, open, connected }) => {
  it('calls over the page\'s own origin with url "", and is answered', async () => {
    const { server, app } = await connected();
    expect(await app.greet("Ann: 1:2:3 é \u{1f98a}")).toEqual({ ok: "Hello Ann: 1:2:3 é \u{1f98a}" });
    expect(app.urls).toEqual([`ws://127.0.0.1:${server.port}/ws/page?room=lobby`]);
    expect(await app.sent.atLeast(2)).toEqual([ANNOUNCED, 'r:Page.greet:1:{"name":"Ann: 1:2:3 é \u{1f98a}"}']);
    expect(await app.received.atLeast(3)).toEqual([
      'k:::{"ws-capabilities":"batch=65536 alive=25000,10000 cancel"}',
      'm:Page.news::{"text":"welcome to lobby"}',
      's:Page.greet:1:{"success":true,"type":"OK","data":"Hello Ann: 1:2:3 é \u{1f98a}"}',
    ]);
  });

  it("connects to another origin too, by any of the four schemes", async () => {
    const { app } = await open();
    const other = await serve();
    for (const scheme of ["ws", "http", "WS"]) {
      await app.create({ url: `${scheme}://127.0.0.1:${other.port}` });
      await app.connectAndHear();
    }
    expect(new Set(app.urls)).toEqual(new Set([`ws://127.0.0.1:${other.port}/ws/page?room=lobby`]));
  });

  it('makes url "" a wss: address on an https: page', async () => {
    const { app } = await open();
    const script = await (await app.page.request.get(new URL("/main.js", app.page.url()).href)).text();
    const context = await newContext();
    await context.route("https://app.example/**", (route) =>
      route.fulfill(
        route.request().url().endsWith(".js")
          ? { contentType: "text/javascript", body: script }
          : { contentType: "text/html", body: '<script type="module" src="/main.js"></script>' },
      ),
    );
    const dialled: string[] = [];
    await context.routeWebSocket(/./, (socket) => {
      dialled.push(socket.url());
      socket.onMessage(() => socket.send("k:::null"));
    });
    const secure = await AppPage.open(context, "https://app.example/");
    await secure.create();
    expect(await secure.connect()).toEqual({ ok: undefined });
    expect(dialled).toEqual(["wss://app.example/ws/page?room=lobby"]);
  });

  it("gets pushes in their order, from the first one on", async () => {
    const { server, app } = await open();
    expect(await app.connect()).toEqual({ ok: undefined });
    const { outgoing } = await server.connections.next();
    const texts = Array.from({ length: 100 }, (_, i) => `${i}`);
    for (const text of texts) outgoing.news({ text });
    expect(await app.events.take(102)).toEqual([
      "setup",
      "news welcome to lobby",
      ...texts.map((text) => `news ${text}`),
    ]);
  });

  it("sees a reply before what follows it in the same batch", async () => {
    const { server, app } = await connected();
    const { outgoing } = await server.connections.next();
    const seen = app.page.evaluate(
      () =>
        new Promise<string[]>((resolve) => {
          const events: string[] = [];
          pageApp.client.incoming.on({
            news({ text }) {
              events.push(text);
              if (text === "last") resolve(events);
            },
          });
          const call = async () => await pageApp.client.outgoing.wait();
          const load = async () => await call();
          load().then((text) => events.push(text));
        }),
    );
    const gate = await server.waiting.next();
    outgoing.news({ text: "before" });
    gate.open("reply");
    // The reply is sent within the promise jobs of this tick, and in one batch with what follows it.
    for (let i = 0; i < 10; i++) await undefined;
    outgoing.news({ text: "after" });
    outgoing.news({ text: "last" });
    expect(await seen).toEqual(["before", "reply", "after", "last"]);
  });

  it("sends what needs no answer, large texts included", async () => {
    const { server, app } = await connected();
    const text = "é".repeat(2 ** 20);
    await app.page.evaluate((given) => void pageApp.client.outgoing.note({ text: given }), text);
    expect(await server.notes.next()).toBe(text);
    const { outgoing } = await server.connections.next();
    await outgoing.news({ text });
    expect(await app.events.next()).toBe(`news ${text}`);
  });

  it("answers what the server asks", async () => {
    const { server, app } = await connected();
    const { outgoing } = await server.connections.next();
    expect(await outgoing.areYouThere({ text: "page" })).toBe(true);
    expect(await outgoing.areYouThere({ text: "anybody else" })).toBe(false);
    expect(await app.sent.atLeast(3)).toContain('s:Page.areYouThere:1:{"success":true,"type":"OK","data":true}');
  });

  it("says that a call is not valid before it is sent", async () => {
    const { app } = await connected();
    expect(await app.greet("")).toEqual({
      error: expect.objectContaining({
        type: "VALIDATION_ERROR",
        class: "VALIDATION_ERROR",
        data: [expect.any(Object)],
      }),
    });
    expect(await app.greet("Ann")).toEqual({ ok: "Hello Ann" });
    expect(await app.sent.atLeast(2)).toEqual([ANNOUNCED, 'r:Page.greet:1:{"name":"Ann"}']);
  });

  it("gets the server's VALIDATION_ERROR when its own contract let the call pass", async () => {
    const { app } = await connected({ lax: true });
    expect(await app.greet("")).toMatchObject({ error: { type: "VALIDATION_ERROR", class: "VALIDATION_ERROR" } });
    expect(await app.sent.atLeast(2)).toEqual([ANNOUNCED, 'r:Page.greet:1:{"name":""}']);
  });

  it("has raw connections past the contract, which the server still checks", async () => {
    const { app } = await open();
    const raw = (path: string, data: unknown) =>
      app.page.evaluate(([to, what]) => pageApp.raw(String(to), what), [path, data]);
    expect(await raw("Page.greet", { name: "Ann", age: 5 })).toEqual({ success: true, type: "OK", data: "Hello Ann" });
    expect(await raw("Page.greet", { name: "" })).toMatchObject({
      success: false,
      type: "VALIDATION_ERROR",
      data: [{ path: "name" }],
    });
    expect(await raw("Page.nope", null)).toMatchObject({ success: false, type: "ROUTE_NOT_FOUND" });
  });

  it("gets declared errors as their classes", async () => {
    const { app } = await connected();
    expect(await app.greet("one too many")).toMatchObject({
      error: { type: "FULL", class: "FULL", data: { limit: 3 } },
    });
  });

  it.each([
    ["stranger", { type: "NOT_AUTHORIZED", class: "NOT_AUTHORIZED", text: "Unknown user" }],
    ["late", { type: "FULL", class: "FULL", data: { limit: 3 } }],
  ])("rejects with the error of a refused handshake (%s)", async (token, error) => {
    const { server, app } = await open({ token });
    expect(await app.connect()).toMatchObject({ error });
    expect(server.tokens).toEqual([`${token} 1`]);
    expect(await app.sent.atLeast(1)).toEqual([ANNOUNCED.replace("{", `{"authorization":"${token} 1",`)]);
    expect(await app.page.evaluate(() => pageApp.client.isConnected)).toBe(false);
    expect(app.events.unseen).toEqual([]);
    // It may be tried again.
    expect(await app.connect()).toMatchObject({ error });
  });

  it("rejects bad query arguments with a VALIDATION_ERROR, without dialling", async () => {
    const { app } = await open({ room: "" });
    expect(await app.connect()).toMatchObject({ error: { type: "VALIDATION_ERROR", class: "VALIDATION_ERROR" } });
    expect(app.urls).toEqual([]);
  });

  it("rejects at once with a VALIDATION_ERROR when it is the server that refuses them", async () => {
    const { server, app } = await open({ room: "", lax: true });
    expect(await app.connect()).toMatchObject({ error: { type: "VALIDATION_ERROR", class: "VALIDATION_ERROR" } });
    expect(app.urls).toHaveLength(1);
    expect(server.accepted).toBe(0);
  });

  it("says why there is no connection", async () => {
    const { app } = await open({ url: "ws://127.0.0.1:1" });
    app.expectFailedDials();
    expect(await app.connect()).toMatchObject({
      error: {
        class: "SERVER_ERROR",
        text: expect.stringMatching("^Page: could not connect to ws://127.0.0.1:1/ws/page"),
      },
    });
    await app.create({ url: "ftp://host" });
    expect(await app.connect()).toMatchObject({
      error: { class: "SERVER_ERROR", text: expect.stringMatching("ftp://host") },
    });
  });

  it("waits for calls in flight on disconnect(), and may connect again", async () => {
    const { server, app } = await connected();
    const { outcome } = app.wait();
    const gate = await server.waiting.next();
    const disconnected = app.page.evaluate(() => pageApp.client.disconnect());
    gate.open("done");
    expect(await outcome).toEqual({ ok: "done" });
    await disconnected;
    expect(await app.events.take(2)).toEqual(["disconnect manual", "close manual"]);
    const { closed } = await server.connections.next();
    await closed;
    await app.connectAndHear();
    expect(await app.greet("Ann")).toEqual({ ok: "Hello Ann" });
  });

  it("settles calls in flight on close()", async () => {
    const { server, app } = await connected();
    const { outcome } = app.wait();
    await server.waiting.next();
    await app.page.evaluate(() => pageApp.client.close());
    expect(await outcome).toMatchObject({
      error: { class: "SERVER_ERROR", text: expect.stringMatching("was sent and may have run") },
    });
    expect(await app.greet("Ann")).toMatchObject({ error: { text: expect.stringMatching("is not connected") } });
  });

  it("is closed for the server when the page navigates away", async () => {
    const { server, app } = await connected();
    const { closed } = await server.connections.next();
    await app.page.goto("about:blank");
    await closed;
  });

  it("says that a page cannot serve", async () => {
    const { app } = await open();
    expect(await app.page.evaluate(() => pageApp.serve())).toMatchObject({
      error: { text: expect.stringMatching("cannot serve") },
    });
  });
});
