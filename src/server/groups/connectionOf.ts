import { Calls } from "../../connection/calls.js";
import { callerOf } from "../connection/outgoing.js";
import { ServerConnection } from "../connection/serverConnection.js";

/**
 * The connection of an outgoing half.
 *
 * @throws Error when it is none
 */
export function connectionOf(outgoing: object): ServerConnection {
  const caller = callerOf(outgoing);
  if (caller instanceof Calls && caller.ofConnection instanceof ServerConnection) return caller.ofConnection;
  throw new Error("GGSocketGroup: this is not the `outgoing` of a connection handler");
}
