import { describe, expect, it } from "vitest";
import { RawServer } from "../support/rawPeer.js";
import { DirectNetwork, NETWORKS, SlowProxy } from "../support/slowProxy.js";
import { describeInChromium } from "./support/inChromium.js";

type OpenNetwork = (port: number) => Promise<DirectNetwork>;

/** How far the page's clock moves with each step of the network. */
const STEP_MS = 20;
/** The systems take some MB at once: what is seen of a message is what exceeds them. */
const LARGE = 15_000_000;
const BYTES = 256 * 1024;

const AT_ONCE = { initialDelayMs: 0, maxDelayMs: 0 };

describeInChromium("a page and its server", ({ open }) => {
  /**
   * A page connected to a server that the test plays, which announces these capabilities. Over a network the page has a
   * clock that only the test moves.
   */
  async function toRawServer(capabilities: string, openNetwork?: OpenNetwork) {
    const raw = await RawServer.start();
    const network = (await openNetwork?.(Number(new URL(raw.url).port))) ?? new DirectNetwork();
    const { app } = await open({ url: network.through(raw.url), reconnect: AT_ONCE });
    const { clock } = app.page;
    if (openNetwork) {
      await clock.install();
      await clock.pauseAt(Date.now() + 60_000);
    }
    const accept = async () => {
      const peer = await raw.connections.next();
      expect(await peer.next()).toBe('h:::{"ws-capabilities":"batch alive cancel drain"}');
      peer.send(`k:::{"ws-capabilities":"${capabilities}"}`);
      return peer;
    };
    const accepted = accept();
    expect(await network.until(app.connect())).toEqual({ ok: undefined });
    expect(await app.events.next()).toBe("setup");
    /** Lets time pass in the page, and bytes on the connection, until something has happened. */
    const until = <T>(event: Promise<T>, bytes?: number) => network.until(event, () => clock.runFor(STEP_MS), bytes);
    return { app, peer: await accepted, accept, network, until };
  }

  describe.each(NETWORKS)("over %s", (_name, openNetwork) => {
    it("detects a dead connection by asking, and connects again", async () => {
      const { app, peer, accept, until } = await toRawServer("alive=1000,500", openNetwork);
      for (let i = 0; i < 3; i++) {
        expect(await until(peer.next())).toBe("p:::");
        peer.send("o:::");
      }
      // The server goes silent with the connection open, which a browser itself never detects.
      expect(await until(app.events.next())).toBe("disconnect drop");
      await until(accept());
      expect(await until(app.events.next())).toBe("setup");
    });
  });

  it("stays connected while a large message leaves slowly, and not when the server stops reading", async () => {
    const { app, peer, network, until } = await toRawServer("alive=1000,500", (port) => SlowProxy.start(port, 2));
    const send = () =>
      app.page.evaluate((length) => void pageApp.client.outgoing.note({ text: "x".repeat(length) }), LARGE);
    const arrived = async () => {
      for (;;) {
        const { length } = await peer.next();
        if (length > LARGE) return "arrived";
      }
    };
    const nextOf = (...these: Promise<string>[]) => until(Promise.race(these), BYTES);
    const dropped = app.events.next();
    await send();
    await send();
    expect(await nextOf(arrived(), dropped)).toBe("arrived");
    expect(await nextOf(arrived(), dropped)).toBe("arrived");
    await send();
    await send();
    for (let i = 0; i < 10; i++) await network.step(BYTES);
    // From here on nothing passes.
    expect(await until(dropped, 0)).toBe("disconnect drop");
  });

  it("never asks a server that has not agreed to it", async () => {
    const { app, peer } = await toRawServer("cancel");
    const { outcome } = app.wait();
    expect(await peer.next()).toBe("r:Page.wait:1:");
    peer.send('s:Page.wait:1:{"success":true,"type":"OK","data":"x"}');
    await outcome;
    expect(peer.frames.unseen).toEqual([]);
  });

  it("moves on a drain notice, and has the next connection before the old one has ended", async () => {
    const { app, peer, accept } = await toRawServer("drain");
    const { outcome } = app.wait();
    expect(await peer.next()).toBe("r:Page.wait:1:");
    peer.send("d:::0");
    const next = await accept();
    // The old one is replaced when the new one is set up.
    expect(await app.events.take(2)).toEqual(["setup", "disconnect drop"]);
    const again = app.wait();
    expect(await next.next()).toBe("r:Page.wait:1:");
    peer.send('s:Page.wait:1:{"success":true,"type":"OK","data":"late"}');
    expect((await peer.closed).code).toBe(1000);
    expect(await outcome).toBeDefined();
    next.send('s:Page.wait:1:{"success":true,"type":"OK","data":"now"}');
    expect(await again.outcome).toBeDefined();
  });
});
