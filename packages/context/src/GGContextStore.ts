import { GGContext } from "./GGContext.js";
import { activeContext } from "./storage.js";

/** Access to the context of the running code. */
// biome-ignore lint/complexity/noStaticOnlyClass: published under this name.
export class GGContextStore {
  /** Whether the code runs inside a context. */
  static hasContext(): boolean {
    return activeContext() !== undefined;
  }

  /** The current context; throws outside any. */
  static getContext(): GGContext {
    const context = activeContext();
    if (!context) throw new Error("No context is active.");
    return context;
  }

  /** The current context, or undefined outside any. */
  static tryGetContext(): GGContext | undefined {
    return activeContext();
  }

  /** A new context below the current one (or without a parent, outside any). */
  static branch(name: string): GGContext {
    return new GGContext(name, activeContext());
  }
}
