import { readFileSync } from "node:fs";
import type { GGHttpServer } from "@grest-ts/http";
import { FORBIDDEN } from "@grest-ts/schema";
import { type GGHandshakeRequest, GGSocketGroup, type GGSocketServer } from "@grest-ts/websocket";
import { type GGInspectedFrame, inspect, isFailure } from "@grest-ts/websocket/inspect";
import { type Frame, InspectorApi } from "../shared/InspectorApi.js";
import { HEADERS } from "./page.js";

/** How often frames are sent to those who watch, in ms, and how many at a time: of more, the latest ones. */
const INTERVAL_MS = 100;
const MAX_FRAMES = 500;

const REFUSAL = "Open the address that the chat printed when it started, on its own machine and without a proxy";

/** What a reverse proxy adds: behind one on this machine, all requests come from this machine. */
const PROXY_HEADERS = /^(x-forwarded-.+|x-real-ip|forwarded|via)$/;

/** What `INSPECT` says: no page, the frames, or the frames with their payloads. */
export interface InspectorOptions {
  /** Where the built page is. */
  readonly folder: URL;
  readonly payloads: boolean;
  /** A secret in the address of the page: not all proxies say that they are there. */
  readonly key: string;
}

/**
 * Serves a page of the chat's live traffic: of all people, so it is for development, and for browsers on this machine only
 * that have the key. It watches the server of one API, and is served by another one: it does not see itself.
 */
export function serveInspector(http: GGHttpServer, chat: GGSocketServer, options: InspectorOptions): void {
  const { folder, payloads, key } = options;
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
    {
      http,
      allowedOrigins: "same-host",
      middlewares: [
        {
          parseHandshake({ request, queryArgs }) {
            if (!request || !isFromHere(request.address, request.headers) || queryArgs.key !== key)
              throw new FORBIDDEN({ displayMessage: REFUSAL });
          },
        },
      ],
    },
  );
  const files = {
    "/inspect": ["index.html", "text/html; charset=utf-8"],
    "/inspect.js": ["main.js", "text/javascript; charset=utf-8"],
    "/inspect.css": ["style.css", "text/css; charset=utf-8"],
  } as const;
  for (const [path, [name, contentType]] of Object.entries(files)) {
    const body = readFileSync(new URL(name, folder));
    http.registerRoute("GET", path, (request, response) => {
      // The files that the page loads are those of the repository, and show nothing.
      const hasKey = path !== "/inspect" || new URLSearchParams(request.url?.split("?")[1]).get("key") === key;
      const isAllowed = hasKey && isFromHere(request.socket.remoteAddress, request.headers);
      response.writeHead(isAllowed ? 200 : 403, { ...HEADERS, "content-type": isAllowed ? contentType : "text/plain" });
      response.end(isAllowed ? body : REFUSAL);
    });
  }
}

/** The name that the browser was given counts, too: another site may have a name that leads to this machine. */
function isFromHere(address = "", headers: GGHandshakeRequest["headers"]): boolean {
  const isLocalAddress = /^(::ffff:)?127\.|^::1$/.test(address);
  const isLocalName = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(String(headers.host));
  return isLocalAddress && isLocalName && !Object.keys(headers).some((name) => PROXY_HEADERS.test(name));
}

function shown({ payload, side: _, ...frame }: GGInspectedFrame): Frame {
  return {
    ...frame,
    ...(payload !== undefined && { payload: JSON.stringify(payload) }),
    ...(isFailure({ ...frame, side: "server" }) && { failed: true as const }),
  };
}
