import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { GGAsyncApiDocument } from "@grest-ts/websocket/asyncapi";
import { build } from "esbuild";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { FrameChecker } from "../../../test/asyncapi/support/officialParser.js";
import { CHROMIUM_ARGS, findChromium } from "../../../test/support/chromium.js";
import { haveEcosystem } from "../../../test/support/ecosystem.js";
import { RawPeer } from "../../../test/support/rawPeer.js";
import { ChatRuntime } from "../server/ChatRuntime.js";
import { docsPage } from "../server/docs/page.js";
import { memoryStores } from "../server/stores/memory.js";

/** What the chat serves about itself. */

const at = (path: string) => fileURLToPath(new URL(`../web/${path}`, import.meta.url));

let runtime: ChatRuntime;
let folder: string;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "chat-docs-"));
  await build({ entryPoints: [at("styles/main.css")], outfile: join(folder, "style.css"), bundle: true });
  await writeFile(join(folder, "favicon.svg"), readFileSync(at("favicon.svg")));
  const before = process.env.PORT;
  process.env.PORT = "0";
  runtime = new ChatRuntime(pathToFileURL(`${folder}/`), memoryStores());
  url = `http://127.0.0.1:${await runtime.start()}`;
  process.env.PORT = before;
});

afterAll(async () => {
  await runtime?.teardown();
  await rm(folder, { recursive: true });
});

const documentOf = async () => (await (await fetch(`${url}/asyncapi.json`)).json()) as GGAsyncApiDocument;

describe("the chat's document", () => {
  it("is served as JSON, with the header that the chat reads", async () => {
    const response = await fetch(`${url}/asyncapi.json`);
    expect(response.headers.get("content-type")).toBe("application/json");
    const { channels } = await documentOf();
    expect(channels.ChatApi?.address).toBe("/ws/chat");
    expect(channels.ChatApi?.messages.handshake?.payload).toMatchObject({ required: ["authorization"] });
  });

  it.skipIf(!haveEcosystem())("states the frames that two users really get", async () => {
    const checker = new FrameChecker(await documentOf());
    const peers: RawPeer[] = [];
    const sent: string[] = [];
    for (const name of ["Ann", "Bo"]) {
      const response = await fetch(`${url}/api/auth/login`, { method: "POST", body: JSON.stringify({ name }) });
      const { data } = (await response.json()) as { data: { token: string } };
      const handshake = `h:::${JSON.stringify({ authorization: `Bearer ${data.token}` })}`;
      const peer = await RawPeer.open(`${url.replace("http", "ws")}/ws/chat`);
      peer.send(handshake);
      sent.push(handshake);
      peers.push(peer);
    }
    const [ann, bo] = peers as [RawPeer, RawPeer];
    const seen: string[] = [];
    /** Sends a request, and waits for its answer. */
    const ask = async (peer: RawPeer, frame: string) => {
      peer.send(frame);
      const answer = frame.replace(/^r:([^:]*:[^:]*):.*$/, "s:$1:");
      do seen.push(await peer.next());
      while (!seen.at(-1)?.startsWith(answer));
    };
    const call = async (peer: RawPeer, frame: string) => {
      sent.push(frame);
      await ask(peer, frame);
    };
    seen.push(await ann.next(), await bo.next());
    await call(ann, 'r:ChatApi.joinRoom:1:{"roomId":"general"}');
    await call(bo, 'r:ChatApi.joinRoom:1:{"roomId":"general"}');
    const typing = 'm:ChatApi.startTyping::{"channelId":"general"}';
    bo.send(typing);
    await call(bo, 'r:ChatApi.sendMessage:2:{"text":"hi","channelId":"general"}');
    const empty = 'r:ChatApi.sendMessage:3:{"text":"","channelId":"general"}';
    expect(checker.faultsOf(empty)).not.toEqual([]);
    await ask(bo, empty);
    await call(bo, 'r:ChatApi.sendMessage:4:{"text":"hi","channelId":"lounge"}');
    await call(bo, 'r:ChatApi.joinRoom:5:{"roomId":"attic"}');
    await ann.roundTrip();
    seen.push(...ann.frames.unseen);
    for (const frame of [...sent, typing, ...seen]) expect(checker.faultsOf(frame)).toEqual([]);
    const methods = new Set(seen.map((frame) => frame.split(":", 2).join(":")));
    for (const needed of ["k:", "m:ChatApi.newMessage", "m:ChatApi.typing", "m:ChatApi.presence", "s:ChatApi.joinRoom"])
      expect([...methods]).toContain(needed);
    for (const error of ["VALIDATION_ERROR", "NOT_IN_ROOM", "NOT_FOUND"])
      expect(seen.join("\n")).toContain(`"type":"${error}"`);
    // Of the document, and not of a checker that takes anything.
    const message = seen.find((frame) => frame.startsWith("m:ChatApi.newMessage"))!;
    expect(checker.faultsOf(message.replace('"text":"hi"', '"text":5'))).not.toEqual([]);
  });
});

const BAD = `<img src=x onerror="alert(1)">'&`;

