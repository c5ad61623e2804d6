import { expect, it } from "vitest";
import { RawServer } from "../support/rawPeer.js";
import { describeInChromium } from "./support/inChromium.js";

const AT_ONCE = { initialDelayMs: 0, maxDelayMs: 0 };

describeInChromium("a page and its server", ({ open }) => {
  /** A page connected to a server that the test plays, which announces these capabilities. */
  async function toRawServer(capabilities: string) {
    const raw = await RawServer.start();
    const { app } = await open({ url: raw.url, reconnect: AT_ONCE });
    const accept = async () => {
      const peer = await raw.connections.next();
      expect(await peer.next()).toBe('h:::{"ws-capabilities":"batch alive cancel drain"}');
      peer.send(`k:::{"ws-capabilities":"${capabilities}"}`);
      return peer;
    };
    const accepted = accept();
    expect(await app.connect()).toEqual({ ok: undefined });
    expect(await app.events.next()).toBe("setup");
    return { app, peer: await accepted, accept };
  }

  it("detects a dead connection by asking, and connects again", async () => {
    const { app, peer, accept } = await toRawServer("alive=100,100");
    for (let i = 0; i < 3; i++) {
      expect(await peer.next()).toBe("p:::");
      peer.send("o:::");
    }
    // The server goes silent with the connection open, which a browser itself never detects.
    expect(await app.events.next()).toBe("disconnect drop");
    await accept();
    expect(await app.events.next()).toBe("setup");
  });

  it("never asks a server that has not agreed to it", async () => {
    const { app, peer } = await toRawServer("cancel");
    const { outcome } = app.wait();
    expect(await peer.next()).toBe("r:Page.wait:1:");
    peer.send('s:Page.wait:1:{"success":true,"type":"OK"}');
    await outcome;
    expect(peer.frames.unseen).toEqual([]);
  });

  it("moves on a drain notice, and has the next connection before the old one has ended", async () => {
    const { app, peer, accept } = await toRawServer("drain");
    const { outcome } = app.wait();
    expect(await peer.next()).toBe("r:Page.wait:1:");
    peer.send("d:::0");
    const next = await accept();
    expect(await app.events.take(2)).toEqual(["disconnect drop", "setup"]);
    const again = app.wait();
    expect(await next.next()).toBe("r:Page.wait:1:");
    peer.send('s:Page.wait:1:{"success":true,"type":"OK","data":"late"}');
    expect((await peer.closed).code).toBe(1000);
    expect(await outcome).toBeDefined();
    next.send('s:Page.wait:1:{"success":true,"type":"OK","data":"now"}');
    expect(await again.outcome).toBeDefined();
  });
});
