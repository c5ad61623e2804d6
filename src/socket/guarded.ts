import type { SocketEndpoint } from "./endpoint.js";

/** Runs a callback of the program; what it throws, at once or later, is logged and stops nothing. */
export async function guarded(
  endpoint: Pick<SocketEndpoint, "apiName" | "logger">,
  callback: () => unknown,
): Promise<void> {
  try {
    await callback();
  } catch (error) {
    endpoint.logger.error(`${endpoint.apiName}: a callback threw`, { error });
  }
}
