/** The public context of an error, which is sent to the other side. */
export interface GGErrorPublicContext {
  /** Text that may be shown to a user. */
  readonly displayMessage?: string;
  /** When the error happened, in milliseconds. */
  readonly timestamp?: number;
  /** Identifies the error in the logs. */
  readonly ref?: string;
}

/** Details for developers, which are never sent. */
export interface GGErrorDebugContext {
  readonly debugMessage?: string;
  readonly debugData?: unknown;
  readonly originalError?: unknown;
}

/** What an error is created with. */
export interface GGErrorContext extends GGErrorPublicContext, GGErrorDebugContext {}

/** The public part of `context`; values of a wrong type are omitted. */
export function publicContext(context: unknown): GGErrorPublicContext {
  if (typeof context !== "object" || context === null) return {};
  const { displayMessage, timestamp, ref } = context as Record<string, unknown>;
  return {
    ...(typeof displayMessage === "string" && { displayMessage }),
    ...(typeof timestamp === "number" && { timestamp }),
    ...(typeof ref === "string" && { ref }),
  };
}

/** The part of `context` that is not sent, or undefined when there is none. */
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
