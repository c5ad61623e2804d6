import { CloseCode } from "../protocol/closeCodes.js";
import type { Transport, TransportListener } from "./transport.js";

/** A transport over the platform's own `WebSocket`: browsers, and runtimes that have one. */
export function nativeTransport(socket: WebSocket): Transport {
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
      socket.close();
    }
  };
  const onClosed = ({ code, reason }: Pick<CloseEvent, "code" | "reason">) => {
    const last = listener;
    listener = undefined;
    last?.onClosed(code, reason);
  };

  socket.onopen = () => listener?.onOpen?.();
  socket.onmessage = ({ data }) => {
    life++;
    if (typeof data === "string") listener?.onText(data);
    else close(CloseCode.TEXT_ONLY, "Text messages only");
  };
  socket.onclose = onClosed;
  // Browsers hide the reason on purpose; the close code that follows is all there is to know.
  socket.onerror = () => listener?.onFailed(new Error("connection failed"));

  return {
    attach(next) {
      listener = next;
    },
    send(messages) {
      if (socket.readyState !== socket.OPEN) return;
      for (const message of messages) {
        socket.send(message);
        // Its bytes are no fewer.
        waiting &&= waiting + message.length;
      }
    },
    watchLife() {
      const before = waiting;
      waiting = socket.bufferedAmount;
      if (waiting < before) life++;
      return life;
    },
    close,
    terminate() {
      // A page cannot terminate a connection: start the closing handshake, and report the end at once.
      close();
      onClosed({ code: CloseCode.ABNORMAL, reason: "" });
    },
  };
}
