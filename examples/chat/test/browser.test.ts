import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildForTests } from "./support/build.js";
import { ChatServer } from "./support/ChatServer.js";
import { executablePath, launchBrowser, Window } from "./support/Window.js";
import { CLIENT_FRAMES, SERVER_FRAMES_NOW, strangeFrames } from "./support/wire.js";

/** What people do in the built page, in a real browser, against the built server. */

describe.skipIf(executablePath === undefined)("the chat page", { timeout: 30_000 }, () => {
  let server: ChatServer;
  let browser: Browser;

  beforeAll(async () => {
    const built = await buildForTests("browser");
    [server, browser] = await Promise.all([ChatServer.start(built.server), launchBrowser()]);
  }, 30_000);

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  const enter = (name: string) => Window.enter(browser, server.url, name);

  it("carries a message from one window to another, with every frame as it should be", async () => {
    const ann = await enter("Ann");
    const bo = await enter("Bo");
    await ann.page.locator(".members li", { hasText: "Bo" }).waitFor();

    await bo.textBox.pressSequentially("Hel");
    await ann.page.getByText("Bo is typing…").waitFor();
    await bo.say("Hello, Ann! <b>é</b>: 1:2:3");
    await ann.message("Hello, Ann! <b>é</b>: 1:2:3").waitFor();
    await bo.page.getByText("Seen by Ann").waitFor();
    expect(await bo.page.locator(".message.own").count()).toBe(1);
    expect(await ann.page.locator(".message.own").count()).toBe(0);
    expect(await ann.page.locator(".typing").textContent()).toBe("");

    await ann.say("Hello, Bo!");
    await bo.message("Hello, Bo!").waitFor();
    await ann.page.getByText("Seen by Bo").waitFor();

    // The server asks Ann's page whether she is there before it would assign her name to another user.
    const impostor = await Window.open(browser, server.url);
    await impostor.page.getByLabel("Your name").fill("ann");
    await impostor.page.keyboard.press("Enter");
    await impostor.problem("ann is here already: choose another name").waitFor();

    for (const { sent, received } of [ann, bo]) {
      expect(sent[0]).toMatch(/^h:::\{"authorization":"Bearer [\w-]{32}",/);
      expect(received[0]).toMatch(/^k:::/);
      expect(strangeFrames(sent, CLIENT_FRAMES)).toEqual([]);
      expect(strangeFrames(received, SERVER_FRAMES_NOW)).toEqual([]);
    }
    expect(ann.kinds()).toEqual({
      sent: ["h", "m:markAsRead", "r:joinRoom", "r:sendMessage", "s:areYouThere"],
      received: [
        "g",
        "k",
        "m:messageRead",
        "m:newMessage",
        "m:presence",
        "m:typing",
        "r:areYouThere",
        "s:joinRoom",
        "s:sendMessage",
      ],
    });
    expect([...ann.failures, ...bo.failures]).toEqual([]);
  });

  it("asks for a name in its own words, and sends only what can be sent", async () => {
    const cy = await Window.open(browser, server.url);
    await cy.page.getByRole("button", { name: "Join the chat" }).click();
    await cy.problem("Type a name first").waitFor();
    await cy.page.getByLabel("Your name").fill("Cy");
    expect(await cy.page.getByRole("alert").textContent()).toBe("");
    await cy.logIn("Cy");

    for (const text of ["", "   ", "x".repeat(2001)]) {
      await cy.say(text);
      expect(await cy.sendButton.isDisabled(), text.slice(0, 9)).toBe(true);
      expect(await cy.textBox.inputValue()).toBe(text);
    }
    await cy.page.getByText("2001 of 2000 characters").waitFor();
    expect(await cy.textBox.getAttribute("aria-invalid")).toBe("true");
    await cy.textBox.fill("x".repeat(2000));
    expect(await cy.sendButton.isEnabled()).toBe(true);
    await cy.sendButton.click();
    await cy.message("x".repeat(2000)).waitFor();
    expect(cy.sent.filter((frame) => frame.includes("sendMessage"))).toHaveLength(1);
  });

  it("shows what people write as text, never as markup", async () => {
    const dee = await enter("Dee <i>");
    const markup = `<img src=x onerror="document.title='gone'">`;
    await dee.say(markup);
    await dee.message(markup).waitFor();
    expect(await dee.page.locator(".messages img").count()).toBe(0);
    expect(await dee.page.locator(".members li i").count()).toBe(0);
    expect(await dee.page.title()).toBe("General · Chat");
  });

  it("has two rooms with a history each, and a reload stays logged in", async () => {
    const eli = await enter("Eli");
    await eli.say("said in general");
    await eli.message("said in general").waitFor();
    await eli.room("Lounge").click();
    await eli.page.getByRole("heading", { name: "Lounge" }).waitFor();
    await eli.page.getByText("Nothing here yet").waitFor();
    expect(await eli.message("said in general").count()).toBe(0);
    await eli.page.reload();
    await eli.message("said in general").waitFor();
    expect(await eli.page.locator(".profile .name").textContent()).toBe("Eli");
  });

  it("counts what is said in the other room until it is visited", async () => {
    const fay = await enter("Fay");
    const gus = await enter("Gus");
    await gus.room("Lounge").click();
    await gus.page.getByRole("heading", { name: "Lounge" }).waitFor();
    for (const text of ["one", "two", "three"]) {
      await gus.say(text);
      await gus.message(text).waitFor();
    }
    await fay.page.getByRole("button", { name: "Lounge 1 here 3 new" }).waitFor();
    expect(await fay.page.title()).toBe("(3) General · Chat");
    // Once, and not with every message.
    expect(await fay.page.locator(".rooms").getByRole("status").textContent()).toBe("New messages in Lounge");

    await fay.room("Lounge").click();
    await fay.message("three").waitFor();
    expect(await fay.page.locator(".news:not(:empty)").count()).toBe(0);
    expect(await fay.page.title()).toBe("Lounge · Chat");
    await gus.say("four");
    await fay.message("four").waitFor();
    expect(await fay.page.locator(".news:not(:empty)").count()).toBe(0);
    // A user's own messages are no news.
    expect(await gus.page.locator(".news:not(:empty)").count()).toBe(0);
  });

  it("shows one problem at a time, where it covers nothing, until the user goes on or leaves", async () => {
    const hal = await enter("Hal");
    await hal.page.route("**/api/rooms/history?*", (route) => route.abort());
    for (const room of ["Lounge", "General", "Lounge"]) {
      await hal.room(room).click();
      await hal.page.getByRole("heading", { name: room }).waitFor();
      await hal.page.locator(".room .problem p").waitFor();
      expect(await hal.page.locator(".problem p").count()).toBe(1);
    }
    await hal.say("and on");
    await hal.message("and on").waitFor();
    expect(await hal.page.locator(".problem p").count()).toBe(0);

    await hal.room("General").click();
    const problem = hal.page.locator(".room .problem p");
    await problem.waitFor();
    expect(await problem.textContent()).toMatch(/^The server cannot be reached/);
    await hal.page.getByRole("button", { name: "Leave" }).click();
    await hal.page.getByRole("heading", { name: "Come in" }).waitFor();
    expect(await hal.page.getByRole("alert").textContent()).toBe("");
  });

  it("keeps the newest message in view when a notice takes room, but not when the user reads earlier ones", async () => {
    const ida = await enter("Ida");
    for (let i = 0; i < 20; i++) await ida.say(`message ${i}`);
    await ida.message("message 19").waitFor();
    const isInView = () =>
      ida.page.evaluate(() => {
        const list = document.querySelector(".messages")?.getBoundingClientRect();
        const newest = document.querySelector(".message:last-child .bubble")?.getBoundingClientRect();
        return list !== undefined && newest !== undefined && newest.bottom <= list.bottom && newest.top >= list.top;
      });
    await ida.page.evaluate(() => {
      // What is shown when something fails.
      document.querySelector(".room .problem")?.append("x".repeat(600));
    });
    await expect.poll(isInView).toBe(true);
    await ida.page.locator(".messages").evaluate((list) => {
      list.scrollTop = 0;
    });
    await expect.poll(isInView).toBe(false);
    const jo = await enter("Jo");
    await jo.say("one more");
    await ida.message("one more").waitFor();
    expect(await ida.page.locator(".messages").evaluate((list) => list.scrollTop)).toBe(0);
  });
});
