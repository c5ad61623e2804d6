import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { Gate } from "../../../test/support/gate.js";
import { buildForTests } from "./support/build.js";
import { ChatServer } from "./support/ChatServer.js";
import { Way } from "./support/Way.js";
import { executablePath, launchBrowser, Window } from "./support/Window.js";

/** What the built page does when its connection or its server is lost. */

describe.skipIf(executablePath === undefined)("the chat page", { timeout: 30_000 }, () => {
  let built: Awaited<ReturnType<typeof buildForTests>>;
  let server: ChatServer;
  let browser: Browser;

  beforeAll(async () => {
    built = await buildForTests("reconnect");
    [server, browser] = await Promise.all([ChatServer.start(built.server), launchBrowser()]);
  }, 30_000);

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  const enter = (name: string, url = server.url) => Window.enter(browser, url, name);

  /** A server of a test's own; `replace` starts another one in its place, which has forgotten everything. */
  async function startOwnServer() {
    const first = await ChatServer.start(built.server);
    onTestFinished(async () => void (await first.program.stop("SIGKILL")));
    const replace = async () => {
      const second = await ChatServer.start(built.server, first.port);
      onTestFinished(async () => void (await second.stop()));
    };
    return { url: first.url, port: first.port, kill: () => first.program.stop("SIGKILL"), replace };
  }

  it("says how many messages were sent meanwhile, and shows each once, when only the connection was lost", async () => {
    const way = await Way.to(server);
    const ann = await enter("Ann", way.url);
    const bo = await enter("Bo");
    await bo.say("before the cut");
    await ann.message("before the cut").waitFor();
    way.cut();
    await ann.status("Reconnecting…").waitFor();
    expect(await ann.page.locator(".pill").textContent()).toBe("Not connected");
    await ann.textBox.fill("written meanwhile");
    await ann.textBox.press("Enter");
    expect(await ann.sendButton.isDisabled()).toBe(true);
    const meanwhile = ["one", "two", "three"];
    for (const text of meanwhile) {
      await bo.say(text);
      await bo.message(text).waitFor();
    }
    await way.mend();
    await ann.status("Back; 3 messages were sent meanwhile").waitFor();
    // What was written is there, and still unsent.
    expect(await ann.textBox.inputValue()).toBe("written meanwhile");
    await ann.textBox.press("Enter");
    await bo.message("written meanwhile").waitFor();
    await ann.message("written meanwhile").waitFor();
    expect(await ann.texts("before the cut")).toEqual(["before the cut", ...meanwhile, "written meanwhile"]);
  });

  it("counts what was sent meanwhile in the other room", async () => {
    const way = await Way.to(server);
    const cy = await enter("Cy", way.url);
    const dee = await enter("Dee");
    await dee.room("Lounge").click();
    await dee.page.getByRole("heading", { name: "Lounge" }).waitFor();
    way.cut();
    await cy.status("Reconnecting…").waitFor();
    for (const text of ["first", "second"]) {
      await dee.say(text);
      await dee.message(text).waitFor();
    }
    await way.mend();
    await cy.status("Back. Nothing was sent meanwhile").waitFor();
    await cy.page.getByRole("button", { name: "Lounge 1 here 2 new" }).waitFor();
  });

  it("loads a history that it could not load before, when it returns", async () => {
    const eli = await enter("Eli");
    await eli.say("said before");
    await eli.message("said before").waitFor();
    const way = await Way.to(server);
    const fay = await Window.open(browser, way.url);
    await fay.page.route("**/api/rooms/history?*", (route) => route.abort());
    await fay.logIn("Fay");
    await fay.page.locator(".room .problem p").waitFor();
    expect(await fay.texts()).toEqual([]);
    await fay.page.unrouteAll();
    way.cut();
    await fay.status("Reconnecting…").waitFor();
    await way.mend();
    await fay.message("said before").waitFor();
    expect(await fay.texts()).toEqual(await eli.texts());
    await fay.page.locator(".room .problem p").waitFor({ state: "detached" });
  });

  it("counts down to the next try, and logs in again by itself when its server was restarted", async () => {
    const own = await startOwnServer();
    const gus = await Window.blank(browser);
    // The longest waits.
    await gus.page.addInitScript(() => {
      Math.random = () => 0.99;
    });
    await gus.page.goto(own.url);
    await gus.logIn("Gus");
    const way = await Way.to(own);
    const hal = await Window.blank(browser);
    // The shortest ones.
    await hal.page.addInitScript(() => {
      const random = Math.random;
      Math.random = () => 0.01 + random() / 50;
    });
    await hal.page.goto(way.url);
    await hal.logIn("Hal");
    await gus.page.locator(".pill").getByText("Connected", { exact: true }).waitFor();
    await gus.say("before");
    await hal.message("before").waitFor();
    await own.kill();
    const countdown = gus.page.locator(".countdown");
    for (const seconds of [2, 1]) await countdown.getByText(`next try in ${seconds} s`).waitFor();
    // It is not read out every second.
    expect(await gus.page.getByRole("status").getByText("next try").count()).toBe(0);
    await countdown.getByText("next try in 4 s").waitFor();

    // What it remembers is in memory only: the new server knows neither log-ins nor messages.
    await own.replace();
    await gus.page.getByRole("button", { name: "Try now" }).click();
    for (const one of [gus, hal]) {
      await one.status("Back. Messages may be missing").waitFor();
      await one.page.locator(".pill").getByText("Connected", { exact: true }).waitFor();
    }
    // Another interruption does not hide what the user has not read.
    way.cut();
    await hal.status("Reconnecting…").waitFor();
    await way.mend();
    await hal.status("Back. Messages may be missing").waitFor();
    await hal.page.locator(".pill").getByText("Connected", { exact: true }).waitFor();
    await hal.say("after");
    await gus.message("after").waitFor();
    await gus.say("and after that");
    for (const one of [gus, hal]) {
      await one.message("and after that").waitFor();
      expect(await one.texts()).toEqual(["before", "after", "and after that"]);
      await one.page.getByRole("button", { name: "OK" }).click();
      expect(await one.page.locator(".status").getByRole("status").textContent()).toBe("");
      // The log-in is the new one.
      await one.page.reload();
      await one.message("and after that").waitFor();
      expect(await one.texts()).toEqual(["after", "and after that"]);
    }
  });

  it("asks for another name when its own has been taken while its server was away", async () => {
    const own = await startOwnServer();
    const ida = await enter("Ida", own.url);
    const isTaken = new Gate();
    await ida.page.route("**/api/auth/login", async (route) => {
      await isTaken.passed;
      await route.continue();
    });
    await ida.textBox.fill("a draft");
    await own.kill();
    await own.replace();
    await enter("ida", own.url);
    isTaken.open();
    await ida.problem("Ida is here already: choose another name").waitFor();
    expect(await ida.page.getByLabel("Your name").inputValue()).toBe("Ida");
    await ida.logIn("Ida the first");
    expect(await ida.textBox.inputValue()).toBe("a draft");
    await ida.say("hello again");
    await ida.message("hello again").waitFor();
  });

  it("says that its user has logged in elsewhere, and does not come back", async () => {
    const jo = await Window.blank(browser);
    await jo.page.routeWebSocket("**/ws/chat", (socket) => {
      const there = socket.connectToServer();
      // As when the network has lost it: it does not hear whether it is there.
      there.onMessage((message) => {
        if (!String(message).includes("areYouThere")) socket.send(message);
      });
    });
    await jo.page.goto(server.url);
    await jo.logIn("Jo");
    const other = await enter("Jo");
    await jo.problem("You have logged in elsewhere").waitFor();
    expect(await jo.page.getByLabel("Your name").inputValue()).toBe("Jo");
    await other.say("still here");
    await other.message("still here").waitFor();
  });

  it("waits for a server that takes no connections yet, also at first", async () => {
    const kit = await Window.blank(browser);
    let attempts = 0;
    await kit.page.routeWebSocket("**/ws/chat", (socket) => {
      if (++attempts > 2) socket.connectToServer();
      else void socket.close({ code: 1013 });
    });
    await kit.page.goto(server.url);
    await kit.logIn("Kit");
    expect(attempts).toBe(3);
    await kit.say("here at last");
    await kit.message("here at last").waitFor();
  });
});
