import { BINARY_MESSAGE } from "../../transport/node/ws.js";

/** What `ws` closes a connection for, by the code of its error: as the `result` that the metrics show. */
const RESULTS: Readonly<Record<string, string>> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: "PAYLOAD_TOO_LARGE",
  WS_ERR_TOO_MANY_BUFFERED_PARTS: "TOO_MANY_FRAGMENTS",
  [BINARY_MESSAGE]: "BINARY_MESSAGE",
};

/** Which rule of the WebSocket layer a peer has broken; `undefined` when it is only the network that failed. */
export function brokenRule({ code = "" }: NodeJS.ErrnoException): string | undefined {
  return code.startsWith("WS_ERR_") ? (RESULTS[code] ?? "PROTOCOL_ERROR") : undefined;
}
