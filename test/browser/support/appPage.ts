import type { BrowserContext, Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import type { AppOptions, AppOutcome } from "../../fixtures/browser/main.js";
import { Queue } from "../../support/queue.js";

/** What Chromium itself prints when a connection fails. */
const FAILED_DIAL = /^WebSocket connection to .* failed:/;

/** The app in a window, with all frames of its sockets and all events of its client. */
export class AppPage {
  readonly events = new Queue<string>();
  readonly sent = new Frames();
  readonly received = new Frames();
  readonly urls: string[] = [];
  readonly #complaints: string[] = [];
  readonly #expected: RegExp[] = [];

  private constructor(readonly page: Page) {
    page.on("pageerror", (error) => this.#complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.#complaints.push(message.text());
    });
    page.on("websocket", (socket) => {
      this.urls.push(socket.url());
      socket.on("framesent", ({ payload }) => this.sent.push(...messagesOf(payload)));
      socket.on("framereceived", ({ payload }) => this.received.push(...messagesOf(payload)));
    });
  }

  /** Opens the app. A page that prints anything or fails makes its test fail. */
  static async open(context: BrowserContext, url: string): Promise<AppPage> {
    const app = new AppPage(await context.newPage());
    onTestFinished(async () => {
      await app.page.close();
      const isExpected = (text: string) => app.#expected.some((pattern) => pattern.test(text));
      expect(app.#complaints.filter((text) => !isExpected(text))).toEqual([]);
    });
    await app.page.exposeFunction("report", (event: string) => app.events.push(event));
    await app.page.goto(url);
    return app;
  }

  /** Chromium prints an error for each attempt that fails below the program. */
  expectFailedDials(): void {
    this.expectPrinted(FAILED_DIAL);
  }

  /** The page may print this. */
  expectPrinted(pattern: RegExp): void {
    this.#expected.push(pattern);
  }

  async create(options: AppOptions = {}): Promise<void> {
    await this.page.evaluate((given) => pageApp.create(given), options);
  }

  connect(): Promise<AppOutcome> {
    return this.page.evaluate(() => pageApp.connect());
  }

  /** Connects, and resolves when the server has greeted this connection. */
  async connectAndHear(): Promise<void> {
    expect(await this.connect()).toEqual({ ok: undefined });
    await this.heard("news welcome to lobby");
  }

  greet(name: string): Promise<AppOutcome> {
    return this.page.evaluate((given) => pageApp.greet(given), name);
  }

  /** Begins a call that the server answers when the test says so. */
  wait(): { readonly outcome: Promise<AppOutcome> } {
    const outcome = this.page.evaluate(() => pageApp.settled(pageApp.client.outgoing.wait()));
    outcome.catch(() => {});
    return { outcome };
  }

  /** Resolves when the client has reported this event, and returns the events before it. */
  async heard(event: string): Promise<string[]> {
    const before: string[] = [];
    for (;;) {
      const next = await this.events.next();
      if (next === event) return before;
      before.push(next);
    }
  }
}

/** The frames of one direction. DevTools report them slightly later than the program gets them. */
class Frames {
  readonly #seen: string[] = [];
  #wake: () => void = () => {};

  push(...frames: string[]): void {
    this.#seen.push(...frames);
    this.#wake();
  }

  /** All of them, once there are at least `count`. */
  async atLeast(count: number): Promise<readonly string[]> {
    while (this.#seen.length < count) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#seen;
  }
}

/** The messages of a batch. */
function messagesOf(payload: string | Buffer): string[] {
  return String(payload).split("\n");
}
