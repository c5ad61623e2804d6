import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { CHROMIUM_ARGS, findChromium } from "../../../test/support/chromium.js";
import { Gate } from "../../../test/support/gate.js";
import { Balancer } from "../tools/cluster/Balancer.js";
import { buildForTests } from "./support/build.js";
import { ChatServer } from "./support/ChatServer.js";
import { CLIENT_FRAMES, SERVER_FRAMES_NOW, strangeFrames } from "./support/wire.js";

/** The built page in a real browser, against the built server. */

const executablePath = findChromium();

describe.skipIf(executablePath === undefined)("the chat page", { timeout: 30_000 }, () => {
  let built: Awaited<ReturnType<typeof buildForTests>>;
  let server: ChatServer;
  let browser: Browser;

  beforeAll(async () => {
    built = await buildForTests("browser");
    server = await ChatServer.start(built.server);
    browser = await chromium.launch({ executablePath: executablePath ?? "", args: CHROMIUM_ARGS });
  }, 30_000);

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** A separate window, as for another user. */
  async function openWindow(options: BrowserContextOptions = {}, url = server.url): Promise<Window> {
    const context = await browser.newContext({ viewport: { width: 1000, height: 700 }, ...options });
    onTestFinished(() => context.close());
    const window = new Window(await context.newPage());
    await window.page.goto(url);
    return window;
  }

  async function enter(name: string, options?: BrowserContextOptions, url?: string): Promise<Window> {
    const window = await openWindow(options, url);
    await window.logIn(name);
    return window;
  }

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
    const impostor = await openWindow();
    await impostor.page.getByLabel("Your name").fill("ann");
    await impostor.page.keyboard.press("Enter");
    await impostor.toast("ann is here already: choose another name").waitFor();

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

  it("shows why a message or a name is rejected, and keeps the text", async () => {
    const cy = await openWindow();
    await cy.page.getByRole("button", { name: "Join the chat" }).click();
    await cy.toast("Name: Value must not be empty").waitFor();
    await cy.logIn("Cy");
    await cy.say("   ");
    await cy.toast("Text: Value must not be empty").waitFor();
    await cy.say("x".repeat(2001));
    await cy.toast("Text: Value must be at most 2000 characters").waitFor();
    expect(await cy.textBox.inputValue()).toHaveLength(2001);
    expect(cy.sent.filter((frame) => frame.includes("sendMessage"))).toEqual([]);
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
    await eli.page.getByRole("button", { name: "Lounge" }).click();
    await eli.page.getByRole("heading", { name: "Lounge" }).waitFor();
    await eli.page.getByText("No messages yet").waitFor();
    expect(await eli.message("said in general").count()).toBe(0);
    await eli.page.reload();
    await eli.message("said in general").waitFor();
    expect(await eli.page.locator(".profile .name").textContent()).toBe("Eli");
  });

  it("works from the keyboard, at the width of a phone", async () => {
    const fay = await enter("Fay", { viewport: { width: 360, height: 640 } });
    await fay.textBox.pressSequentially("first");
    await fay.page.keyboard.press("Shift+Enter");
    await fay.textBox.pressSequentially("second");
    await fay.page.keyboard.press("Enter");
    await fay.message("first\nsecond").waitFor();
    expect(await fay.page.getByRole("log").getAttribute("aria-live")).toBe("polite");
    const sideways = await fay.page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    expect(sideways).toBe(false);
  });

  it("says that it has reconnected, and shows every message once, when only the connection was lost", async () => {
    const way = await Way.to(server);
    const jo = await enter("Jo", {}, way.url);
    const kit = await enter("Kit");
    await kit.say("before the cut");
    await jo.message("before the cut").waitFor();
    way.cut();
    await jo.page.getByText("Disconnected").waitFor();
    const meanwhile = ["one", "two", "three"].map((text) => `${text} meanwhile`);
    for (const text of meanwhile) {
      await kit.say(text);
      await kit.message(text).waitFor();
    }
    await way.mend();
    await jo.page.getByRole("status").getByText("Reconnected", { exact: true }).waitFor();
    await kit.say("after the cut");
    await jo.message("after the cut").waitFor();
    expect(await jo.texts("before the cut")).toEqual(["before the cut", ...meanwhile, "after the cut"]);
  });

  it("loads a history that it could not load before, when it returns", async () => {
    const lou = await enter("Lou");
    await lou.say("said before");
    await lou.message("said before").waitFor();
    const way = await Way.to(server);
    const max = await openWindow({}, way.url);
    await max.page.route("**/api/rooms/history?*", (route) => route.abort());
    await max.logIn("Max");
    await max.page.locator(".toast").waitFor();
    expect(await max.texts()).toEqual([]);
    await max.page.unrouteAll();
    way.cut();
    await max.page.getByText("Disconnected").waitFor();
    await way.mend();
    await max.message("said before").waitFor();
    expect(await max.texts()).toEqual(await lou.texts());
  });

  it("shows a lost connection, returns by itself or at a click, and says that messages may be missing", async () => {
    const own = await ChatServer.start(built.server);
    const gus = await enter("Gus", {}, own.url);
    const hal = await enter("Hal", {}, own.url);
    await gus.page.getByText("Connected", { exact: true }).waitFor();
    await gus.say("before");
    await hal.message("before").waitFor();
    await own.program.stop("SIGKILL");
    await gus.page.getByText("Disconnected").waitFor();
    expect(await gus.textBox.isDisabled()).toBe(true);
    await gus.page.getByRole("button", { name: "Reconnect" }).click();
    await gus.page.locator(".toast", { hasText: "ChatApi: could not connect" }).waitFor();

    // What it remembers is in memory only: the new server knows neither log-ins nor messages.
    const again = await ChatServer.start(built.server, own.port);
    onTestFinished(async () => void (await again.stop()));
    for (const { page, textBox } of [gus, hal]) {
      await page.getByRole("status").getByText("You may have missed messages").waitFor();
      await page.getByText("Connected", { exact: true }).waitFor();
      expect(await textBox.isEnabled()).toBe(true);
    }
    await hal.say("after");
    await gus.message("after").waitFor();
    await gus.say("and after that");
    for (const one of [gus, hal]) {
      await one.message("and after that").waitFor();
      expect(await one.texts()).toEqual(["before", "after", "and after that"]);
      expect(await one.page.getByText("Reconnected").count()).toBe(0);
      await one.page.getByRole("button", { name: "Dismiss" }).first().click();
      await one.page.getByText("You may have missed messages").waitFor({ state: "detached" });
      // The log-in is the new one.
      await one.page.reload();
      await one.message("and after that").waitFor();
      expect(await one.texts()).toEqual(["after", "and after that"]);
    }
  });

  it("asks for another name when its own has been taken while its server was away", async () => {
    const own = await ChatServer.start(built.server);
    const ivy = await enter("Ivy", {}, own.url);
    const isTaken = new Gate();
    await ivy.page.route("**/api/auth/login", async (route) => {
      await isTaken.passed;
      await route.continue();
    });
    await own.program.stop("SIGKILL");
    const again = await ChatServer.start(built.server, own.port);
    onTestFinished(async () => void (await again.stop()));
    await enter("ivy", {}, again.url);
    isTaken.open();
    await ivy.toast("Ivy is here already: choose another name").waitFor();
    await ivy.logIn("Ivy the first");
    await ivy.say("hello again");
    await ivy.message("hello again").waitFor();
  });
});

