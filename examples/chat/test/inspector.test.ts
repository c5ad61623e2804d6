import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { request } from "node:http";
import { createRequire } from "node:module";
import { networkInterfaces } from "node:os";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { WebSocket } from "ws";
import { buildForTests } from "./support/build.js";
import { ChatServer } from "./support/ChatServer.js";
import { ChatUser } from "./support/ChatUser.js";
import { Program } from "./support/Program.js";
import { executablePath, launchBrowser } from "./support/Window.js";

/** The page of live traffic, and the metrics of a server that nobody has connected to. */

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let built: Awaited<ReturnType<typeof buildForTests>>;

beforeAll(async () => {
  built = await buildForTests("inspector");
});

/** A server that is started with this `INSPECT`, for the length of a test. */
async function start(inspect: string) {
  const program = new Program(built.server, [], { PORT: "0", REDIS_URL: "", INSPECT: inspect }).endWithTest();
  const [url] = await program.printed(/http:\/\/localhost:\d+/);
  const query = /\/inspect(\?key=\w{32})$/m.exec(program.output)?.[1] ?? "";
  return { program, url, query };
}

interface Asking {
  readonly address?: string;
  readonly host?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The status of a GET request, sent to an address under the name of a host. */
async function statusOf(url: string, { address = "127.0.0.1", host, query = "", headers }: Asking = {}) {
  const { pathname, port, host: ownHost } = new URL(url);
  const path = `${pathname}${query}`;
  const sent = request({ host: address, port, path, headers: { ...headers, host: host ?? ownHost } }).end();
  const [response] = await once(sent, "response");
  response.resume();
  return response.statusCode;
}

/** How a WebSocket to the inspector ends, or its first frame after the handshake. */
async function connectionTo(url: string, { address = "127.0.0.1", host, query = "?key=", headers }: Asking = {}) {
  const { port, host: ownHost } = new URL(url);
  const ws = new WebSocket(`ws://${address}:${port}/ws/inspect${query}`, {
    headers: { ...headers, host: host ?? ownHost },
  });
  onTestFinished(() => ws.terminate());
  const failed = once(ws, "error").then(([error]) => String(error));
  ws.on("open", () => ws.send("h:::{}"));
  return Promise.race([failed, once(ws, "message").then(([frame]) => String(frame).slice(0, 3))]);
}

const otherAddress = Object.values(networkInterfaces())
  .flat()
  .find((one) => one && !one.internal && one.family === "IPv4")?.address;

describe("the page of live traffic", () => {
  it("is not there by default", async () => {
    const { program, url } = await start("");
    for (const path of ["/inspect", "/inspect.js", "/inspect.css"]) expect(await statusOf(`${url}${path}`)).toBe(404);
    expect(await connectionTo(url)).toContain("404");
    expect(program.output).not.toContain("inspect");
  });

  it("is for this machine only, by a name of its own, and for pages of its own", async () => {
    const { url, query } = await start("1");
    const { host, port } = new URL(url);
    for (const name of [host, `127.0.0.1:${port}`, `[::1]:${port}`]) {
      expect(await statusOf(`${url}/inspect`, { host: name, query })).toBe(200);
      expect(await connectionTo(url, { host: name, query })).toBe("k::");
    }
    for (const name of ["evil.example", `localhost.evil.example:${port}`, `evil-localhost:${port}`]) {
      for (const path of ["/inspect", "/inspect.js"])
        expect(await statusOf(`${url}${path}`, { host: name, query })).toBe(403);
      expect(await connectionTo(url, { host: name, query })).toBe("x::");
    }
    expect(await connectionTo(url, { headers: { origin: `http://${host}` }, query })).toBe("k::");
    expect(await connectionTo(url, { headers: { origin: "https://evil.example" }, query })).toContain("403");
  });

  it("needs the key that was printed, which is another one each time", async () => {
    const [one, two] = [await start("1"), await start("1")];
    expect(one.query).toMatch(/^\?key=/);
    for (const query of ["", "?", "?key=", two.query, `${one.query}0`, one.query.toUpperCase()]) {
      expect(await statusOf(`${one.url}/inspect`, { query })).toBe(403);
      if (query.startsWith("?key")) expect(await connectionTo(one.url, { query })).toBe("x::");
    }
  });

  const proxies: readonly (readonly [string, string])[] = [
    ["x-forwarded-for", "203.0.113.9"],
    ["X-Forwarded-Host", "chat.example"],
    ["x-forwarded-proto", "https"],
    ["x-real-ip", "203.0.113.9"],
    ["forwarded", "for=203.0.113.9"],
    ["via", "1.1 proxy"],
  ];
  it("is not for those behind a proxy on this machine, even with the key", async () => {
    const { url, query } = await start("1");
    for (const [name, value] of proxies) {
      const asking = { query, headers: { [name]: value } };
      for (const path of ["/inspect", "/inspect.js"]) expect(await statusOf(`${url}${path}`, asking), name).toBe(403);
      expect(await connectionTo(url, asking), name).toBe("x::");
    }
    expect(await connectionTo(url, { query })).toBe("k::");
  });

  it.skipIf(!otherAddress)("is not for others", async () => {
    const { url, query } = await start("1");
    const address = otherAddress as string;
    expect(await statusOf(`${url}/inspect`, { address, query })).toBe(403);
    expect(await connectionTo(url, { address, query })).toBe("x::");
  });
});

describe.skipIf(executablePath === undefined)("the page of live traffic, in a browser", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  async function openInspector(url: string, query: string) {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    onTestFinished(async () => {
      await page.close();
      expect(complaints).toEqual([]);
    });
    await page.goto(`${url}/inspect${query}`);
    await page.getByRole("status").getByText("Connected").waitFor();
    const cells = (kind: string) => page.locator("#frames tr", { hasText: kind });
    return { page, cells };
  }

  it("shows frames as they come, and what there was before; filters, pauses and goes on", async () => {
    const { url, query } = await start("1");
    const ann = await ChatUser.in("general", built.user, url, "Ann");
    const { page, cells } = await openInspector(url, query);
    await cells("handshake").first().waitFor();
    await cells("ChatApi.joinRoom").first().waitFor();

    await ann.do("sendMessage", { text: "s3cret text", channelId: "general" });
    await cells("ChatApi.sendMessage").nth(1).waitFor();
    await expect(ann.do("sendMessage", { text: "x", channelId: "nowhere" })).rejects.toThrow();
    await page.locator("tr.failed", { hasText: "NOT_IN_ROOM" }).waitFor();
    expect(await page.locator("body").textContent()).not.toContain("s3cret");
    // It does not see itself.
    expect(await page.locator("body").textContent()).not.toContain("InspectorApi");

    await page.getByLabel("Failures only").check();
    expect(await page.locator("#frames tr").count()).toBe(1);
    await page.getByLabel("Failures only").uncheck();
    await page.getByLabel("Path").fill("SENDMESSAGE");
    for (const path of await page.locator("#frames td:nth-child(5)").allTextContents())
      expect(path).toBe("ChatApi.sendMessage");
    await page.getByLabel("Path").fill("");

    await page.getByRole("button", { name: "Pause" }).click();
    const paused = await page.locator("#frames tr").count();
    const bo = await ChatUser.in("general", built.user, url, "Bo");
    await page.getByRole("status").getByText("paused").waitFor();
    await expect(bo.do("sendMessage", { text: "x", channelId: "lounge" })).rejects.toThrow();
    expect(await page.locator("#frames tr").count()).toBe(paused);
    await page.getByRole("button", { name: "Go on" }).click();
    await page.locator("tr.failed").nth(1).waitFor();

    const ids = await page.getByLabel("Connection").locator("option").allTextContents();
    expect(ids).toHaveLength(3);
    await page.getByLabel("Connection").selectOption(ids[2] as string);
    expect(new Set(await page.locator("#frames td:nth-child(2)").allTextContents())).toEqual(new Set([ids[2]]));
    await page.getByRole("button", { name: "Clear" }).click();
    expect(await page.locator("#frames tr").count()).toBe(0);
  });

  it("shows payloads with INSPECT=payloads, as text, and no token", async () => {
    const { url, query } = await start("payloads");
    const ann = await ChatUser.in("general", built.user, url, "Ann");
    const { page } = await openInspector(url, query);
    await ann.do("sendMessage", { text: "<b>bold</b>", channelId: "general" });
    await page.locator("td", { hasText: '"text":"<b>bold</b>"' }).first().waitFor();
    const text = (await page.locator("body").textContent()) ?? "";
    expect(text).toContain('"authorization":"[redacted]"');
    expect(text).not.toContain("Bearer");
    expect(await page.locator("#frames b").count()).toBe(0);
  });

  it("has nothing that axe finds, in light and in dark", async () => {
    const { url, query } = await start("1");
    await ChatUser.in("general", built.user, url, "Ann");
    const { page, cells } = await openInspector(url, query);
    await cells("joinRoom").first().waitFor();
    await page.evaluate(await readFile(createRequire(import.meta.url).resolve("axe-core"), "utf8"));
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const found = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } };
        return (await axe.run()).violations.map(({ id }) => id);
      });
      expect(found).toEqual([]);
    }
  });
});

describe("/metrics", () => {
  it("describes all metrics before anybody connects, with the gauge of the chat at 0", async () => {
    const server = await ChatServer.start(built.server);
    onTestFinished(async () => void (await server.stop()));
    const text = await (await fetch(`${server.url}/metrics`)).text();
    expect(text.split("\n")).toEqual(
      expect.arrayContaining([
        "# HELP websocket_connections_active Active WebSocket connections",
        "# TYPE websocket_connections_active gauge",
        'websocket_connections_active{api="ChatApi",path="/ws/chat"} 0',
        "# TYPE websocket_connections_total counter",
        "# TYPE websocket_requests_total counter",
        "# TYPE websocket_request_duration_ms histogram",
        "# TYPE websocket_out_requests_total counter",
        "# TYPE websocket_bus_up gauge",
      ]),
    );
    expect(text).not.toContain("InspectorApi");
  });
});
