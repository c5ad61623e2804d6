import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults, RunOptions } from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { buildForTests } from "./support/build.js";
import { ChatServer } from "./support/ChatServer.js";
import { Way } from "./support/Way.js";
import { executablePath, launchBrowser, Window } from "./support/Window.js";

/** Whether everyone can use the built page: on any screen, in any colours, with any names. */

const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1000, height: 700 };

/** 24 characters, the most: wide ones, and without a place to break them. */
const LONG_NAME = "WWWWWWWWWWWWWWWWWWWWWWWW";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

describe.skipIf(executablePath === undefined)("the chat page", { timeout: 60_000 }, () => {
  let server: ChatServer;
  let browser: Browser;

  beforeAll(async () => {
    const built = await buildForTests("looks");
    [server, browser] = await Promise.all([ChatServer.start(built.server), launchBrowser()]);
  }, 30_000);

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  const enter = (name: string, url = server.url) => Window.enter(browser, url, name);

  it("has nothing that axe finds, and targets of 44 px, in each state, in light and dark, at a desk and on a phone", async () => {
    const way = await Way.to(server);
    const ann = await Window.open(browser, way.url);
    const { page } = ann;
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.evaluate(axe);
    const check = (state: string) => isAccessible(page, state);

    await check("log-in");
    await page.keyboard.press("Enter");
    await ann.problem("Type a name first").waitFor();
    await check("log-in with a problem");
    await ann.logIn("Ann");
    await page.getByText("Nothing here yet").waitFor();
    await check("empty room");

    const long = await enter(LONG_NAME);
    await long.say(LONG_NAME.repeat(20));
    await ann.message(LONG_NAME.repeat(20)).waitFor();
    await ann.say("short");
    await page.getByText(`Seen by ${LONG_NAME}`).waitFor();
    await long.room("Lounge").click();
    await long.page.getByRole("heading", { name: "Lounge" }).waitFor();
    await long.say("some news");
    await page.locator(".news:not(:empty)").waitFor();
    await long.room("General").click();
    await page.locator(".members li", { hasText: LONG_NAME }).waitFor({ state: "attached" });
    await ann.textBox.fill("x".repeat(2001));
    await check("a conversation with a long name, news, and a text that is too long");

    await page.setViewportSize(PHONE);
    await page.getByRole("button", { name: "2 here" }).click();
    await page.getByText(LONG_NAME, { exact: true }).last().waitFor();
    await check("the people, on a phone");
    await page.keyboard.press("Escape");

    await page.route("**/api/rooms/history?*", (route) => route.abort());
    await ann.room("Lounge").click();
    await page.locator(".room .problem p").waitFor();
    await check("a problem");
    way.cut();
    await ann.status("Reconnecting…").waitFor();
    await page.locator(".countdown", { hasText: "next try" }).waitFor();
    await check("reconnecting");
    await way.mend();
    await page.getByRole("button", { name: "OK" }).waitFor();
    await check("messages may be missing");
  });

  it("lists the people of a room on a phone, and crops no avatar", async () => {
    const bo = await enter("Bo");
    await bo.page.setViewportSize(PHONE);
    await Promise.all(["Cy", "Dee", "Eli", LONG_NAME].map((name) => enter(name)));
    const button = bo.page.getByRole("button", { name: "5 here" });
    await button.waitFor();
    const panel = bo.page.locator(".panel");
    expect(await panel.isVisible()).toBe(false);
    const [bar, ...discs] = await bo.page.evaluate(() =>
      [document.querySelector(".people > button"), ...document.querySelectorAll(".people > button .avatar")].map(
        (one) => {
          const { left, right } = one?.getBoundingClientRect() ?? { left: 0, right: 0 };
          return { left, right };
        },
      ),
    );
    expect(discs).toHaveLength(3);
    for (const { left, right } of discs) {
      expect(left).toBeGreaterThanOrEqual(bar?.left ?? 0);
      expect(right).toBeLessThanOrEqual(bar?.right ?? 0);
    }
    expect(bar?.right).toBeLessThanOrEqual(PHONE.width);

    await button.press("Enter");
    expect(await panel.locator("li .name").allTextContents()).toEqual(["Bo", "Cy", "Dee", "Eli", LONG_NAME]);
    await panel.getByRole("button", { name: "Leave" }).waitFor();
    await bo.page.keyboard.press("Escape");
    await panel.waitFor({ state: "hidden" });
    expect(await button.evaluate((one) => one === document.activeElement)).toBe(true);
    await button.click();
    await panel.waitFor();
    await bo.page.locator(".messages").click();
    await panel.waitFor({ state: "hidden" });
  });

  it("gives the people of a room different colours, as long as there are enough", async () => {
    const own = await enter("Person 0");
    // The connections of people without a browser.
    await Promise.all(Array.from({ length: 11 }, (_, i) => startGuest(`Person ${i + 1}`)));
    await own.page.locator(".members li:nth-child(12)").waitFor();
    const colours = await own.page
      .locator(".members .avatar")
      .evaluateAll((avatars) => avatars.map((one) => getComputedStyle(one).backgroundColor));
    expect(new Set(colours).size).toBe(12);
  });

  it("says the time once for a group of messages, and who wrote it", async () => {
    const fay = await enter("Fay");
    const gus = await enter("Gus");
    for (const one of [fay, fay, fay, gus, gus, fay]) {
      const text = `${await gus.page.locator(".bubble").count()} messages before`;
      await one.say(text);
      await gus.message(text).waitFor();
    }
    const groups = await gus.page
      .locator(".message")
      .evaluateAll((items) =>
        items
          .slice(-6)
          .map((item) => [item.querySelector("time") !== null, item.querySelector(".byline span")?.textContent]),
      );
    expect(groups).toEqual([
      [true, "Fay"],
      [false, "Fay"],
      [false, "Fay"],
      [true, "You"],
      [false, "You"],
      [true, "Fay"],
    ]);
  });

  it.each([LONG_NAME, "Donaudampfschifffahrtsge", `${"w".repeat(12)} ${"W".repeat(11)}`])(
    "fits messages by %s on the smallest phone",
    async (name) => {
      const ida = await enter(`Ida ${name[0]}`);
      await ida.page.setViewportSize({ width: 360, height: 640 });
      const text = `a usual message that is long enough to fill a phone, by ${name}`;
      const writer = await enter(name);
      await writer.say(text);
      await ida.message(text).waitFor();
      const outside = await ida.page.evaluate(() =>
        [...document.querySelectorAll(".message *, .messages")].flatMap((one) => {
          const { left, right } = one.getBoundingClientRect();
          return left >= 0 && right <= innerWidth && one.scrollWidth <= Math.max(one.clientWidth, 32) + 1
            ? []
            : [one.outerHTML.slice(0, 200)];
        }),
      );
      expect(outside).toEqual([]);
    },
  );

  it("keeps the direction of names and messages to themselves", async () => {
    const kim = await enter("Kim");
    // Unfinished overrides, which would turn the rest of a line around.
    const name = "\u202egnp.exe";
    const writer = await enter(name);
    await kim.page.locator(".members bdi", { hasText: name }).waitFor();
    await writer.textBox.pressSequentially("x");
    await kim.page.locator(".typing bdi", { hasText: name }).waitFor();
    const texts = { rtl: "שלום, abc! 123", ltr: "abc, שלום" };
    for (const [direction, text] of Object.entries(texts)) {
      await writer.say(text);
      const bubble = kim.message(text);
      await bubble.waitFor();
      expect(await bubble.evaluate((one) => getComputedStyle(one).direction)).toBe(direction);
    }
    await kim.page.locator(".sender bdi", { hasText: name }).first().waitFor();
    await kim.say("to be seen");
    await kim.page.locator(".receipt bdi", { hasText: name }).waitFor();
    await writer.page.locator(".profile bdi", { hasText: name }).waitFor();
  });

  /** A person who is in the first room. */
  async function startGuest(name: string): Promise<void> {
    const response = await fetch(`${server.url}/api/auth/login`, { method: "POST", body: JSON.stringify({ name }) });
    const { data } = (await response.json()) as { data: { token: string } };
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/ws/chat`);
    onTestFinished(() => socket.close());
    socket.addEventListener("open", () => {
      socket.send(`h:::{"authorization":"Bearer ${data.token}"}`);
      socket.send(`r:ChatApi.joinRoom:1:{"roomId":"general"}`);
    });
  }
});

/** What axe finds in light; in dark, only colours differ. On both screens, where nothing may be wider than it. */
async function isAccessible(page: Page, state: string): Promise<void> {
  const own = page.viewportSize();
  for (const viewport of [DESKTOP, PHONE]) {
    await page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const where = `${state}, ${colorScheme}, ${viewport.width} px`;
      expect(await findings(page, colorScheme === "dark" ? ["color-contrast"] : undefined), where).toEqual([]);
    }
    const where = `${state}, ${viewport.width} px`;
    expect(await smallTargets(page), where).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), where).toBe(viewport.width);
    expect(await cropped(page), where).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: "light" });
  if (own) await page.setViewportSize(own);
}

async function findings(page: Page, only?: readonly string[]): Promise<string[]> {
  const options: RunOptions = only ? { runOnly: { type: "rule", values: [...only] } } : {};
  const { violations } = await page.evaluate(
    (options) => (window as unknown as { axe: { run(options: RunOptions): Promise<AxeResults> } }).axe.run(options),
    options,
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** What is to be pressed, and is smaller than a fingertip. */
function smallTargets(page: Page): Promise<string[]> {
  return page.locator("button, input, textarea, a").evaluateAll((targets) =>
    targets.flatMap((target) => {
      const { width, height } = target.getBoundingClientRect();
      return width === 0 || (width >= 44 && height >= 44) ? [] : [`${width} x ${height}: ${target.outerHTML}`];
    }),
  );
}

/** What is wider than the box that it is in, and does not end in an ellipsis. */
function cropped(page: Page): Promise<string[]> {
  return page.locator("aside, aside *, .room > header *, .message *").evaluateAll((all) =>
    all.flatMap((one) => {
      const { clipPath, textOverflow } = getComputedStyle(one);
      const isExempt = clipPath !== "none" || one.matches(".avatar");
      if (isExempt || one.scrollWidth <= one.clientWidth || textOverflow === "ellipsis") return [];
      return one.clientWidth === 0 ? [] : [one.outerHTML.slice(0, 200)];
    }),
  );
}
