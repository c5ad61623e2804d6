import { CloseCode } from "../protocol/closeCodes.js";
import type { Transport, TransportListener } from "./transport.js";

type End = Pick<CloseEvent, "code" | "reason">;

/** The part of a `WebSocket` that is used. */
interface NativeSocket {
  readonly readyState: number;
  readonly CONNECTING: number;
  readonly OPEN: number;
  readonly bufferedAmount: number;
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

/** A transport over the platform's own `WebSocket`, or one of a class that a program gives, whose methods may throw. */
export function nativeTransport(socket: NativeSocket): Transport {
  let listener: TransportListener | undefined;
  /** Counts messages, and looks at which bytes that waited had been sent. */
  let life = 0;
  /** Bytes that waited at the last look, and at least those that were added since; 0 when none waited. */
  let waiting = 0;

  const close = (code?: number, reason?: string) => {
    try {
      socket.close(code, reason);
    } catch {
      // A browser lets a page send 1000 and 3000 to 4999, and throws at anything else.
      if (code) close();
      else onClosed();
    }
  };
  const onClosed = ({ code, reason }: End = { code: CloseCode.ABNORMAL, reason: "" }) => {
    const last = listener;
    listener = undefined;
    last?.onClosed(code, reason);
  };
  const terminate = () => {
    // A page cannot terminate a connection: start the closing handshake, and report the end at once.
    close();
    onClosed();
  };

  socket.onopen = () => listener?.onOpen?.();
  socket.onmessage = ({ data }: { readonly data: unknown }) => {
    life++;
    if (typeof data === "string") listener?.onText(data);
    else close(CloseCode.TEXT_ONLY, "Text messages only");
  };
  socket.onclose = onClosed;
  socket.onerror = ({ message }: Partial<ErrorEvent>) => {
    // Browsers hide the reason on purpose; the close code that follows is all there is to know.
    listener?.onFailed(new Error(message || "connection failed"));
    // undici, which is Node's own, reports no end of what never opened, and leaves it at 0: CONNECTING.
    if (!socket.readyState) onClosed();
  };

  return {
    socket,
    attach(next) {
      listener = next;
    },
    send(messages) {
      if (socket.readyState !== socket.OPEN) return;
      try {
        for (const message of messages) {
          socket.send(message);
          // Its bytes are no fewer.
          waiting &&= waiting + message.length;
        }
      } catch (error) {
        listener?.onFailed(error as Error);
        terminate();
      }
    },
    backlog: () => socket.bufferedAmount,
    watchLife() {
      const before = waiting;
      waiting = socket.bufferedAmount;
      if (waiting < before) life++;
      return life;
    },
    close,
    terminate,
  };
}
