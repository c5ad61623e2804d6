import { expect, it } from "vitest";
import { closedPort } from "../support/tcp.js";
import { describeInReact, eventually, FAILED_DIAL } from "./support/inReact.js";

const AT_ONCE = { initialDelayMs: 0, maxDelayMs: 0 };

describeInReact("useConnection", ({ open, serve }) => {
  it("shows that a server is not there, and why, and nothing is unhandled", async () => {
    const port = await closedPort();
    const { view, page } = await open();
    view.expectPrinted(FAILED_DIAL);
    await page.evaluate((port) => {
      const { h, createClient, mount, provided, components } = lab;
      createClient({ url: `ws://127.0.0.1:${port}` });
      mount(provided(h(components.Status)), { strict: true });
    }, port);
    await view.shows("closed unreachable");
    await page.evaluate(() => lab.root.render(lab.provided(lab.h(lab.components.Detail))));
    await eventually(async () =>
      expect(await page.locator("p").textContent()).toMatch(
        `SERVER_ERROR: Board: could not connect to ws://127.0.0.1:${port}`,
      ),
    );
  });

  it("waits for a server that is not there yet, with reconnect.initial, and counts the attempts", async () => {
    const port = await closedPort();
    const { view, page } = await open();
    view.expectPrinted(FAILED_DIAL);
    await page.evaluate(
      ({ port, reconnect }) => {
        const { h, createClient, mount, provided, components } = lab;
        createClient({ url: `ws://127.0.0.1:${port}`, reconnect: { ...reconnect, initial: true } });
        mount(provided(h(components.Status), h(components.Detail)));
      },
      { port, reconnect: AT_ONCE },
    );
    await eventually(async () => expect(await page.evaluate(() => lab.seen.at(-1)?.attempt)).toBeGreaterThan(2));
    await serve(port);
    await view.shows("connected", "undefined");
    const seen = await page.evaluate(() =>
      lab.seen.map(({ state, since, attempt, nextTryAt }) => ({
        state,
        since,
        attempt,
        waits: nextTryAt !== undefined,
      })),
    );
    expect(seen[0]).toEqual({ state: "idle", since: 0, attempt: 0, waits: false });
    const connecting = seen.filter(({ state }) => state === "connecting");
    expect(new Set(connecting.map(({ since }) => since)).size).toBe(1);
    expect(connecting[0]?.since).toBeGreaterThan(0);
    expect(connecting.some(({ waits }) => waits)).toBe(true);
    const connected = seen.at(-1)!;
    expect(connected).toMatchObject({ state: "connected", attempt: 0, waits: false });
    expect(connected.since).toBeGreaterThanOrEqual(connecting[0]!.since);
    await page.evaluate(() => lab.client.close());
  });

  it("shows a drop and the reconnect of the one connection that all components share", async () => {
    const { server, view, page } = await open();
    await page.evaluate((reconnect) => {
      const { h, createClient, mount, provided, components } = lab;
      createClient({ reconnect });
      mount(provided(h(components.Status), h(components.Pins), h(components.Pins)));
    }, AT_ONCE);
    (await server.connections.next()).outgoing.pinned(1);
    await view.shows("connected", "1", "1");
    await server.dropAll();
    (await server.connections.next()).outgoing.pinned(2);
    await view.shows("connected", "1,2", "1,2");
    await view.logged("idle", "connecting", "connected", "reconnecting disconnected", "connected");
    expect(server.upgrades).toBe(2);
  });

  it("shows that the connection has ended, without reconnect, until the program connects again", async () => {
    const { server, view, page } = await open();
    await page.evaluate(() => {
      const { h, createClient, mount, provided, components } = lab;
      createClient();
      mount(provided(h(components.Status)));
    });
    await view.shows("connected");
    await server.dropAll();
    await view.shows("closed disconnected");
    await page.evaluate(() => lab.client.connect());
    await view.shows("connected");
  });
});
