import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import type { GGHttpServer } from "@grest-ts/http";
import { FORBIDDEN } from "@grest-ts/schema";
import { GGSocketGroup, type GGSocketServer, type GGWebSocketMiddleware } from "@grest-ts/websocket";
import { type GGInspectedFrame, inspect, isFailure } from "@grest-ts/websocket/inspect";
import { type Frame, InspectorApi } from "../shared/InspectorApi.js";
import { HEADERS } from "./page.js";

/** How often frames are sent to those who watch, in ms, and how many at a time: of more, the latest ones. */
const INTERVAL_MS = 100;
const MAX_FRAMES = 500;

/** What `INSPECT` says: no page, the frames, or the frames with their payloads. */
export interface InspectorOptions {
  /** Where the built page is. */
  readonly folder: URL;
  readonly payloads: boolean;
}

/**
 * Serves a page of the chat's live traffic: of all people, so it is for development, and for browsers on this machine only.
 * It watches the server of one API, and is served by another one: it does not see itself.
 */
export function serveInspector(http: GGHttpServer, chat: GGSocketServer, { folder, payloads }: InspectorOptions): void {
  const watchers = new GGSocketGroup(InspectorApi);
  let pending: Frame[] = [];
  let timer: NodeJS.Timeout | undefined;

  const sendPending = () => {
    timer = undefined;
    const frames = pending.slice(-MAX_FRAMES);
    pending = [];
    void watchers.frames(frames, { droppable: true });
  };
  const inspection = inspect(
    chat,
    (frame) => {
      if (watchers.size === 0) return;
      pending.push(shown(frame));
      timer ??= setTimeout(sendPending, INTERVAL_MS);
    },
    { payloads },
  );
  http.onTeardown(() => {
    inspection.stop();
    clearTimeout(timer);
  });

  InspectorApi.register(
    (incoming, outgoing) => {
      incoming.on({ recent: () => inspection.recent().slice(-MAX_FRAMES).map(shown) });
      void watchers.add(outgoing);
    },
    { http, middlewares: [onlyFromHere], allowedOrigins: "same-host" },
  );
  const files = {
    "/inspect": ["index.html", "text/html; charset=utf-8"],
    "/inspect.js": ["main.js", "text/javascript; charset=utf-8"],
    "/inspect.css": ["style.css", "text/css; charset=utf-8"],
  } as const;
  for (const [path, [name, contentType]] of Object.entries(files)) {
    const body = readFileSync(new URL(name, folder));
    http.registerRoute("GET", path, (request, response) => {
      const isAllowed = isFromHere(request.socket.remoteAddress, request.headers);
      response.writeHead(isAllowed ? 200 : 403, { ...HEADERS, "content-type": isAllowed ? contentType : "text/plain" });
      response.end(isAllowed ? body : "Only from the machine where the chat runs, as http://localhost");
    });
  }
}

const onlyFromHere: GGWebSocketMiddleware = {
  parseHandshake({ request }) {
    if (!isFromHere(request?.address, request?.headers ?? {}))
      throw new FORBIDDEN({ displayMessage: "Only from the machine where the chat runs" });
  },
};

/** The name that the browser was given counts, too: another site may have a name that leads to this machine. */
function isFromHere(address: string | undefined, headers: Pick<IncomingMessage["headers"], "host">): boolean;
function isFromHere(
  address: string | undefined,
  headers: { readonly host?: string | readonly string[] | undefined },
): boolean;
function isFromHere(address = "", { host }: { readonly host?: string | readonly string[] | undefined }): boolean {
  const isLocalAddress = /^(::ffff:)?127\.|^::1$/.test(address);
  return isLocalAddress && typeof host === "string" && /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(host);
}

function shown({ payload, side: _, ...frame }: GGInspectedFrame): Frame {
  return {
    ...frame,
    ...(payload !== undefined && { payload: JSON.stringify(payload) }),
    ...(isFailure({ ...frame, side: "server" }) && { failed: true as const }),
  };
}
