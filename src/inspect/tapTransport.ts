import type { InspectedListener, InspectedTransport } from "../api/inspect.js";
import { ABNORMAL, Ending } from "./ending.js";
import type { TapListener } from "./tap.js";

type Changed = Pick<InspectedTransport, "attach" | "send" | "sendShared" | "close" | "terminate">;

/** Shows what passes a transport: its own members take the place of those of its class, until the function returned is called. */
export function tapTransport(transport: InspectedTransport, tap: TapListener): () => void {
  if (typeof transport.attach !== "function")
    throw new TypeError("inspect: a page's production build shows no socket over an adapter");
  const { attach, send, sendShared, close, terminate } = transport;
  let inner = transport.listener;
  /** The listener that is attached in its place. */
  let outer: InspectedListener | undefined;
  /** A shared message is being sent, perhaps as any other. */
  let isSharing = false;
  const ending = new Ending(tap);
  /** What is sent while it closes is dropped. */
  const isOpen = () => transport.isOpen ?? true;

  const watched = (listener: InspectedListener): InspectedListener => {
    inner = listener;
    outer = {
      get id() {
        return listener.id as string;
      },
      can: (capability) => listener.can?.(capability) ?? false,
      onOpen: () => listener.onOpen?.(),
      onText(text) {
        tap.onText("received", text);
        listener.onText(text);
      },
      onAlive: () => listener.onAlive?.(),
      onBusy: () => listener.onBusy?.(),
      onClosed(code, reason) {
        ending.closed(code, reason);
        listener.onClosed(code, reason);
      },
      onFailed: (error) => listener.onFailed(error),
    };
    return outer;
  };
  const changed: Changed = {
    attach: (listener) => attach.call(transport, watched(listener)),
    send(messages) {
      if (!isSharing && isOpen()) for (const message of messages) tap.onText("sent", message);
      send.call(transport, messages);
    },
    close(code, reason) {
      ending.begin(code, reason);
      close.call(transport, code, reason);
    },
    terminate() {
      ending.begin(ABNORMAL);
      terminate.call(transport);
    },
  };
  if (sendShared)
    changed.sendShared = (message) => {
      if (isOpen()) tap.onText("sent", message.text);
      isSharing = true;
      try {
        sendShared.call(transport, message);
      } finally {
        isSharing = false;
      }
    };
  const remove = replaceMembers(transport, changed);
  if (inner) attach.call(transport, watched(inner));
  return () => {
    remove();
    if (inner && transport.listener === outer) attach.call(transport, inner);
  };
}

/** Gives an object members of its own, and returns what takes back those that are still there. */
export function replaceMembers(object: object, members: object): () => void {
  const former = Object.getOwnPropertyDescriptors(object) as Readonly<Record<string, PropertyDescriptor>>;
  for (const [name, value] of Object.entries(members))
    Object.defineProperty(object, name, { value, configurable: true, writable: true });
  return () => {
    for (const [name, value] of Object.entries(members)) {
      // What is there by now may be another's, which calls this one.
      if (Object.getOwnPropertyDescriptor(object, name)?.value !== value) continue;
      const descriptor = former[name];
      if (descriptor) Reflect.defineProperty(object, name, descriptor);
      else Reflect.deleteProperty(object, name);
    }
  };
}
