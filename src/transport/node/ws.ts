import { WebSocket } from "ws";
import { CloseCode, clampCloseReason, isSendableCloseCode } from "../../protocol/closeCodes.js";
import type { SharedMessage, Transport, TransportListener } from "../transport.js";
import { limitReceivedMessages, tcpSocketOf } from "./privateParts.js";
import { type ByteCounts, SendProgress } from "./sendProgress.js";
import { encodeTextFrames } from "./wsFrames.js";

/** How many messages and characters may wait to be handled; at either limit reading pauses. */
const MAX_HELD = 256;
const MAX_HELD_LENGTH = 1024 * 1024;

/** What a server has accepted. */
export interface AcceptedSocket {
  /** What the upgrade request came on. */
  readonly bytes: ByteCounts;
  /** Is released when the socket has closed. */
  readonly slot: { release(): void };
}

/** A transport over the `ws` package: the server's end of an upgrade, or a client in Node. */
export class WsTransport implements Transport {
  readonly #ws: WebSocket;
  readonly #slot: AcceptedSocket["slot"] | undefined;
  #listener: TransportListener | undefined;
  #held = 0;
  #heldLength = 0;
  #maxHeldLength = MAX_HELD_LENGTH;
  /** Created lazily: most connections are never slow. */
  #sendProgress: SendProgress | undefined;
  /** The connection below, whose bytes are counted; absent while this end connects. */
  #bytes: ByteCounts | undefined;
  /** How many messages, pings and pongs have arrived. */
  #received = 0;
  /** What had arrived at the last look. */
  #receivedSeen = 0;
  #bytesSeen = 0;

  /** @param accepted for the server's end, whose frames are not masked */
  constructor(ws: WebSocket, accepted?: AcceptedSocket) {
    this.#ws = ws;
    this.#bytes = accepted?.bytes;
    this.#slot = accepted?.slot;
    (ws as OwnedWebSocket)[OWNER] = this;
    ws.on("message", onMessage).on("ping", onAlive).on("pong", onAlive).on("close", onClose).on("error", onError);
    if (ws.readyState !== WebSocket.CONNECTING) return;
    ws.on("open", onOpen).once("upgrade", ({ socket: own }: { readonly socket: ByteCounts | null }) => {
      // Bun's has none.
      this.#bytes = own ?? undefined;
    });
  }

  attach(listener: TransportListener): void {
    this.#listener = listener;
  }