/** A way to a server that can be cut, while the server goes on. */
class Way {
  #balancer: Balancer;

  private constructor(
    private readonly server: ChatServer,
    readonly port: number,
    balancer: Balancer,
  ) {
    this.#balancer = balancer;
    onTestFinished(() => this.cut());
  }

  static async to(server: ChatServer): Promise<Way> {
    const balancer = new Balancer(() => [Number(server.port)]);
    return new Way(server, await balancer.listen(0), balancer);
  }

  get url(): string {
    return `http://localhost:${this.port}`;
  }

  cut(): void {
    this.#balancer.close();
  }

  async mend(): Promise<void> {
    this.#balancer = new Balancer(() => [Number(this.server.port)]);
    await this.#balancer.listen(this.port);
  }
}

/** A page, and the frames of its sockets. */
class Window {
  readonly sent: string[] = [];
  readonly received: string[] = [];
  /** The page's errors. */
  readonly failures: string[] = [];

  constructor(readonly page: Page) {
    page.on("pageerror", (error) => this.failures.push(String(error)));
    page.on("websocket", (socket) => {
      socket.on("framesent", ({ payload }) => this.sent.push(...String(payload).split("\n")));
      socket.on("framereceived", ({ payload }) => this.received.push(...String(payload).split("\n")));
    });
  }

  get textBox() {
    return this.page.getByRole("textbox", { name: "Message" });
  }

  async logIn(name: string): Promise<void> {
    await this.page.getByLabel("Your name").fill(name);
    await this.page.keyboard.press("Enter");
    await this.page.locator("textarea:enabled").waitFor();
  }

  async say(text: string): Promise<void> {
    await this.textBox.fill(text);
    await this.page.keyboard.press("Enter");
  }

  message(text: string) {
    return this.page.locator(".bubble").getByText(text, { exact: true });
  }

  /** All messages that are shown, or those from one on. */
  async texts(from?: string): Promise<string[]> {
    const texts = await this.page.locator(".bubble").allTextContents();
    return from === undefined ? texts : texts.slice(texts.indexOf(from));
  }

  toast(text: string) {
    return this.page.getByRole("alert").getByText(text, { exact: true });
  }

  /** The kinds of frames sent, as `type:method`, without typing notices and pings, which depend on time. */
  kinds() {
    const kind = (frame: string) =>
      frame.replace(/^(\w):(?:ChatApi\.)?(\w*):.*$/s, (_, type, method) => (method ? `${type}:${method}` : type));
    const kindsOf = (frames: string[]) => [...new Set(frames.map(kind))].sort();
    return {
      sent: kindsOf(this.sent).filter((one) => one !== "m:startTyping" && one !== "m:ping"),
      received: kindsOf(this.received),
    };
  }
}
