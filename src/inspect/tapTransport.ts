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
  /** A shared message is being sent, perhaps as any other. */
  let isSharing = false;
  const ending = new Ending(tap);

  const watched = (listener: InspectedListener): InspectedListener => {
    inner = listener;
    return {
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
  };
  const changed: Changed = {
    attach: (listener) => attach.call(transport, watched(listener)),
    send(messages) {
      if (!isSharing) for (const message of messages) tap.onText("sent", message);
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
      tap.onText("sent", message.text);
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
    if (transport.listener && inner) attach.call(transport, inner);
  };
}

/** Gives an object members of its own, and returns what makes it as it was. */
export function replaceMembers(object: object, members: object): () => void {
  const former = Object.getOwnPropertyDescriptors(object) as Readonly<Record<string, PropertyDescriptor>>;
  for (const [name, value] of Object.entries(members))
    Object.defineProperty(object, name, { value, configurable: true, writable: true });
  return () => {
    for (const name of Object.keys(members)) {
      const descriptor = former[name];
      if (descriptor) Object.defineProperty(object, name, descriptor);
      else Reflect.deleteProperty(object, name);
    }
  };
}
