import { WebSocket } from "ws";
import { decodeFrame, FrameType, MAX_PAYLOAD } from "../src/protocol/frame.js";
import { WsTransport } from "../src/transport/node/ws.js";
import type { Transport, TransportListener } from "../src/transport/transport.js";

const MAX_FRAMES = 30;
const MAX_LENGTH = 400;

/** A transport that records the frames of the last exchange, in both directions, without changing them. */
export class RecordingTransport implements Transport {
  readonly #ws: WebSocket;
  readonly #transport: WsTransport;
  readonly #onFrame: (text: string) => void;
  #frames: string[] = [];
  #dropped = 0;
  #pings = 0;

  /** `onFrame` receives every frame, also while this end closes. */
  constructor(url: string, isLocal: boolean, onFrame: (text: string) => void) {
    // The certificate of a server in this process is issued for another name than 127.0.0.1.
    const options = { perMessageDeflate: false, maxPayload: MAX_PAYLOAD, rejectUnauthorized: !isLocal };
    this.#ws = new WebSocket(url, options);
    this.#transport = new WsTransport(this.#ws);
    this.#onFrame = onFrame;
  }

  /** Starts a new exchange; the frames so far are dropped. */
  beginExchange(): void {
    this.#frames = [];
    this.#dropped = 0;
  }

  /** The frames of the last exchange, as text for a failure. */
  describeFrames(): string {
    if (this.#frames.length === 0) return "Frames of the last exchange: none";
    const more = this.#dropped > 0 ? [`  … ${this.#dropped} earlier`] : [];
    return ["Frames of the last exchange (→ sent, ← received):", ...more, ...this.#frames].join("\n");
  }

  /** Resolves when the peer has received everything sent so far, and its immediate responses have arrived. */
  async roundTrip(): Promise<void> {
    // The transport writes the frames of this tick at its end.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    if (this.#ws.readyState !== WebSocket.OPEN) return;
    const id = String(++this.#pings);
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#ws.off("pong", onPong).off("close", done);
        resolve();
      };
      const onPong = (data: Buffer) => data.toString() === id && done();
      this.#ws.on("pong", onPong).on("close", done);
      this.#ws.ping(id);
    });
  }

  attach(listener: TransportListener): void {
    this.#transport.attach({
      onOpen: () => listener.onOpen?.(),
      onText: (text) => {
        this.#record("←", text);
        this.#onFrame(text);
        listener.onText(text);
      },
      onClosed: (code, reason) => listener.onClosed(code, reason),
      onFailed: (error) => listener.onFailed(error),
    });
  }

  send(messages: readonly string[]): void {
    for (const message of messages) this.#record("→", message);
    this.#transport.send(messages);
  }

  close(code?: number, reason?: string): void {
    this.#transport.close(code, reason);
  }

  terminate(): void {
    this.#transport.terminate();
  }

  hold(length: number, mustKeepReading?: boolean): boolean {
    return this.#transport.hold(length, mustKeepReading);
  }

  keepReading(): void {
    this.#transport.keepReading();
  }

  resume(): void {
    this.#transport.resume();
  }

  #record(direction: string, text: string): void {
    // The handshake's headers may contain credentials.
    const shown = decodeFrame(text).type === FrameType.HANDSHAKE ? "h:::{…}" : text;
    const tooLong = shown.length - MAX_LENGTH;
    this.#frames.push(
      `  ${direction} ${tooLong > 0 ? `${shown.slice(0, MAX_LENGTH)}… (${tooLong} characters more)` : shown}`,
    );
    if (this.#frames.length <= MAX_FRAMES) return;
    this.#frames.shift();
    this.#dropped++;
  }
}
