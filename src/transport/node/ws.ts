import { WebSocket } from "ws";
import { CloseCode, clampCloseReason, isSendableCloseCode } from "../../protocol/closeCodes.js";
import { MAX_PAYLOAD } from "../../protocol/frame.js";
import type { SharedMessage, Transport, TransportListener } from "../transport.js";
import { encodeTextFrames } from "./wsFrames.js";

/** What may wait for somebody to take it, in messages and in characters; at so much reading stops. */
const MAX_HELD = 256;
const MAX_HELD_LENGTH = 1024 * 1024;

/** A line over the `ws` package: the server's end of an upgrade, or a client in Node. */
export class WsTransport implements Transport {
  readonly #ws: WebSocket;
  readonly #isAccepted: boolean;
  #listener: TransportListener | undefined;
  #held = 0;
  #heldLength = 0;

  /** @param isAccepted whether this is the server's end, whose frames are not masked */
  constructor(ws: WebSocket, isAccepted: boolean) {
    this.#ws = ws;
    this.#isAccepted = isAccepted;
    (ws as OwnedWebSocket)[OWNER] = this;
    ws.on("message", onMessage).on("pong", onAlive).on("close", onClose).on("error", onError);
    // A server's many connections do without: it is the server who pings.
    if (!isAccepted) ws.on("ping", onAlive);
    if (ws.readyState === WebSocket.CONNECTING) ws.on("open", onOpen);
  }

  /** Begins to connect to a URL. */
  static dial(url: string): WsTransport {
    return new WsTransport(
      new WebSocket(url, { perMessageDeflate: false, maxPayload: MAX_PAYLOAD, followRedirects: false }),
      false,
    );
  }

  attach(listener: TransportListener): void {
    this.#listener = listener;
  }

  send(messages: readonly string[]): void {
    const ws = this.#ws;
    if (ws.readyState !== WebSocket.OPEN) return;
    const line = lineOf(ws);
    if (line && this.#isAccepted) {
      line.write(encodeTextFrames(messages));
      return;
    }
    line?.cork();
    for (const message of messages) ws.send(message, ignoreError);
    line?.uncork();
  }

  sendShared(message: SharedMessage): void {
    const { text } = message;
    const line = this.#isAccepted && this.#ws.readyState === WebSocket.OPEN && lineOf(this.#ws);
    if (!line) return this.send([text]);
    message.frame ??= encodeTextFrames([text]);
    line.write(message.frame);
  }

  backlog(): number {
    return this.#ws.bufferedAmount;
  }

  ping(): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.ping(undefined, undefined, ignoreError);
  }

  close(code?: number, reason?: string): void {
    // A line that was paused would not hear the peer's answer.
    this.resume();
    if (code === undefined || !isSendableCloseCode(code)) this.#ws.close();
    else this.#ws.close(code, clampCloseReason(reason ?? ""));
  }

  terminate(): void {
    this.#ws.terminate();
  }

  hold(length: number): void {
    this.#held++;
    this.#heldLength += length;
    if (this.#held >= MAX_HELD || this.#heldLength >= MAX_HELD_LENGTH) this.#ws.pause();
  }

  resume(): void {
    if (this.#held > 0) this.#ws.resume();
    this.#held = 0;
    this.#heldLength = 0;
  }

  /** @internal */
  get listener(): TransportListener | undefined {
    return this.#listener;
  }
}

/** Told like the rules that `ws` finds broken. */
export const BINARY_MESSAGE = "WS_ERR_BINARY_MESSAGE";

// The event listeners are shared by all connections and find theirs on the `ws`: no closures per connection.
const OWNER = Symbol("owner");
type OwnedWebSocket = WebSocket & { [OWNER]?: WsTransport };

function onOpen(this: OwnedWebSocket): void {
  this[OWNER]?.listener?.onOpen?.();
}

function onMessage(this: OwnedWebSocket, data: WebSocket.RawData, isBinary: boolean): void {
  // Whoever does not wait for our close frame to be answered is not heard any more.
  if (this.readyState !== WebSocket.OPEN) return;
  if (isBinary) {
    this.emit("error", Object.assign(new Error("Text messages only"), { code: BINARY_MESSAGE }));
    return this.close(CloseCode.UNSUPPORTED_DATA, "Text messages only");
  }
  this[OWNER]?.listener?.onText(data.toString());
}

function onAlive(this: OwnedWebSocket): void {
  this[OWNER]?.listener?.onAlive?.();
}

function onClose(this: OwnedWebSocket, code: number, reason: Buffer): void {
  this[OWNER]?.listener?.onClosed(code, reason.toString());
}

function onError(this: OwnedWebSocket, error: Error): void {
  this[OWNER]?.listener?.onFailed(error);
}

/** A failed write is followed by `close`, which settles what depends on it. */
function ignoreError(): void {}

interface Line {
  cork(): void;
  uncork(): void;
  write(data: Uint8Array): void;
}

/**
 * The TCP socket below, to write many frames at once; `ws` does not promise that it is there. Writing past `ws` is in
 * order with what it writes itself, since without compression it never holds a frame back.
 */
function lineOf(ws: WebSocket): Line | undefined {
  return (ws as unknown as { _socket?: Line })._socket;
}
