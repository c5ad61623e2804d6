import { mkdtemp, rm } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import sirv from "sirv";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { CHROMIUM_ARGS, findChromium } from "../../../test/support/chromium.js";
import { startBoard } from "./startBoard.js";

const executablePath = findChromium();

describe.skipIf(executablePath === undefined)("the page of the board", { timeout: 30_000 }, () => {
  let outDir: string;
  let built: RequestListener;
  let browser: Browser;

  beforeAll(async () => {
    outDir = await mkdtemp(join(tmpdir(), "board-"));
    const root = fileURLToPath(new URL("..", import.meta.url));
    // Else Vite takes React's build for tests.
    vi.stubEnv("NODE_ENV", "production");
    await build({ root, logLevel: "warn", build: { outDir, emptyOutDir: true } });
    vi.unstubAllEnvs();
    built = sirv(outDir, { single: true });
    browser = await chromium.launch({ executablePath: executablePath ?? "", args: CHROMIUM_ARGS });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await rm(outDir, { recursive: true, force: true });
  });

  async function logIn(url: string, name: string): Promise<Page> {
    const context = await browser.newContext();
    onTestFinished(() => context.close());
    const page = await context.newPage();
    await page.goto(url);
    await page.getByLabel("Your name").fill(name);
    await page.getByRole("button", { name: "Enter" }).click();
    await page.getByText("Connected", { exact: true }).waitFor();
    return page;
  }

  async function pin(page: Page, text: string): Promise<void> {
    await page.getByLabel("New note").fill(text);
    await page.getByRole("button", { name: "Pin" }).click();
    await page.locator(".notes li", { hasText: text }).waitFor();
  }

  it("shows what others pin and remove, and offers removing one's own only", async () => {
    const board = await startBoard(built);
    onTestFinished(() => board.stop());
    const ann = await logIn(board.url, "Ann");
    await pin(ann, "Buy milk");
    const bob = await logIn(board.url, "Bob");
    await bob.locator(".notes li", { hasText: "Buy milk" }).waitFor();
    await ann.getByText("Bob is here").waitFor();
    expect(await bob.getByRole("button", { name: "Remove Buy milk" }).count()).toBe(0);
    await ann.getByRole("button", { name: "Remove Buy milk" }).click();
    await bob.locator(".notes li").waitFor({ state: "detached" });
  });

  it("connects again after a restart, and asks to log in again when the server has forgotten who it is", async () => {
    const board = await startBoard(built);
    const page = await logIn(board.url, "Ann");
    await board.stop();
    await page.getByText("Connecting…").waitFor();
    const next = await startBoard(built, board.port);
    onTestFinished(() => next.stop());
    // Log-ins outlive a restart in this process; notes do not.
    await page.getByText("Connected", { exact: true }).waitFor();
    await pin(page, "Still here");
    await page.evaluate(() => sessionStorage.setItem("board", JSON.stringify({ name: "Ann", token: "forged" })));
    await page.reload();
    await page.getByText("Not connected").waitFor();
    await page.getByText("Log in again", { exact: true }).click();
    await page.getByLabel("Your name").waitFor();
  });
});
