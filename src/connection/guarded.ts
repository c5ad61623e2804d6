import type { GGContext } from "@grest-ts/context";
import type { SocketEndpoint } from "./endpoint.js";

/** Runs a callback of the program in a context; what it throws, at once or later, is logged and stops nothing. */
export async function guarded(
  { apiName, logger, scope }: SocketEndpoint,
  context: GGContext,
  callback: () => unknown,
): Promise<void> {
  try {
    await scope(() => context.run(callback));
  } catch (error) {
    logger.error(`${apiName}: a callback threw`, { error });
  }
}
