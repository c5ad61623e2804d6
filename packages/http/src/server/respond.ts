import type { ServerResponse } from "node:http";
import type { ERROR } from "@grest-ts/schema";

/** Sends `body` as JSON. Does nothing when a response has started or the client has disconnected. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    ...headers,
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "x-content-type-options": "nosniff",
  } as Record<string, string | number | string[]>);
  response.end(text);
}

/** Sends the public part of an error with the error's own status. */
export function sendError(response: ServerResponse, error: ERROR): void {
  sendJson(response, error.statusCode, error.toJSON());
}
