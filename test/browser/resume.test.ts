import { GGSocketGroup, localBus } from "@grest-ts/websocket";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { PageApi } from "../fixtures/browser/api.js";
import { fixture } from "../support/paths.js";
import { AppPage } from "./support/appPage.js";
import { AppServer } from "./support/appServer.js";
import { requireBuild } from "./support/bundle.js";
import { describeInChromium } from "./support/inChromium.js";

const GREETING = "welcome to lobby";

/** A program of `fixtures/browser` as a page gets it in production. */
async function bundled(program: string): Promise<string> {
  requireBuild();
  const { outputFiles } = await build({
    entryPoints: [fixture(`browser/${program}`)],
    bundle: true,
    minify: true,
    write: false,
    conditions: ["production"],
    format: "esm",
    target: "es2022",
    // The repository's own paths resolve to the sources.
    tsconfigRaw: {},
  });
  return outputFiles[0]?.text ?? "";
}

describeInChromium("a page whose groups resume", ({ newContext }) => {
  /** A server with a group, and the page of a member. */
  async function member() {
    const server = await AppServer.start(await bundled("resuming.js"));
    const group = new GGSocketGroup(PageApi, { name: "room", bus: localBus(), history: { size: 4, ttlMs: 60_000 } });
    const app = await AppPage.open(await newContext(), server.origin);
    const add = async () => group.add((await server.connections.next()).outgoing);
    await add();
    expect(await app.events.take(2)).toEqual([GREETING, "room: recovered undefined, missed 0"]);
    const say = (...texts: string[]) => Promise.all(texts.map((text) => group.news({ text })));
    return { server, group, app, add, say };
  }

  it("shows in order, and once, what the group was sent while the connection was cut", async () => {
    const { server, app, add, say } = await member();
    await say("1", "2");
    expect(await app.events.take(2)).toEqual(["1", "2"]);
    for (const [missed, live] of [
      [["3", "4", "5"], "6"],
      [[], "7"],
    ] as const) {
      await server.dropAll();
      await say(...missed);
      await add();
      await say(live);
      const expected = [GREETING, `room: recovered true, missed ${missed.length}`, ...missed, live];
      expect(await app.events.take(expected.length)).toEqual(expected);
    }
  });

  it("says so when the group no longer keeps it", async () => {
    const { server, app, add, say } = await member();
    await server.dropAll();
    await say("1", "2", "3", "4", "5");
    await add();
    await say("6");
    expect(await app.events.take(3)).toEqual([GREETING, "room: recovered false, missed 0", "6"]);
  });

  it("pays for it only when it imports it", async () => {
    expect(await bundled("resuming.js")).toContain("ws-resume");
    const plain = await bundled("bundled.js");
    expect(plain).toContain("ws-capabilities");
    expect(plain).not.toMatch(/ws-resume|onGroup/);
  });
});
