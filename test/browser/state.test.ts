import { expect, it } from "vitest";
import { RawServer } from "../support/rawPeer.js";
import { closedPort } from "../support/tcp.js";
import { describeInChromium } from "./support/inChromium.js";

const AT_ONCE = { initialDelayMs: 0, maxDelayMs: 0 };

describeInChromium("the state of a client in a page", ({ open, connected }) => {
  it("is reported from the first connect to the end, with the attempts and the reason", async () => {
    const { server, app } = await open({ reconnect: AT_ONCE, reportsStates: true });
    expect(await app.connect()).toEqual({ ok: undefined });
    expect((await app.events.take(4)).sort()).toEqual([
      "news welcome to lobby",
      "setup",
      "state connected 0",
      "state connecting 1",
    ]);
    await server.dropAll();
    expect(await app.events.take(2)).toEqual(["disconnect drop", "state reconnecting 0 disconnected"]);
    await app.heard("state connected 0");
    await app.page.evaluate(() => pageApp.client.close());
    await app.heard("state closed 0");
    expect(await app.page.evaluate(() => pageApp.client.state)).toBe("closed");
  });

  it("is connecting until a server is there, with reconnect.initial", async () => {
    const port = await closedPort();
    const { app } = await open({
      url: `ws://127.0.0.1:${port}`,
      reconnect: { ...AT_ONCE, initial: true },
      reportsStates: true,
    });
    app.expectFailedDials();
    const connecting = app.connect();
    await app.heard("state connecting 2 unreachable");
    const server = await RawServer.start(port);
    await server.accept();
    expect(await connecting).toEqual({ ok: undefined });
  });

  it("can be watched by functions that are taken back", async () => {
    const { app } = await connected();
    const seen = await app.page.evaluate(() => {
      const states: string[] = [];
      const takeBack = pageApp.client.onState((state) => states.push(`first ${state}`));
      pageApp.client.onState((state) => states.push(`second ${state}`));
      takeBack();
      pageApp.client.close();
      return states;
    });
    expect(seen).toEqual(["second closed"]);
  });
});

const SENTENCE = "Aborted by the caller: Page.greet was sent and may have run";
const ABORTED = {
  failure: { reason: "aborted", wasSent: true, cause: "left the page" },
  text: `SERVER_ERROR: ${SENTENCE}`,
  type: "SERVER_ERROR",
  name: "SERVER_ERROR",
  message: "SERVER_ERROR",
};

describeInChromium("the error of a call in a page", ({ connected }) => {
  it("says what happened, to programs and as text", async () => {
    const { app } = await connected();
    app.expectPrinted(/SERVER_ERROR/);
    expect(await app.page.evaluate(() => pageApp.aborted())).toMatchObject(ABORTED);
  });
});

describeInChromium(
  "the error of a call in a page during development",
  ({ connected }) => {
    it("says what happened in the console and in its stack, too", async () => {
      const { app } = await connected();
      const printed = app.page.waitForEvent("console");
      app.expectPrinted(/SERVER_ERROR/);
      expect(await app.page.evaluate(() => pageApp.aborted())).toEqual({
        ...ABORTED,
        stack: expect.stringContaining(SENTENCE),
      });
      expect((await printed).text()).toMatch(SENTENCE);
    });
  },
  ["development"],
);
