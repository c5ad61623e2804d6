import { expect, it } from "vitest";
import { RawServer } from "../support/rawPeer.js";
import { describeInChromium } from "./support/inChromium.js";

describeInChromium("a client in a page", ({ open, connected }) => {
  it("works behind a proxy, taken apart and with members replaced", async () => {
    const { app } = await connected();
    const results = await app.page.evaluate(async () => {
      const { client } = pageApp;
      const deep = <T extends object>(target: T): T =>
        new Proxy(target, {
          get(object, name, receiver) {
            const value = Reflect.get(object, name, receiver);
            return typeof value === "object" && value !== null ? deep(value) : value;
          },
        });
      const wrapped = deep(client);
      const { greet } = client.outgoing;
      const seen = [
        await wrapped.outgoing.greet({ name: "proxy" }),
        await greet({ name: "apart" }),
        await Object.create(client).outgoing.greet({ name: "heir" }),
        `${wrapped.isConnected} ${wrapped.state}`,
      ];
      Object.assign(client.outgoing, { greet: async () => "replaced" });
      return [...seen, await client.outgoing.greet({ name: "x" })];
    });
    expect(results).toEqual(["Hello proxy", "Hello apart", "Hello heir", "true connected", "replaced"]);
  });

  it("keeps the path and the query of its url", async () => {
    const server = await RawServer.start();
    const { app } = await open({ url: `${server.url.replace("ws:", "http:")}/pré-fix/?tenant=1&room=x` });
    const connecting = app.connect();
    const peer = await server.accept();
    expect(await connecting).toEqual({ ok: undefined });
    expect(peer.requestUrl).toBe("/pr%C3%A9-fix/ws/page?tenant=1&room=lobby");
  });

  it("prints the fields of what does not fit its contract", async () => {
    const server = await RawServer.start();
    const { app } = await open({ url: server.url });
    const connecting = app.connect();
    const peer = await server.accept();
    await connecting;
    const printed = app.page.waitForEvent("console");
    app.expectPrinted(/a message ended with VALIDATION_ERROR/);
    peer.send("m:Page.news::{}");
    expect((await printed).text()).toMatch(/type: VALIDATION_ERROR.*reason: text required/);
    expect(await app.events.take(2)).toEqual(["setup", "error VALIDATION_ERROR"]);
  });

  it("prints nothing about pushes that it does not handle", async () => {
    const server = await RawServer.start();
    const { app } = await open({ url: server.url, handlesNothing: true });
    const connecting = app.connect();
    const peer = await server.accept();
    await connecting;
    for (let n = 0; n < 100; n++) peer.send('m:Page.news::{"text":"x"}');
    peer.send('r:Page.areYouThere:1:{"text":"page"}');
    expect(await peer.next()).toMatch(/^s:Page\.areYouThere:1:/);
  });
});
