import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type BrowserContext, chromium } from "playwright-core";
import { CHROMIUM_ARGS } from "../../support/chromium.js";

/**
 * Starts a Chromium whose pages are hidden when another is in front of them, as a user's are. Playwright keeps
 * all pages of a browser that it starts itself in front.
 */
export async function startUnassistedChromium(executablePath: string) {
  const profile = await mkdtemp(join(tmpdir(), "grest-ts-chromium-"));
  const args = [...CHROMIUM_ARGS, "--remote-debugging-port=0", `--user-data-dir=${profile}`, "--no-first-run"];
  const child = spawn(executablePath, [...args, "about:blank"], { stdio: ["ignore", "ignore", "pipe"] });
  const ended = once(child, "close");
  const browser = await chromium.connectOverCDP(await debuggingUrl(child.stderr), { noDefaults: true });
  const [context] = browser.contexts();
  return {
    context: context as BrowserContext,
    async stop(): Promise<void> {
      await browser.close();
      child.kill();
      await ended;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function debuggingUrl(output: NodeJS.ReadableStream): Promise<string> {
  const said: string[] = [];
  for await (const line of createInterface(output)) {
    said.push(line);
    const [, url] = /^DevTools listening on (ws:.*)$/.exec(line) ?? [];
    if (url) {
      output.resume();
      return url;
    }
  }
  throw new Error(`Chromium did not start:\n${said.join("\n")}`);
}
