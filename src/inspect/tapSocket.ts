import { Ending } from "./ending.js";
import type { TapListener } from "./tap.js";
import { replaceMembers } from "./tapTransport.js";

/** A `WebSocket` as far as it is inspected: all names are the platform's. */
export interface InspectedSocket {
  readonly readyState: number;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

type Handle = ((event: object) => unknown) | null | undefined;

/** Shows what passes a `WebSocket` of the platform's kind, until the function returned is called. */
export function tapSocket(socket: InspectedSocket, tap: TapListener): () => void {
  const { send, close } = socket;
  const ending = new Ending(tap);
  const removeMembers = replaceMembers(socket, {
    send(data: string) {
      if (socket.readyState === 1) tap.onText("sent", data);
      send.call(socket, data);
    },
    close(...how: [code?: number, reason?: string]) {
      close.call(socket, ...how);
      // Not before: a browser throws at codes that a page may not send.
      ending.begin(...how);
    },
  });
  const undo = [
    handleFirst(socket, "onmessage", ({ data }: { readonly data?: unknown }) => {
      if (typeof data === "string") tap.onText("received", data);
    }),
    handleFirst(socket, "onclose", ({ code, reason }: { readonly code?: number; readonly reason?: string }) =>
      ending.closed(code, reason),
    ),
    // What never opened may have no other end.
    handleFirst(socket, "onerror", () => socket.readyState === 0 && ending.closed()),
  ];
  return () => {
    removeMembers();
    for (const remove of undo) remove();
  };
}

/** Handles an event before the handler that is set. */
function handleFirst(
  socket: InspectedSocket,
  name: "onmessage" | "onclose" | "onerror",
  handle: (event: object) => unknown,
): () => void {
  const former = socket[name] as Handle;
  const both = (event: object) => {
    handle(event);
    return former?.call(socket, event);
  };
  socket[name] = both;
  return () => {
    // What is set by now may be another's, which calls this one.
    if (socket[name] === both) socket[name] = former;
  };
}
