import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { FaultProxy } from "../../../test/support/faultProxy.js";
import { buildForTests } from "./support/build.js";
import { ChatServer } from "./support/ChatServer.js";
import { executablePath, launchBrowser, Window } from "./support/Window.js";
import { WireGuest } from "./support/WireGuest.js";

/** What the built page does when the network or the server fails in the middle of something. */

describe.skipIf(executablePath === undefined)("the chat page", { timeout: 30_000 }, () => {
  let built: Awaited<ReturnType<typeof buildForTests>>;
  let server: ChatServer;
  let browser: Browser;

  beforeAll(async () => {
    built = await buildForTests("faults");
    [server, browser] = await Promise.all([ChatServer.start(built.server), launchBrowser()]);
  }, 30_000);

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** A window that tries again soon, instead of after some seconds. */
  async function blank(): Promise<Window> {
    const window = await Window.blank(browser);
    await window.page.addInitScript(() => {
      const random = Math.random;
      Math.random = () => 0.01 + random() / 50;
    });
    return window;
  }

  async function enter(url: string, name: string): Promise<Window> {
    const window = await blank();
    await window.page.goto(url);
    await window.logIn(name);
    return window;
  }

  /** A server of a test's own, which may end in any way. */
  async function startOwnServer(port?: string): Promise<ChatServer> {
    const own = await ChatServer.start(built.server, port);
    onTestFinished(async () => void (await own.program.stop("SIGKILL")));
    return own;
  }

  /** A way to a server that loses things. */
  async function faultyWay(to = server) {
    const proxy = await FaultProxy.start(Number(to.port));
    return {
      url: proxy.url.replace("ws", "http"),
      stallReplies: () => proxy.stallReplies(),
      cut() {
        proxy.refuseNext(Number.POSITIVE_INFINITY);
        proxy.cut();
        proxy.release();
      },
      mend: () => proxy.refuseNext(0),
    };
  }

  const problemOf = ({ page }: Window) => page.locator(".room .problem p");
  const box = ({ textBox }: Window) => expect.poll(() => textBox.inputValue());

  it("puts back all that was not sent, in order, in front of what is typed, and says so until it is sent", async () => {
    const own = await startOwnServer();
    const ann = await enter(own.url, "Ann");
    own.program.process.kill("SIGSTOP");
    for (const text of ["first", "second", "third"]) await ann.say(text);
    await ann.textBox.pressSequentially("being typed");
    await own.program.stop("SIGKILL");
    await box(ann).toBe("first\nsecond\nthird\nbeing typed");
    const next = await startOwnServer(own.port);
    const bo = await enter(next.url, "Bo");
    await ann.status(/^Back/).waitFor();
    // Another connection has sent nothing of it.
    expect(await problemOf(ann).textContent()).toBe("The connection was lost before the server could answer");
    await ann.textBox.press("Enter");
    await bo.message("first\nsecond\nthird\nbeing typed").waitFor();
    await problemOf(ann).waitFor({ state: "detached" });
    await box(ann).toBe("");
  });

  it.each([
    { typed: "", left: "" },
    { typed: "another text", left: "another text" },
  ])(
    "takes a message out of the box that has arrived, while its reply was lost: with '$typed' typed after it",
    async ({ typed, left }) => {
      const way = await faultyWay();
      const cy = await enter(way.url, `Cy ${typed}`);
      const dee = await enter(server.url, `Dee ${typed}`);
      const text = `only once ${typed}`;
      way.stallReplies();
      await cy.say(text);
      await cy.textBox.pressSequentially(typed);
      await dee.message(text).waitFor();
      way.cut();
      await box(cy).toBe(typed === "" ? text : `${text}\n${typed}`);
      await problemOf(cy).waitFor();
      way.mend();
      await cy.message(text).waitFor();
      await box(cy).toBe(left);
      await problemOf(cy).waitFor({ state: "detached" });
      expect(await cy.message(text).count()).toBe(1);
      expect(await dee.message(text).count()).toBe(1);
    },
  );

  it("leaves a text that came back to its user once it was changed", async () => {
    const way = await faultyWay();
    const eli = await enter(way.url, "Eli");
    const fay = await enter(server.url, "Fay");
    way.stallReplies();
    await eli.say("as it was");
    await fay.message("as it was").waitFor();
    way.cut();
    await box(eli).toBe("as it was");
    await eli.textBox.fill("as it was, and more");
    way.mend();
    await eli.message("as it was").waitFor();
    expect(await eli.textBox.inputValue()).toBe("as it was, and more");
  });

  it("is in no room when its own is full on its return, says so, and goes on in another one", async () => {
    const own = await startOwnServer();
    const way = await faultyWay(own);
    const gus = await enter(way.url, "Gus");
    await gus.room("Lounge").click();
    await gus.page.getByRole("heading", { name: "Lounge" }).waitFor();
    await gus.textBox.fill("a draft");
    way.cut();
    await gus.status("Reconnecting…").waitFor();
    await Promise.all(Array.from({ length: 8 }, (_, i) => WireGuest.in("lounge", own.url, `Guest ${i}`)));
    way.mend();
    await gus.problem("Lounge is full: choose another room").waitFor();
    await gus.page.locator(".pill").getByText("Connected", { exact: true }).waitFor();
    expect(await gus.page.locator(".rooms [aria-current]").count()).toBe(0);
    expect(await gus.textBox.isDisabled()).toBe(true);
    await gus.room("General").click();
    await gus.page.getByRole("heading", { name: "General" }).waitFor();
    await problemOf(gus).waitFor({ state: "detached" });
    expect(await gus.textBox.inputValue()).toBe("a draft");
    await gus.textBox.press("Enter");
    await gus.message("a draft").waitFor();
  });

  it("is in no room when its own is gone on its return", async () => {
    const hal = await blank();
    let connections = 0;
    let cut = () => {};
    await hal.page.routeWebSocket("**/ws/chat", (socket) => {
      const room = ++connections === 1 ? '"general"' : '"attic"';
      const there = socket.connectToServer();
      socket.onMessage((message) => there.send(String(message).replace('"general"', room)));
      cut = () => {
        void socket.close({ code: 1013 });
        void there.close();
      };
    });
    await hal.page.goto(server.url);
    await hal.logIn("Hal");
    cut();
    await hal.problem("General is gone: choose another room").waitFor();
    await hal.room("Lounge").click();
    await hal.page.getByRole("heading", { name: "Lounge" }).waitFor();
    await hal.say("here then");
    await hal.message("here then").waitFor();
  });

  it("is in the room that was chosen last, after quick clicks", async () => {
    const ida = await enter(server.url, "Ida");
    for (const clicks of ["lg", "gl", "lgl", "glg", "lglg", "llg", "glgl"]) {
      const before = ida.sent.length;
      await ida.page.evaluate((clicks) => {
        const [general, lounge] = document.querySelectorAll<HTMLElement>(".rooms button");
        for (const click of clicks) (click === "g" ? general : lounge)?.click();
      }, clicks);
      const last = clicks.endsWith("g") ? "General" : "Lounge";
      // The server is there after all joins.
      await expect.poll(() => ida.room(last).getAttribute("aria-current")).toBe("true");
      const joins = () => ida.sent.slice(before).filter((frame) => frame.includes("joinRoom"));
      await expect.poll(() => joins().at(-1)).toContain(`"${last.toLowerCase()}"`);
      await ida.page.getByRole("heading", { name: last }).waitFor();
      await ida.say(`after ${clicks}`);
      await ida.message(`after ${clicks}`).waitFor();
      // Those in between are not asked for.
      expect(joins()).toHaveLength(1);
    }
  });

  it.each(["the button", "a reconnect"])("loads the rooms by %s when that has failed", async (cure) => {
    const way = await faultyWay();
    const jo = await blank();
    let requests = 0;
    await jo.page.route("**/api/rooms", (route) => (++requests === 1 ? route.abort() : route.continue()));
    await jo.page.goto(way.url);
    await jo.page.getByLabel("Your name").fill(`Jo ${cure}`);
    await jo.page.keyboard.press("Enter");
    await problemOf(jo).waitFor();
    if (cure === "the button") await jo.page.getByRole("button", { name: "Load the rooms" }).click();
    else {
      way.cut();
      way.mend();
    }
    await jo.page.getByRole("heading", { name: "General" }).waitFor();
    await problemOf(jo).waitFor({ state: "detached" });
    expect(await jo.page.getByRole("button", { name: "Load the rooms" }).count()).toBe(0);
    await jo.say(`by ${cure}`);
    await jo.message(`by ${cure}`).waitFor();
  });

  it("keeps both windows of a user when its server has forgotten them", async () => {
    const own = await startOwnServer();
    const kit = await enter(own.url, "Kit");
    const saved = await kit.page.evaluate(() => sessionStorage.getItem("chat-session") ?? "");
    const copy = await blank();
    await copy.page.addInitScript((saved) => sessionStorage.setItem("chat-session", saved), saved);
    await copy.page.goto(own.url);
    await copy.page.locator("textarea:enabled").waitFor();
    await own.program.stop("SIGKILL");
    for (const one of [kit, copy]) {
      await one.status("Reconnecting…").waitFor();
      await one.textBox.fill("a draft");
    }
    await startOwnServer(own.port);
    for (const one of [kit, copy]) await one.status("Back. Messages may be missing").waitFor();
    for (const one of [kit, copy]) {
      expect(await one.textBox.inputValue()).toBe("a draft");
      await one.say(`from ${one === kit ? "one" : "the other"}`);
    }
    for (const one of [kit, copy]) for (const text of ["from one", "from the other"]) await one.message(text).waitFor();
  });

  it("says that it waits for a server that hangs, on entering and on leaving", async () => {
    const own = await startOwnServer();
    const lea = await Window.open(browser, own.url);
    await lea.page.getByLabel("Your name").fill("Lea");
    own.program.process.kill("SIGSTOP");
    await lea.page.keyboard.press("Enter");
    await lea.page.getByRole("status").getByText("Still waiting for the server…").waitFor();
    own.program.process.kill("SIGCONT");
    await lea.page.locator("textarea:enabled").waitFor();
    own.program.process.kill("SIGSTOP");
    await lea.page.getByRole("button", { name: "Leave" }).click();
    await lea.problem("Still waiting for the server…").waitFor();
    own.program.process.kill("SIGCONT");
    await lea.page.getByRole("heading", { name: "Come in" }).waitFor();
  });

  it("asks for a name when what it has saved is no log-in", async () => {
    const max = await Window.open(browser, server.url);
    for (const saved of [
      { token: "a\nbé", user: { id: "", name: "" } },
      { token: "gone", user: { id: "", name: "" } },
      { token: "", user: { id: "max", name: "Max" } },
    ]) {
      await max.page.evaluate((saved) => sessionStorage.setItem("chat-session", saved), JSON.stringify(saved));
      await max.page.reload();
      await max.page.getByRole("heading", { name: "Come in" }).waitFor();
    }
  });
});
