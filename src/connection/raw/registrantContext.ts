import { GGContext, GGContextStore } from "@grest-ts/context";
import { GG_WS_CONNECTION, GG_WS_MESSAGE } from "../../api/contextKeys.js";
import { TRACE } from "../trace.js";

/** The context that a callback runs in, given that of the connection or of the message that it is called for. */
export type ContextOf = (source: GGContext) => GGContext;

/** What comes from the source whatever the callback's own context is. */
const SHOWN = [GG_WS_CONNECTION, GG_WS_MESSAGE, TRACE] as const;

/**
 * Captures the context of the code that registers a callback: a connection of the pool is shared, so what its opener's
 * context holds is not for the callbacks of others.
 */
export function registrantContext(ofConnection: GGContext): ContextOf {
  const registrant = GGContextStore.tryGetContext();
  const isOpener = registrant === ofConnection.parent;
  // In the connection's context, its opener sees what middlewares have set there.
  if (!registrant || isOpener || registrant === ofConnection) return (source) => source;
  return (source) => {
    const context = new GGContext(source.name, registrant);
    for (const key of SHOWN) if (source.has<unknown>(key)) context.set<unknown>(key, source.get<unknown>(key));
    return context;
  };
}