describe("the page of a document", () => {
  it("shows names, texts and schemas as text, whatever they are", () => {
    const schema = {
      title: BAD,
      description: `${BAD}\`${BAD}\``,
      type: "object",
      required: [BAD],
      properties: { [BAD]: { const: BAD, pattern: BAD } },
    };
    const frame = { type: "r", path: BAD, payload: "always", text: BAD } as const;
    const message = { name: BAD, title: BAD, payload: schema, "x-frame": frame };
    const reply = {
      ...message,
      payload: { oneOf: [{ properties: { data: schema } }, { $ref: "#/components/schemas/e" }] },
    };
    const channel = { $ref: "#/channels/a" };
    const page = docsPage({
      asyncapi: "3.1.0",
      info: { title: BAD, version: BAD, description: BAD },
      defaultContentType: "application/json",
      channels: {
        a: {
          address: BAD,
          title: BAD,
          messages: { m: message, r: reply },
          bindings: { ws: { method: "GET", query: schema, bindingVersion: "0.1.0" } },
        },
      },
      operations: {
        "a.m": {
          action: "receive",
          channel,
          title: BAD,
          description: BAD,
          messages: [{ $ref: "#/channels/a/messages/m" }],
          reply: { channel, messages: [{ $ref: "#/channels/a/messages/r" }] },
          "x-permission": { anyOf: [BAD, { allOf: [{ any: true }, BAD] }] },
        },
      },
      components: { schemas: { e: { ...schema, properties: { statusCode: { const: 400 }, data: schema } } } },
    });
    expect(page).not.toMatch(/<img|onerror="|'&/);
    expect(page).toContain("&#60;img src=x onerror=&#34;alert(1)&#34;&#62;&#39;&#38;");
  });

  it("ends with a type that contains itself", () => {
    const channel = { $ref: "#/channels/a" };
    const payload = { $ref: "#/components/schemas/tree" };
    const tree = {
      type: "object",
      properties: { name: { type: "string" }, children: { type: "array", items: payload } },
    };
    const page = docsPage({
      asyncapi: "3.1.0",
      info: { title: "T", version: "1", description: "" },
      defaultContentType: "application/json",
      channels: {
        a: {
          address: "/",
          title: "A",
          messages: {
            m: {
              name: "m",
              title: "m",
              payload,
              "x-frame": { type: "m", path: "A.m", payload: "always", text: "m:A.m::{payload}" },
            },
          },
          bindings: { ws: { method: "GET", bindingVersion: "0.1.0" } },
        },
      },
      operations: { "a.m": { action: "send", channel, title: "A.m", messages: [{ $ref: "#/channels/a/messages/m" }] } },
      components: { schemas: { tree } },
    });
    expect(page.match(/children/g)).toHaveLength(1);
    expect(page).toContain("list of object");
  });
});

describe("the page of a type that contains itself", () => {
  const self = { $ref: "#/components/schemas/self" };
  const text = { type: "string" };
  const SHAPES = {
    "a list of itself": { type: "array", items: self },
    "an object of itself": { type: "object", additionalProperties: self },
    "one of a text and itself": { oneOf: [text, self] },
    "any of a text and itself": { anyOf: [text, self] },
    "only itself": self,
    "a member": { type: "object", properties: { inner: self } },
    JSON: { anyOf: [text, { type: "array", items: self }, { type: "object", additionalProperties: self }] },
  };

  it.each(Object.keys(SHAPES) as (keyof typeof SHAPES)[])("ends: %s", (shape) => {
    const channel = { $ref: "#/channels/a" };
    const payload = { $ref: "#/components/schemas/self" };
    const frame = { type: "m", path: "A.m", payload: "always", text: "m:A.m::{payload}" } as const;
    const page = docsPage({
      asyncapi: "3.1.0",
      info: { title: "T", version: "1", description: "" },
      defaultContentType: "application/json",
      channels: {
        a: {
          address: "/",
          title: "A",
          messages: { m: { name: "m", title: "m", payload, "x-frame": frame } },
          bindings: { ws: { method: "GET", query: payload, bindingVersion: "0.1.0" } },
        },
      },
      operations: { "a.m": { action: "send", channel, title: "A.m", messages: [{ $ref: "#/channels/a/messages/m" }] } },
      components: { schemas: { self: SHAPES[shape] } },
    });
    expect(page).toContain(shape === "only itself" ? "anything" : shape === "a member" ? "inner" : "the same again");
  });
});

const executablePath = findChromium();
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

describe.skipIf(executablePath === undefined)("/docs in a browser", { timeout: 30_000 }, () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath ?? "", args: CHROMIUM_ARGS });
  }, 30_000);

  afterAll(() => browser?.close());

  const LOOKS = (["light", "dark"] as const).flatMap((colorScheme) =>
    [360, 1200].map((width) => ({ colorScheme, width, viewport: { width, height: 800 } })),
  );

  it.each(LOOKS)("shows each operation, in $colorScheme at $width px, and axe finds nothing", async (look) => {
    const context = await browser.newContext(look);
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const troubles: string[] = [];
    page.on("console", (entry) => troubles.push(entry.text()));
    page.on("pageerror", (error) => troubles.push(String(error)));
    page.on("response", (response) => void (response.ok() || troubles.push(`${response.status()} ${response.url()}`)));
    page.on("request", (request) => void (request.url().startsWith(url) || troubles.push(request.url())));
    await page.goto(`${url}/docs`);

    const document = await documentOf();
    expect(await page.locator("article h3").allTextContents()).toEqual(
      Object.values(document.operations).map(({ title }) => title),
    );
    const send = page.locator("article", {
      has: page.getByRole("heading", { name: "ChatApi.sendMessage", exact: true }),
    });
    const text = (await send.textContent()) ?? "";
    for (const shown of ["client → server", "1 to 2000 characters", "messageId", "NOT_IN_ROOM"])
      expect(text).toContain(shown);
    await page.getByRole("link", { name: "ChatApi.newMessage" }).click();
    expect(await page.evaluate(() => window.document.querySelector(":target h3")?.textContent)).toBe(
      "ChatApi.newMessage",
    );

    expect(await page.evaluate(() => window.document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
    await page.evaluate(axe);
    const { violations } = (await page.evaluate("axe.run()")) as {
      violations: { id: string; nodes: { html: string }[] }[];
    };
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
    expect(troubles).toEqual([]);
  });
});
