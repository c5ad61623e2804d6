import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, vi } from "vitest";
import { CHROMIUM_ARGS, findChromium } from "../../support/chromium.js";
import { haveEcosystem } from "../../support/ecosystem.js";
import { fixture } from "../../support/paths.js";
import { BoardServer } from "./boardServer.js";
import { bundleReact, REACTS, type ReactVersion } from "./bundleReact.js";

const executablePath = findChromium();
const versions = haveEcosystem() ? REACTS : REACTS.filter((version) => version !== 18);

/** What Chromium itself prints when a connection fails. */
export const FAILED_DIAL = /^WebSocket connection to .* failed:/;

/** Waits for a state, for less long than a test may take. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 10_000, interval: 10 });
}

/** A page with React, in which tests write components by `lab`. */
export class LabPage {
  readonly #complaints: string[] = [];
  readonly #expected: RegExp[] = [];
  #sockets = 0;

  private constructor(readonly page: Page) {
    page.on("pageerror", (error) => this.#complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.#complaints.push(message.text());
    });
    page.on("websocket", () => this.#sockets++);
  }

  /** Opens the page. One that prints anything, or fails, makes its test fail. */
  static async open(context: BrowserContext, url: string): Promise<LabPage> {
    const view = new LabPage(await context.newPage());
    onTestFinished(async () => {
      await view.page.close();
      expect(view.complaints).toEqual([]);
    });
    await view.page.goto(url);
    return view;
  }

  /** What the page has printed, or failed with, unexpectedly. */
  get complaints(): string[] {
    return this.#complaints.filter((text) => !this.#expected.some((pattern) => pattern.test(text)));
  }

  /** How many sockets the page has made. */
  get sockets(): number {
    return this.#sockets;
  }

  /** The page may print this. */
  expectPrinted(pattern: RegExp): void {
    this.#expected.push(pattern);
  }

  /** Waits until the components show exactly these texts. */
  shows(...texts: string[]): Promise<void> {
    return eventually(async () => expect(await this.page.locator("p").allTextContents()).toEqual(texts));
  }

  /** Waits until the components have reported this, in this order, and nothing else. */
  logged(...entries: string[]): Promise<void> {
    return eventually(async () => expect(await this.page.evaluate(() => lab.log)).toEqual(entries));
  }

  /** Lets everything that is due in the page run: tasks, renders and effects. */
  async settle(): Promise<void> {
    await this.page.evaluate(
      () => new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(() => setTimeout(resolve)))),
    );
  }
}

/** What tests of a version of React start from; each call ends with its test. */
export interface InReact {
  readonly version: ReactVersion;
  /** A server and a page of it. */
  open(html?: string): Promise<{ server: BoardServer; view: LabPage; page: Page }>;
  /** A server on this port, of the same page. */
  serve(port?: number): Promise<BoardServer>;
}

/** Tests in Chromium with each version of React; skipped where there is no browser. */
export function describeInReact(name: string, define: (inReact: InReact) => void): void {
  describe.skipIf(executablePath === undefined).each(versions)(`${name} (React %i)`, { timeout: 30_000 }, (version) => {
    let browser: Browser;
    let context: BrowserContext;
    let script: string;

    beforeAll(async () => {
      script = await bundleReact(version, { entryPoints: [fixture("react/lab.tsx")], platform: "browser" });
      browser = await chromium.launch({ executablePath: executablePath ?? "", args: CHROMIUM_ARGS });
      context = await browser.newContext();
    }, 60_000);

    afterAll(() => browser?.close());

    const serve = (port?: number, html?: string) => BoardServer.start(script, port, html);
    const open = async (html?: string) => {
      const server = await serve(0, html);
      const view = await LabPage.open(context, server.origin);
      return { server, view, page: view.page };
    };
    define({ version, serve, open });
  });
}
