import type { BrowserContext, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { findChromium } from "../support/chromium.js";
import { AppPage } from "./support/appPage.js";
import { AppServer } from "./support/appServer.js";
import { bundleApp } from "./support/bundle.js";
import { startUnassistedChromium } from "./support/unassistedChromium.js";

/** A back-off that outlasts every test: a client that connects again was woken. */
const NEVER = { initialDelayMs: 2 ** 31 - 1, maxDelayMs: 2 ** 31 - 1 };

const executablePath = findChromium();

describe.skipIf(executablePath === undefined)("a page that comes back", { timeout: 30_000 }, () => {
  let chromium: Awaited<ReturnType<typeof startUnassistedChromium>>;
  let script: string;

  beforeAll(async () => {
    script = await bundleApp();
    chromium = await startUnassistedChromium(executablePath ?? "");
  }, 30_000);

  afterAll(() => chromium?.stop());

  /** A connected page in front of all others. */
  async function connected() {
    const server = await AppServer.start(script);
    const context: BrowserContext = chromium.context;
    const app = await AppPage.open(context, server.origin);
    await app.page.bringToFront();
    await app.create({ reconnect: NEVER });
    await app.connectAndHear();
    return { server, context, app };
  }

  /** The same, hidden behind another page. */
  async function hidden() {
    const { server, context, app } = await connected();
    const other = await context.newPage();
    onTestFinished(() => other.close());
    await other.bringToFront();
    await hasState(app.page, "hidden");
    return { server, context, app };
  }

  it("is still connected when it was hidden meanwhile", async () => {
    const { server, app } = await hidden();
    const { outgoing } = await server.connections.next();
    await outgoing.news({ text: "for a hidden page" });
    expect(await app.events.next()).toBe("news for a hidden page");
    expect(await outgoing.areYouThere({ text: "page" })).toBe(true);
    await app.page.bringToFront();
    await hasState(app.page, "visible");
    expect(await app.greet("Ann")).toEqual({ ok: "Hello Ann" });
    expect(server.accepted).toBe(1);
  });

  it("connects at once when it is shown", async () => {
    const { server, app } = await hidden();
    await server.dropAll();
    expect(await app.events.next()).toBe("disconnect drop");
    await app.page.bringToFront();
    expect(await app.events.take(2)).toEqual(["setup", "news welcome to lobby"]);
    expect(await app.greet("Ann")).toEqual({ ok: "Hello Ann" });
  });

  it("connects at once when its window is restored", async () => {
    const { server, context, app } = await connected();
    const session = await context.newCDPSession(app.page);
    await setWindow(session, "minimized");
    onTestFinished(() => setWindow(session, "normal"));
    await hasState(app.page, "hidden");
    await server.dropAll();
    expect(await app.events.next()).toBe("disconnect drop");
    await setWindow(session, "normal");
    expect(await app.events.take(2)).toEqual(["setup", "news welcome to lobby"]);
  });

  it("does not try while it is hidden", async () => {
    const { server, app } = await hidden();
    await server.dropAll();
    await app.heard("disconnect drop");
    // An event that a hidden page may get.
    await app.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    expect(await app.greet("Ann")).toMatchObject({ error: { text: expect.stringMatching("is reconnecting") } });
    expect(app.urls).toHaveLength(1);
  });

  it("connects when it is shown after it had been frozen", async () => {
    const { server, context, app } = await hidden();
    // A frozen page gets no close event: Chromium fails the connection instead, and prints an error.
    app.expectFailedDials();
    const session = await context.newCDPSession(app.page);
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    await server.dropAll();
    await session.send("Page.setWebLifecycleState", { state: "active" });
    await app.heard("disconnect drop");
    await app.page.bringToFront();
    expect(await app.events.take(2)).toEqual(["setup", "news welcome to lobby"]);
    expect(await app.greet("Ann")).toEqual({ ok: "Hello Ann" });
  });

  it("connects at once when it is thawed by being shown, though that event precedes its close event", async () => {
    const { server, app } = await hidden();
    app.expectFailedDials();
    const session = await chromium.context.newCDPSession(app.page);
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    await server.dropAll();
    await app.page.bringToFront();
    await app.heard("disconnect drop");
    expect(await app.events.take(2)).toEqual(["setup", "news welcome to lobby"]);
  });

  it("connects at once when it is online again", async () => {
    const { server, context, app } = await connected();
    app.expectFailedDials();
    await context.setOffline(true);
    onTestFinished(() => context.setOffline(false));
    await server.dropAll();
    await app.heard("disconnect drop");
    expect(server.accepted).toBe(1);
    await context.setOffline(false);
    expect(await app.events.take(2)).toEqual(["setup", "news welcome to lobby"]);
    expect(await app.greet("Ann")).toEqual({ ok: "Hello Ann" });
  });

  it("does not connect again after disconnect(), shown or online", async () => {
    const { server, context, app } = await hidden();
    await server.dropAll();
    await app.heard("disconnect drop");
    await app.page.evaluate(() => pageApp.client.disconnect());
    expect(await app.events.next()).toBe("close manual");
    await app.page.bringToFront();
    await hasState(app.page, "visible");
    await context.setOffline(true);
    await context.setOffline(false);
    expect(await app.greet("Ann")).toMatchObject({ error: { text: expect.stringMatching("is not connected") } });
    expect(app.urls).toHaveLength(1);
  });
});

/** Waits until the page itself has this state. */
async function hasState(page: Page, state: DocumentVisibilityState): Promise<void> {
  await page.waitForFunction((wanted) => document.visibilityState === wanted, state, { polling: 20 });
}

async function setWindow(session: CDPSession, windowState: "minimized" | "normal"): Promise<void> {
  const { windowId } = await session.send("Browser.getWindowForTarget");
  await session.send("Browser.setWindowBounds", { windowId, bounds: { windowState } });
}
