import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CLOSE_TIMEOUT, GRACEFUL_CLOSE_TIMEOUT } from "../../src/connection/connection.js";
import { CALL_TIMEOUT } from "../../src/connection/endpoint.js";
import { HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT } from "../../src/connection/heartbeat.js";
import { HANDLER_GRACE } from "../../src/connection/inbox.js";
import { MAX_BATCH_BYTES, MAX_PAYLOAD } from "../../src/protocol/frame.js";
import { MAX_POSITIONS } from "../../src/protocol/resume.js";
import { MAX_HANDSHAKE, MAX_HANDSHAKE_BYTES } from "../../src/server/handshake/listener.js";
import { resolveLimits } from "../../src/server/limits.js";
import { root } from "../support/paths.js";

// The documents that state limits must state those of the sources.

const page = readFileSync(join(root, "docs/limits.md"), "utf8");
const protocol = readFileSync(join(root, "PROTOCOL.md"), "utf8");

/** The second cell of the row that begins with a cell. */
function cell(document: string, first: string): string {
  const row = document.split("\n").find((text) => text.startsWith(`| ${first} `));
  return row?.split("|")[2]?.trim() ?? `no row "${first}"`;
}

const UNITS: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2, s: 1_000 };

/** The number that a text begins with: `16 MiB` in bytes, `5 s` in ms. */
function amount(text: string): number {
  if (text === "none") return Number.POSITIVE_INFINITY;
  const [, digits, unit = ""] = /^([\d,]+)(?: (KiB|MiB|s)\b)?/.exec(text) ?? [];
  return digits === undefined ? Number.NaN : Number(digits.replaceAll(",", "")) * (UNITS[unit] ?? 1);
}

describe("docs/limits.md", () => {
  const { messageBurst, ...limits } = resolveLimits("Api");

  it.each(Object.entries(limits))("states the default of %s", (name, value) => {
    expect(amount(cell(page, `\`${name}\``))).toBe(value);
  });

  it("states the default of messageBurst", () => {
    expect(messageBurst).toBe(limits.messagesPerSecond);
    expect(resolveLimits("Api", { messagesPerSecond: 7 }).messageBurst).toBe(7);
    expect(cell(page, "`messageBurst`")).toBe("`messagesPerSecond`");
  });

  it("states no limit that there is not", () => {
    const [, section = ""] = page.split("\n## Limits of a server\n");
    const [table = ""] = section.split("\n\n- ");
    const names = Array.from(table.matchAll(/^\| `(\w+)` +\| /gm), ([, name]) => name);
    expect(names.sort()).toEqual([...Object.keys(limits), "messageBurst"].sort());
  });

  it("states the times of heartbeats", () => {
    const [interval = "", timeout = ""] = cell(page, "`heartbeat.intervalMs`, `heartbeat.timeoutMs`").split(" ms, ");
    expect([amount(interval), amount(timeout)]).toEqual([HEARTBEAT_INTERVAL, HEARTBEAT_TIMEOUT]);
  });

  it.each([
    ["a message to a client in Node; its nesting; its values", MAX_PAYLOAD],
    ["a message to a server before the handshake is done", MAX_HANDSHAKE_BYTES],
    ["a handshake message", MAX_HANDSHAKE],
    ["a batch", MAX_BATCH_BYTES],
    ["groups that a client presents to resume", MAX_POSITIONS],
    ["from the end of the connection handler to the first handlers", HANDLER_GRACE],
    ["calls and handlers in flight on a graceful close; bytes that make no progress", GRACEFUL_CLOSE_TIMEOUT],
    ["the answer to a close frame", CLOSE_TIMEOUT],
    ["`timeout`", CALL_TIMEOUT],
  ])("states how much is allowed: %s", (what, value) => {
    expect(amount(cell(page, what))).toBe(value);
  });
});

describe("PROTOCOL.md, section 9", () => {
  it.each([
    ["Size of a message that arrives at a Node peer", MAX_PAYLOAD],
    ["Size of `h`", MAX_HANDSHAKE],
    ["Size of any message to a server before `k`", MAX_HANDSHAKE_BYTES],
    ["Request without a reply", CALL_TIMEOUT],
    ["Waiting for the first handlers, once the program's connection handler is done", HANDLER_GRACE],
    ["Graceful close: until handlers and requests are done", GRACEFUL_CLOSE_TIMEOUT],
    ["From a server's close frame, or one on an accepted connection, until the peer's own", CLOSE_TIMEOUT],
  ])("states how much is allowed: %s", (what, value) => {
    expect(amount(cell(protocol, what))).toBe(value);
  });
});
