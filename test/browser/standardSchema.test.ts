import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { StandardApi } from "../fixtures/browser/standard.js";
import { CHROMIUM_ARGS, findChromium } from "../support/chromium.js";
import { Queue } from "../support/queue.js";
import { recordingLogger, startHttp } from "../support/server.js";
import { bundleApp } from "./support/bundle.js";

const executablePath = findChromium();
const PAGE =
  '<!doctype html><title>Page</title><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>';

describe.skipIf(executablePath === undefined)("a page with a contract of zod", { timeout: 30_000 }, () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath ?? "", args: CHROMIUM_ARGS });
  }, 30_000);

  afterAll(() => browser?.close());

  it.each([["production"], ["development"]])("works in the build for %s", async (condition) => {
    const script = await bundleApp([condition], "browser/standard.ts");
    const answers = new Queue<unknown>();
    const { http } = await startHttp((server) => {
      const answer = (path: string, type: string, body: string) =>
        server.registerRoute("GET", path, (_request, response) => {
          response.setHeader("content-type", type).end(body);
        });
      answer("/", "text/html", PAGE);
      answer("/main.js", "text/javascript", script);
      StandardApi.register(
        (incoming, outgoing) => {
          incoming.on({
            async add({ n }) {
              const row = { at: new Date(n), secret: "s" };
              answers.push([n, await outgoing.confirm()]);
              outgoing.added(row);
              return row;
            },
          });
        },
        { http: server, logger: recordingLogger() },
      );
    });
    const context = await browser.newContext();
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const frames: string[] = [];
    page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => void frames.push(`${payload}`)));
    await page.goto(`http://127.0.0.1:${http.port}`);
    await page.waitForFunction("globalThis.run");
    const seen = await page.evaluate<string[]>("run()");
    expect(seen).toEqual([
      "added true 1970-01-02T00:00:00.000Z none",
      "result true 1970-01-02T00:00:00.000Z",
      '[{"path":"n","code":"invalid.zod","message":"Invalid input: expected string, received number"}]',
      expect.stringContaining("Standard.add was not sent: TypeError: asynchronous validators are not supported"),
    ]);
    expect(await answers.next()).toEqual([86_400_000, 7]);
    await expect.poll(() => frames.join()).toContain('"note":"none"');
    expect(frames.join()).not.toContain("secret");
  });
});
