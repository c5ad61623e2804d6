import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { AppServer } from "../browser/support/appServer.js";
import { requireBuild } from "../browser/support/bundle.js";
import { packedConsumer } from "../support/packed.js";
import { fixture } from "../support/paths.js";
import { Queue } from "../support/queue.js";
import { RawPeer } from "../support/rawPeer.js";
import { haveRuntimes, RUNTIMES, type Runtime } from "../support/runtimes.js";

/**
 * The packed package in each runtime. The client: over its default, which is `ws` or the runtime's own stand-in for it, and
 * over the global WebSocket, with the entry for Node and with the one for pages. The server: over the same `ws`.
 */

const ENTRIES = [
  { transport: "default", entry: "index.js", conditions: [] },
  { transport: "global", entry: "index.js", conditions: [] },
  { transport: "global", entry: "index.browser.js", conditions: ["--conditions=browser"] },
];
const cases = RUNTIMES.flatMap((runtime) => ENTRIES.map((entry) => ({ runtime, ...entry, name: runtime.name })));

describe.skipIf(!haveRuntimes())("a program of another runtime", { timeout: 30_000 }, () => {
  let folder: string;

  beforeAll(async () => {
    requireBuild();
    folder = await packedConsumer();
    await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    for (const path of ["runtimes/client.js", "runtimes/server.js", "package/serveAndCall.mjs"])
      await copyFile(fixture(path), join(folder, basename(path)));
  }, 60_000);

  afterAll(() => folder && rm(folder, { recursive: true }));

  /** Runs a program. `lines` are its parsed lines of stdout; `ended` is its exit code. */
  function start({ program, args }: Runtime, file: string, conditions: readonly string[] = [], ...rest: string[]) {
    const child = spawn(program, [...args(file, conditions), ...rest], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
    });
    onTestFinished(() => void child.kill());
    const lines = new Queue<unknown>();
    createInterface(child.stdout).on("line", (line) => lines.push(JSON.parse(line)));
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    return { lines, errors: () => errors, ended: once(child, "close").then(([code]) => code as number | null) };
  }

  it.each(cases)("runs on $name over its $transport WebSocket with $entry, and ends by itself", async (program) => {
    const { runtime, transport, entry, conditions } = program;
    const server = await AppServer.start("");
    const { lines, errors, ended } = start(
      runtime,
      "client.js",
      conditions,
      transport,
      `ws://127.0.0.1:${server.port}`,
    );
    const played = (async () => {
      const { outgoing } = await server.connections.next();
      await server.notes.next();
      const answers = [await outgoing.areYouThere({ text: "program" }), await outgoing.areYouThere({ text: "nobody" })];
      await server.waiting.next();
      await server.dropAll();
      return answers;
    })();
    // A failing program ends early: its output explains more than a time-out.
    const code = await ended;
    expect({ code, errors: errors(), lines: lines.unseen }).toEqual({
      code: 0,
      errors: "",
      lines: [
        ["entry", entry],
        ["refused", [true, true, "Unknown user"]],
        ["setup", null],
        ["news", "welcome to lobby"],
        ["reply", "Hello Ann"],
        ["invalid", "VALIDATION_ERROR"],
        ["in flight", ["SERVER_ERROR", true]],
        ["disconnect", "drop"],
        ["setup", null],
        ["news", "welcome to lobby"],
        ["again", "Hello Bo"],
        ["end", null],
      ],
    });
    expect(await played).toEqual([true, false]);
    expect(server.accepted).toBe(2);
  });

  it.each(RUNTIMES)("serves and calls on $name, and ends by itself", async (runtime) => {
    const { lines, errors, ended } = start(runtime, "serveAndCall.mjs");
    expect({ code: await ended, errors: errors() }).toEqual({ code: 0, errors: "" });
    expect(await lines.next()).toMatchObject({
      module: "dist/index.js",
      greeting: "Hello Ann, here",
      news: ["Ann was greeted"],
      invalid: "VALIDATION_ERROR",
      raw: "ROUTE_NOT_FOUND",
    });
  });

  it.each(RUNTIMES)("counts on $name what a peer does not read", async (runtime) => {
    const { lines } = start(runtime, "server.js");
    const [, port] = (await lines.next()) as [string, number];
    const peer = await RawPeer.connect(`ws://127.0.0.1:${port}/ws/flood`);
    peer.ws.pause();
    peer.send("m:Flood.flood::");
    expect(await lines.next()).toEqual(["warn", "Flood: a connection is closed, since its peer reads too slowly"]);
  });
});
