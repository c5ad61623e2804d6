import type { IncomingMessage } from "node:http";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import { CLOSE_TIMEOUT } from "../../connection/connection.js";
import { leaveErrors, rejectUpgrade } from "./reject.js";
import type { UpgradeTarget } from "./router.js";

/** How an API takes the upgrades of its path. */
interface UpgradeHandler {
  /** The largest message, in bytes. */
  readonly maxPayloadBytes: number;
  /** Admits a request, or says why it may not be upgraded. */
  admit(request: IncomingMessage): { readonly status: number; readonly why: string } | undefined;
  /** Takes an upgraded connection; `query` is the raw text after the `?`. */
  accept(ws: WebSocket, query: string, request: IncomingMessage): void;
  /** An upgrade ends by a defect, such as another listener that has upgraded the same socket. */
  onFailed(error: unknown): void;
}

/** Upgrades requests with a `ws` server of their own path, which limits its payloads. */
export function webSocketUpgrade(handler: UpgradeHandler): UpgradeTarget["upgrade"] {
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: handler.maxPayloadBytes,
    closeTimeout: CLOSE_TIMEOUT,
  } as ServerOptions);
  return (request, socket, head) => {
    try {
      const rejection = handler.admit(request);
      if (rejection) return rejectUpgrade(socket, rejection.status, rejection.why);
      webSockets.handleUpgrade(request, socket, head, (ws) => {
        leaveErrors(socket);
        handler.accept(ws, queryOf(request), request);
      });
    } catch (error) {
      handler.onFailed(error);
      socket.destroy();
    }
  };
}

function queryOf({ url = "" }: IncomingMessage): string {
  const mark = url.indexOf("?");
  return mark === -1 ? "" : url.slice(mark + 1);
}
