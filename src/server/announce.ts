import { GG_DISCOVERY } from "@grest-ts/discovery";
import type { GGWebSocketLogger } from "../api/logger.js";
import { isPublic } from "../api/permission.js";
import { hasService } from "../connection/locate.js";
import type { MethodTable } from "../connection/methods/methodTable.js";

/** An API that listens. */
interface ListeningApi {
  readonly apiName: string;
  readonly path: string;
  readonly port: number;
  readonly logger: GGWebSocketLogger;
  readonly serverToClient: MethodTable;
}

/** Announces an API in the log and to the discovery client of the scope that registered it. Called inside that scope. */
export async function announce({ apiName: api, path, port, logger, serverToClient }: ListeningApi): Promise<void> {
  logger.info?.(`${api}: served on ${path}`, { port });
  const unenforced = [...serverToClient.values()].filter(({ permission }) => !isPublic(permission));
  if (unenforced.length > 0) {
    const methods = unenforced.map((method) => method.path).join(", ");
    logger.warn(`${api}: nothing enforces the permission of ${methods}, which the server sends: leave it out`);
  }
  try {
    if (hasService(GG_DISCOVERY))
      await GG_DISCOVERY.get().registerRoutes([{ runtime: api, api, protocol: "ws", port, pathPrefix: path }]);
  } catch (error) {
    logger.error(`${api}: the discovery client did not take its route`, { error });
  }
}
