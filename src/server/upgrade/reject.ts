import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";

/**
 * Keeps an error of a socket, such as a reset, from being an uncaught exception: Node hands upgraded sockets over without
 * a listener.
 */
export function destroyOnError(socket: Duplex): void {
  // A socket that was replayed as a request may be upgraded again.
  socket.off("error", destroy).on("error", destroy);
}

/** Another listener has taken the socket over, and its errors too. */
export function leaveErrors(socket: Duplex): void {
  socket.off("error", destroy);
}

function destroy(this: Duplex): void {
  this.destroy();
}

/** Answers an upgrade request as any other HTTP request, and closes its socket. */
export function rejectUpgrade(socket: Duplex, status: number, why: string): void {
  const body = `${why}\n`;
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    "Connection: close",
    "Content-Type: text/plain",
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 429 || status === 503 ? ["Retry-After: 1"] : []),
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}
