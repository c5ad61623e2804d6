/** What an error carries besides its type and data, and shows to the other side. */
export interface GGErrorPublicContext {
  /** Text that may be shown to a user. */
  readonly displayMessage?: string;
  /** When the error happened, in milliseconds. */
  readonly timestamp?: number;
  /** Finds the error in the logs. */
  readonly ref?: string;
}

/** What helps a developer and never leaves the process. */
export interface GGErrorDebugContext {
  readonly debugMessage?: string;
  readonly debugData?: unknown;
  readonly originalError?: unknown;
}

/** What an error is created with. */
export interface GGErrorContext extends GGErrorPublicContext, GGErrorDebugContext {}

/** The part of `context` that may travel; anything of the wrong type is left out. */
export function publicContext(context: unknown): GGErrorPublicContext {
  if (typeof context !== "object" || context === null) return {};
  const { displayMessage, timestamp, ref } = context as Record<string, unknown>;
  return {
    ...(typeof displayMessage === "string" && { displayMessage }),
    ...(typeof timestamp === "number" && { timestamp }),
    ...(typeof ref === "string" && { ref }),
  };
}

/** The part of `context` that stays, or undefined when there is none. */
export function debugContext(context: GGErrorContext): GGErrorDebugContext | undefined {
  const { debugMessage, debugData, originalError } = context;
  if (debugMessage === undefined && debugData === undefined && originalError === undefined) return undefined;
  return Object.freeze({
    ...(debugMessage !== undefined && { debugMessage }),
    ...(debugData !== undefined && { debugData }),
    ...(originalError !== undefined && { originalError }),
  });
}

/** A reference that is unique enough to find one error in the logs. */
export function createRef(): string {
  const random = Math.floor(Math.random() * 36 ** 8)
    .toString(36)
    .padStart(8, "0");
  return `ERR_REF_${random}${Date.now().toString(36)}`;
}
