import { connectionBehind } from "../connection/outgoing.js";
import { ServerConnection } from "../connection/serverConnection.js";

/**
 * The connection of an outgoing half.
 *
 * @throws Error when it is none
 */
export function connectionOf(outgoing: object): ServerConnection {
  const connection = connectionBehind(outgoing);
  if (connection instanceof ServerConnection) return connection;
  throw new Error("GGSocketGroup: this is not the `outgoing` of a connection handler");
}
