import { copyFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AppServer } from "../browser/support/appServer.js";
import { requireBuild } from "../browser/support/bundle.js";
import { foreignModules } from "../browser/support/bundlers.js";
import {
  bundle,
  bundleWithMetro,
  type Play,
  playInEdgeRuntime,
  playInReactNative,
  startWorker,
} from "../support/embeddings.js";
import { packedConsumer } from "../support/packed.js";
import { fixture } from "../support/paths.js";
import { haveRuntimes } from "../support/runtimes.js";

/** The packed client in runtimes that are neither a browser nor Node, bundled as their tools bundle it. */

let folder: string;

beforeAll(async () => {
  requireBuild();
  folder = await packedConsumer();
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  for (const name of ["embedded.js", "script.js", "worker.js"])
    await copyFile(fixture(`runtimes/${name}`), join(folder, name));
}, 60_000);

afterAll(() => folder && rm(folder, { recursive: true }));

const ownModule = (modules: readonly string[]) => modules.filter((module) => module.includes("websocket/dist/"));

/** Plays the program against a server of its own, which asks it a question meanwhile. */
async function playOn(play: Play): Promise<void> {
  const server = await AppServer.start("");
  const ask = async () => {
    const { outgoing } = await server.connections.next();
    await server.notes.next();
    return outgoing.areYouThere({ text: "program" });
  };
  const [events, answer] = await Promise.all([play(`ws://127.0.0.1:${server.port}`), ask()]);
  expect(events).toEqual([
    "welcome to a & b",
    ["Hello Ann", "Hello Bo", "Hello Cy"],
    "VALIDATION_ERROR",
    "program",
    true,
    "Hello Di",
  ]);
  expect(answer).toBe(true);
}

describe("the package under a single condition", () => {
  it.each(["react-native", "workerd", "worker", "edge-light", "browser"])(
    "is the client for pages where it is %s",
    async (condition) => {
      const { modules } = await bundle(folder, "script.js", [condition]);
      expect(ownModule(modules)).toEqual([expect.stringMatching(/\/index\.browser\.js$/)]);
      expect(foreignModules(modules)).toEqual([]);
    },
  );

  it("is the whole package where none is known", async () => {
    const { modules } = await bundle(folder, "script.js", []);
    expect(ownModule(modules)).toContainEqual(expect.stringMatching(/\/index\.js$/));
  });
});

describe.skipIf(!haveRuntimes())("a client bundled for", { timeout: 30_000 }, () => {
  it("React Native by Metro connects and calls", async () => {
    const { script, modules } = await bundleWithMetro(folder, "script.js");
    expect(ownModule(modules)).toEqual([expect.stringMatching(/\/index\.browser\.js$/)]);
    expect(foreignModules(modules)).toEqual([]);
    await playOn((url) => playInReactNative(script, url));
  });

  it("Vercel's edge runtime connects and calls", async () => {
    const { script } = await bundle(folder, "script.js", ["edge-light"]);
    await playOn((url) => playInEdgeRuntime(script, url));
  });

  it("Cloudflare Workers connects and calls", async () => {
    const { script } = await bundle(folder, "worker.js", ["workerd"], "esm");
    await playOn(await startWorker(folder, script));
  });

  it("Cloudflare Workers keeps its time limits in a later request, which has timers of its own", async () => {
    const { script } = await bundle(folder, "worker.js", ["workerd"], "esm");
    const play = await startWorker(folder, script);
    await playOn(play);
    await playOn(play);
  });
});
