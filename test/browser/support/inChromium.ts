import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, onTestFinished } from "vitest";
import type { AppOptions } from "../../fixtures/browser/main.js";
import { CHROMIUM_ARGS, findChromium } from "../../support/chromium.js";
import { AppPage } from "./appPage.js";
import { AppServer } from "./appServer.js";
import { bundleApp } from "./bundle.js";

const executablePath = findChromium();

/** What tests in a browser start from; each call ends with its test. */
export interface InChromium {
  /** A window of its own, sharing nothing with others. */
  newContext(): Promise<BrowserContext>;
  /** A server. */
  serve(): Promise<AppServer>;
  /** A server, and its page with a client. */
  open(options?: AppOptions): Promise<{ server: AppServer; app: AppPage }>;
  /** The same, connected and greeted. */
  connected(options?: AppOptions): Promise<{ server: AppServer; app: AppPage }>;
}

/**
 * Tests in Chromium, with one browser for all of them; skipped where there is none. Conditions are those of the bundle:
 * `["development"]` is not production.
 */
export function describeInChromium(
  name: string,
  define: (inChromium: InChromium) => void,
  conditions?: readonly string[],
): void {
  describe.skipIf(executablePath === undefined)(name, { timeout: 30_000 }, () => {
    let browser: Browser;
    let script: string;

    beforeAll(async () => {
      script = await bundleApp(conditions);
      browser = await chromium.launch({ executablePath: executablePath ?? "", args: CHROMIUM_ARGS });
    }, 30_000);

    afterAll(() => browser?.close());

    const newContext = async () => {
      const context = await browser.newContext();
      onTestFinished(() => context.close());
      return context;
    };
    const serve = () => AppServer.start(script);
    const open = async (options: AppOptions = {}) => {
      const server = await serve();
      const app = await AppPage.open(await newContext(), server.origin);
      await app.create(options);
      return { server, app };
    };
    const connected = async (options: AppOptions = {}) => {
      const { server, app } = await open(options);
      await app.connectAndHear();
      return { server, app };
    };
    define({ newContext, serve, open, connected });
  });
}
