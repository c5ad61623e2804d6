import type { EventEmitter } from "node:events";
import * as http from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { rejectUpgrade } from "./reject.js";

/** How many names and values of headers Node keeps by default; it drops further ones. */
const MAX_HEADER_ENTRIES = 2_000;

/** Only these fields concern the upgrade (RFC 9113 section 3.1, of HTTP/1.1's `h2c`). */
const UPGRADE_FIELDS: readonly string[] = ["upgrade", "http2-settings"];

/**
 * Gives an upgrade that the server does not make back to its HTTP routes, since an upgrade is an offer that a server may
 * ignore (RFC 9110 section 7.8). Node has taken its HTTP parser off the socket; it gets a new one, which reads the
 * request again, without the offer, and then the body and all further requests.
 */
export function replayAsRequest(
  server: http.Server,
  request: http.IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  // The answer to an earlier request of the connection, which must go out first.
  const { _httpMessage: pending } = socket as { _httpMessage?: EventEmitter | null };
  if (pending) return void pending.once("close", () => replayAsRequest(server, request, socket, head));
  if (!socket.writable) return;
  const maxEntries = server.maxHeadersCount ? server.maxHeadersCount * 2 : MAX_HEADER_ENTRIES;
  // Without the length of its body, the body would be taken for the next request.
  if (request.rawHeaders.length >= maxEntries) return rejectUpgrade(socket, 431, "Too many headers");
  socket.unshift(Buffer.concat([encodeHead(request), head]));
  // That of an idle connection, which may still be set.
  (socket as Partial<Socket>).setTimeout?.(server.timeout);
  parseRequests(server, socket);
}

function encodeHead({ method, url, httpVersion, rawHeaders }: http.IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase();
    if (UPGRADE_FIELDS.includes(name)) continue;
    const value = rawHeaders[i + 1] as string;
    const kept = name === "connection" ? withoutUpgradeFields(value) : value;
    if (kept !== "" || name !== "connection") lines.push(`${rawHeaders[i]}: ${kept}`);
  }
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

function withoutUpgradeFields(options: string): string {
  const kept = options.split(",").filter((option) => !UPGRADE_FIELDS.includes(option.trim().toLowerCase()));
  return kept.join(",").trim();
}

/** Puts Node's HTTP parser on the socket. */
function parseRequests(server: http.Server, socket: Duplex): void {
  // The events are Node's documented way, but programs that count connections would count this one again.
  const { _connectionListener: listener } = http as { _connectionListener?: (socket: Duplex) => void };
  if (listener) listener.call(server, socket);
  else server.emit(socket instanceof TLSSocket ? "secureConnection" : "connection", socket);
}
