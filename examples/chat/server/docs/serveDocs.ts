import type { GGHttpServer } from "@grest-ts/http";
import { toAsyncApi } from "@grest-ts/websocket/asyncapi";
import { ChatApi } from "../../shared/ChatApi.js";
import { HEADERS } from "../page.js";
import { docsPage } from "./page.js";
import { STYLE } from "./style.js";

/** Serves what the chat's sockets carry, for tools (`/asyncapi.json`) and for people (`/docs`). */
export function serveDocs(httpServer: GGHttpServer): void {
  const document = toAsyncApi([ChatApi], { title: "Chat", version: "1.0.0" });
  const files = {
    "/asyncapi.json": ["application/json", JSON.stringify(document, null, 2)],
    "/docs": ["text/html; charset=utf-8", docsPage(document)],
    "/docs.css": ["text/css; charset=utf-8", STYLE],
  } as const;
  for (const [path, [contentType, body]] of Object.entries(files)) {
    httpServer.registerRoute("GET", path, (_request, response) => {
      response.writeHead(200, { ...HEADERS, "content-type": contentType }).end(body);
    });
  }
}
