import { CloseCode } from "../protocol/closeCodes.js";
import type { Transport, TransportListener } from "./transport.js";

/** A line over the platform's own `WebSocket`: browsers, and runtimes that have one. */
export function nativeTransport(socket: WebSocket): Transport {
  let listener: TransportListener | undefined;

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
    if (typeof data === "string") listener?.onText(data);
    else close(CloseCode.TEXT_ONLY, "Text messages only");
  };
  socket.onclose = onClosed;
  // A browser says no more than this on purpose; the close code that follows is all there is to know.
  socket.onerror = () => listener?.onFailed(new Error("connection failed"));

  return {
    attach(next) {
      listener = next;
    },
    send(messages) {
      if (socket.readyState === socket.OPEN) for (const message of messages) socket.send(message);
    },
    close,
    terminate() {
      // There is no way to cut a line from a page: take leave of it, and let the platform finish in its own time.
      close();
      onClosed({ code: CloseCode.ABNORMAL, reason: "" });
    },
  };
}
