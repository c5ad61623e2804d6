import { readdirSync, readFileSync } from "node:fs";
import { extname } from "node:path";
import type { GGHttpServer } from "@grest-ts/http";

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".map": "application/json",
  ".svg": "image/svg+xml",
};

/** The headers of every page and file. */
export const HEADERS = {
  "cache-control": "no-cache",
  // The page loads nothing from other origins and has no inline scripts, so the policy forbids both.
  "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** Serves the built page. Its few files are read once, so no request path reaches the file system. */
export function servePage(httpServer: GGHttpServer, folder: URL): void {
  for (const name of readdirSync(folder)) {
    const body = readFileSync(new URL(name, folder));
    const headers = { ...HEADERS, "content-type": CONTENT_TYPES[extname(name)] ?? "application/octet-stream" };
    httpServer.registerRoute("GET", name === "index.html" ? "/" : `/${name}`, (_request, response) => {
      response.writeHead(200, headers).end(body);
    });
  }
}