  send(messages: readonly string[]): void {
    const ws = this.#ws;
    if (ws.readyState !== WebSocket.OPEN) return;
    const tcpSocket = tcpSocketOf(ws);
    // This keeps the order with the writes of `ws`, which without compression never holds a frame back.
    if (!tcpSocket?.write) for (const message of messages) ws.send(message, ignoreError);
    else if (messages.length === 1) tcpSocket.write(encodeTextFrames(messages, !this.#slot));
    else {
      tcpSocket.cork?.();
      try {
        for (const some of inParts(messages)) tcpSocket.write(encodeTextFrames(some, !this.#slot));
      } finally {
        tcpSocket.uncork?.();
      }
    }
  }

  sendShared(message: SharedMessage): void {
    const { text } = message;
    const tcpSocket = tcpSocketOf(this.#ws);
    const isWritable = this.#slot && this.#ws.readyState === WebSocket.OPEN;
    if (!isWritable || !tcpSocket?.write) return this.send([text]);
    message.frame ??= encodeTextFrames([text]);
    tcpSocket.write(message.frame);
  }

  backlog(): number {
    return this.#ws.bufferedAmount;
  }

  watchLife(): number {
    const { isPaused } = this.#ws;
    const { bytesRead = 0 } = this.#bytes ?? {};
    const received = this.#received;
    if (isPaused || (bytesRead > this.#bytesSeen && received === this.#receivedSeen)) {
      this.ping();
      this.#listener?.onBusy?.();
    }
    this.#bytesSeen = bytesRead;
    this.#receivedSeen = received;
    const moves = this.watchSending();
    return isPaused ? Number.NaN : received + bytesRead + moves;
  }

  watchSending(): number {
    const { bufferedAmount } = this.#ws;
    if (bufferedAmount > 0) this.#sendProgress ??= new SendProgress();
    return this.#sendProgress?.count(bufferedAmount, this.#bytes) ?? 0;
  }

  ping(): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.ping(undefined, undefined, ignoreError);
  }

  close(code?: number, reason?: string): void {
    // A paused connection would not read the peer's close frame.
    this.resume();
    if (code === undefined || !isSendableCloseCode(code)) this.#ws.close();
    else this.#ws.close(code, clampCloseReason(reason ?? ""));
  }

  terminate(): void {
    this.#ws.terminate();
  }

  hold(length: number, mustKeepReading = false): boolean {
    const isFull = () => this.#held >= MAX_HELD || this.#heldLength >= this.#maxHeldLength;
    if (mustKeepReading && isFull()) return false;
    this.#held++;
    this.#heldLength += length;
    if (isFull() && !mustKeepReading) this.#ws.pause();
    return true;
  }

  keepReading(): void {
    if (this.#held > 0) this.#ws.resume();
  }

  resume(): void {
    if (this.#held > 0) this.#ws.resume();
    this.#held = 0;
    this.#heldLength = 0;
  }

  /**
   * Closes with 1009 when a message of more bytes arrives from now on, and holds no more than one such message. `ws` has
   * no way to change its limit, so where this private part is missing the limit of the upgrade remains.
   */
  limitMessages(bytes: number): void {
    limitReceivedMessages(this.#ws, bytes);
    this.#maxHeldLength = Math.min(bytes, MAX_HELD_LENGTH);
  }

  /** @internal */
  closed(code: number, reason: string): void {
    this.#slot?.release();
    this.#listener?.onClosed(code, reason);
  }

  /** @internal */
  failed(error: Error): void {
    this.#listener?.onFailed(error);
  }

  /** Whether it sends what it is given. */
  get isOpen(): boolean {
    return this.#ws.readyState === WebSocket.OPEN;
  }

  /** Whether it has closed. */
  get isOver(): boolean {
    return this.#ws.readyState === WebSocket.CLOSED;
  }

  /** @internal */
  get listener(): TransportListener | undefined {
    return this.#listener;
  }

  /** @internal Counts what has arrived, and returns who gets it. */
  listenerThatReceives(): TransportListener | undefined {
    this.#received++;
    return this.#listener;
  }
}

/** How many characters are written in one buffer, unless one message has more. */
const MAX_PART = 65_536;

/**
 * Parts of messages, each for a buffer of its own: a stream that is not of Node's own shows only by whole buffers that its
 * peer takes them.
 */
function* inParts(messages: readonly string[]): Iterable<readonly string[]> {
  let from = 0;
  let length = 0;
  for (const [at, message] of messages.entries()) {
    if (at > from && length + message.length > MAX_PART) {
      yield messages.slice(from, at);
      from = at;
      length = 0;
    }
    length += message.length;
  }
  yield messages.slice(from);
}

/** Reported like the violations that `ws` detects. */
export const BINARY_MESSAGE = "WS_ERR_BINARY_MESSAGE";

// The event listeners are shared by all connections and find their transport on the `ws`: no closures per connection.
const OWNER = Symbol("owner");
type OwnedWebSocket = WebSocket & { [OWNER]?: WsTransport };

function onOpen(this: OwnedWebSocket): void {
  this[OWNER]?.listener?.onOpen?.();
}

function onMessage(this: OwnedWebSocket, data: WebSocket.RawData, isBinary: boolean): void {
  // Messages that arrive during the closing handshake are ignored.
  if (this.readyState !== WebSocket.OPEN) return;
  if (isBinary) {
    this.emit("error", Object.assign(new Error("Text messages only"), { code: BINARY_MESSAGE }));
    return this.close(CloseCode.UNSUPPORTED_DATA, "Text messages only");
  }
  this[OWNER]?.listenerThatReceives()?.onText(data.toString());
}

function onAlive(this: OwnedWebSocket): void {
  this[OWNER]?.listenerThatReceives()?.onAlive?.();
}

function onClose(this: OwnedWebSocket, code: number, reason: Buffer): void {
  this[OWNER]?.closed(code, reason.toString());
}

function onError(this: OwnedWebSocket, error: Error): void {
  this[OWNER]?.failed(error);
}

/** A failed write is followed by `close`, which settles what depends on it. */
function ignoreError(): void {}
