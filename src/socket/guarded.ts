import type { SocketEndpoint } from "./endpoint.js";

/** Runs a callback of the program; what it throws, at once or later, is logged and stops nothing. */
export async function guarded({ apiName, logger, scope }: SocketEndpoint, callback: () => unknown): Promise<void> {
  try {
    await scope(callback);
  } catch (error) {
    logger.error(`${apiName}: a callback threw`, { error });
  }
}
