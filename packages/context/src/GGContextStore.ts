import { GGContext } from "./GGContext.js";
import { activeContext } from "./storage.js";

/** Access to the context of the running code. */
export const GGContextStore = {
  /** Whether the code runs inside a context. */
  hasContext(): boolean {
    return activeContext() !== undefined;
  },

  /** The current context; throws outside any. */
  getContext(): GGContext {
    const context = activeContext();
    if (context === undefined) {
      throw new Error("No context is active: run this code inside `new GGContext(name).run(...)`.");
    }
    return context;
  },

  /** The current context, or undefined outside any. */
  tryGetContext(): GGContext | undefined {
    return activeContext();
  },

  /** A new context below the current one (or without a parent, outside any). */
  branch(name: string): GGContext {
    return new GGContext(name, activeContext());
  },
};
