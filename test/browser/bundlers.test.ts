import { copyFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { packedConsumer } from "../support/packed.js";
import { fixture } from "../support/paths.js";
import { AppPage } from "./support/appPage.js";
import { AppServer } from "./support/appServer.js";
import { requireBuild } from "./support/bundle.js";
import { BUNDLERS, foreignModules } from "./support/bundlers.js";
import { describeInChromium } from "./support/inChromium.js";

describeInChromium("a page bundled with", ({ newContext }) => {
  let folder: string;

  beforeAll(async () => {
    requireBuild();
    folder = await packedConsumer();
    await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    await copyFile(fixture("browser/bundled.js"), join(folder, "app.js"));
    await writeFile(join(folder, "ws.js"), 'import * as ws from "ws";\nconsole.log(ws);\n');
    await writeFile(join(folder, "node.js"), 'import * as path from "node:path";\nconsole.log(path);\n');
  }, 60_000);

  afterAll(() => folder && rm(folder, { recursive: true }));

  it.each(Object.entries(BUNDLERS))("%s holds no ws and nothing of Node, and gets its reply", async (_name, bundle) => {
    const { script, modules } = await bundle(folder);
    expect(modules.filter((module) => module.endsWith("websocket/dist/index.browser.js"))).toHaveLength(1);
    expect(foreignModules(modules)).toEqual([]);

    const server = await AppServer.start(script);
    const app = await AppPage.open(await newContext(), server.origin);
    expect(await app.events.take(2)).toEqual(["news welcome to lobby", "Hello Ann"]);
  });

  it.each(Object.entries(BUNDLERS))("%s takes the build with the checks in development", async (_name, bundle) => {
    const { script, modules } = await bundle(folder, "app.js", "development");
    const own = modules.filter((module) => module.includes("websocket/dist/"));
    expect(own).toEqual([expect.stringMatching(/index\.browser\.development\.js$/)]);
    expect(foreignModules(modules)).toEqual([]);

    const server = await AppServer.start(script);
    const app = await AppPage.open(await newContext(), server.origin);
    expect(await app.events.take(2)).toEqual(["news welcome to lobby", "Hello Ann"]);
  });

  it.each(Object.entries(BUNDLERS))("%s shows ws and Node where they are bundled", async (_name, bundle) => {
    expect(foreignModules((await bundle(folder, "ws.js")).modules)).not.toEqual([]);
    // Some builds fail.
    const seen = await bundle(folder, "node.js").then(({ modules }) => foreignModules(modules).join(), String);
    expect(seen).toMatch(/node:path|vite-browser-external/);
  });
});
