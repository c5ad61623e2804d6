import type { WebSocket } from "ws";

/**
 * The parts of a `ws` that it does not publish. Each may be missing, in another version or in a runtime's own `ws`, so
 * what uses one does without it where it is not there.
 */
interface PrivateParts {
  readonly _socket?: TcpSocket | null;
  readonly _sender?: { readonly _socket?: unknown } | null;
  readonly _receiver?: { _maxPayload?: unknown } | null;
}

/** The TCP socket below a `ws`. */
export interface TcpSocket {
  cork?(): void;
  uncork?(): void;
  write?(data: Uint8Array): void;
}

/** The one that this `ws` writes to. Bun's shows a socket too, but its own frames pass it by, and it does not count others. */
export function tcpSocketOf(ws: WebSocket): TcpSocket | undefined {
  const { _socket: socket, _sender: sender } = ws as unknown as PrivateParts;
  return socket && sender?._socket === socket ? socket : undefined;
}

/** Changes the largest message that a `ws` reads, in bytes. Without this part the limit that it was made with remains. */
export function limitReceivedMessages(ws: WebSocket, bytes: number): void {
  const receiver = (ws as unknown as PrivateParts)._receiver;
  if (typeof receiver?._maxPayload === "number") receiver._maxPayload = bytes;
}
