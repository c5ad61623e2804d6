import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { onTestFinished } from "vitest";
import { CHROMIUM_ARGS, findChromium } from "../../../../test/support/chromium.js";

/** Absent where no Chromium is installed: its tests are skipped. */
export const executablePath = findChromium();

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: executablePath ?? "", args: CHROMIUM_ARGS });

/** A window of a user of their own, and the frames of its sockets. Closed with its test. */
export class Window {
  readonly sent: string[] = [];
  readonly received: string[] = [];
  /** The page's errors. */
  readonly failures: string[] = [];

  private constructor(readonly page: Page) {
    page.on("pageerror", (error) => this.failures.push(String(error)));
    page.on("websocket", (socket) => {
      socket.on("framesent", ({ payload }) => this.sent.push(...String(payload).split("\n")));
      socket.on("framereceived", ({ payload }) => this.received.push(...String(payload).split("\n")));
    });
  }

  /** One that has opened no page yet. */
  static async blank(browser: Browser, options: BrowserContextOptions = {}): Promise<Window> {
    const context = await browser.newContext({ viewport: { width: 1000, height: 700 }, ...options });
    onTestFinished(() => context.close());
    return new Window(await context.newPage());
  }

  static async open(browser: Browser, url: string, options?: BrowserContextOptions): Promise<Window> {
    const window = await Window.blank(browser, options);
    await window.page.goto(url);
    return window;
  }

  /** One whose user is logged in, and in the first room. */
  static async enter(browser: Browser, url: string, name: string, options?: BrowserContextOptions): Promise<Window> {
    const window = await Window.open(browser, url, options);
    await window.logIn(name);
    return window;
  }

  get textBox() {
    return this.page.getByRole("textbox", { name: "Message" });
  }

  get sendButton() {
    return this.page.getByRole("button", { name: "Send" });
  }

  /** What the page says of the connection: the text of its status bar. */
  status(text: string | RegExp) {
    return this.page.locator(".status").getByRole("status").getByText(text);
  }

  /** Why something did not happen. */
  problem(text: string | RegExp) {
    return this.page.getByRole("alert").getByText(text, { exact: true });
  }

  room(name: string) {
    return this.page.getByRole("navigation", { name: "Rooms" }).getByRole("button", { name });
  }

  message(text: string) {
    return this.page.locator(".bubble").getByText(text, { exact: true });
  }

  /** All messages that are shown, or those from one on. */
  async texts(from?: string): Promise<string[]> {
    const texts = await this.page.locator(".bubble").allTextContents();
    return from === undefined ? texts : texts.slice(texts.indexOf(from));
  }

  async logIn(name: string): Promise<void> {
    await this.page.getByLabel("Your name").fill(name);
    await this.page.keyboard.press("Enter");
    await this.page.locator("textarea:enabled").waitFor();
  }

  async say(text: string): Promise<void> {
    await this.textBox.fill(text);
    await this.textBox.press("Enter");
  }

  /** The kinds of frames sent, as `type:method`, without typing notices, which depend on time. */
  kinds() {
    const kind = (frame: string) =>
      frame.replace(/^(\w):(?:ChatApi\.)?(\w*):.*$/s, (_, type, method) => (method ? `${type}:${method}` : type));
    const kindsOf = (frames: string[]) => [...new Set(frames.map(kind))].sort();
    return { sent: kindsOf(this.sent).filter((one) => one !== "m:startTyping"), received: kindsOf(this.received) };
  }
}
