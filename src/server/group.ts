import { GGPromise } from "@grest-ts/schema";
import type { GGSocketMethodMap } from "../api/contract.js";
import type { GGCallOptions, GGGroupCalls } from "../api/methodTypes.js";
import type { GGWebSocketSchema, SchemaDefinition } from "../api/schema.js";
import { bindMembers } from "../connection/bindMembers.js";
import { Calls } from "../connection/calls.js";
import type { SocketMetrics } from "../connection/endpoint.js";
import type { CompiledMethod } from "../connection/methods/compiledMethod.js";
import { type MethodTable, memoizeByKey, tablesOf } from "../connection/methods/methodTable.js";
import { logUnsent, type Outcome, ok, unsendable } from "../connection/methods/outcome.js";
import { CloseCode, clampCloseReason } from "../protocol/closeCodes.js";
import { sizedFrame } from "../protocol/frame.js";
import { SharedMessage } from "../transport/transport.js";
import { callerOf } from "./connection/outgoing.js";
import { ServerConnection } from "./connection/serverConnection.js";
import { withLazyMethods } from "./lazyMethods.js";

/** Each connection of a group with the function that removes its close callback. */
type Members = Map<ServerConnection, () => void>;

/** A property, so that what a program puts around a group has it too. */
const MEMBERS = Symbol("members");

/** Connections of one API that get the same messages. */
class Group implements GGSocketGroupMembers {
  declare readonly [MEMBERS]: Members;

  constructor(schema: SchemaDefinition) {
    const members: Members = new Map();
    Object.defineProperty(this, MEMBERS, { value: members });
    const group = withLazyMethods(
      this,
      messagesOf(schema),
      (method) => (data: unknown, options?: GGCallOptions) =>
        new GGPromise(send(members, method, data, options?.droppable) as never),
    );
    bindMembers(group);
    // biome-ignore lint/correctness/noConstructorReturn: the object itself has no methods of the contract
    return group;
  }

  get size(): number {
    return this[MEMBERS].size;
  }

  add(outgoing: object): void {
    const members = this[MEMBERS];
    const connection = connectionOf(outgoing);
    if (!connection.isOpen || members.has(connection)) return;
    const stopWatching = connection.onClose(() => members.delete(connection));
    members.set(connection, stopWatching);
  }

  remove(outgoing: object): boolean {
    const connection = connectionOf(outgoing);
    this[MEMBERS].get(connection)?.();
    return this[MEMBERS].delete(connection);
  }

  has(outgoing: object): boolean {
    return this[MEMBERS].has(connectionOf(outgoing));
  }

  closeAll(code: number = CloseCode.NORMAL, reason = ""): number {
    const connections = [...this[MEMBERS].keys()];
    this[MEMBERS].clear();
    for (const connection of connections) connection.close(code, clampCloseReason(reason));
    return connections.length;
  }
}

/** Validates and encodes once, and hands the same message to every member. Never rejects. */
async function send(members: Members, method: CompiledMethod, data: unknown, droppable?: boolean): Promise<Outcome> {
  let message: SharedMessage;
  try {
    message = new SharedMessage(sizedFrame(method.messagePrefix, method.writeInput(data)));
  } catch (thrown) {
    const error = unsendable(method.path, thrown);
    const [member] = members.keys();
    if (member) logUnsent(member.api.endpoint, method.path, error);
    return error;
  }
  const sent = new Map<SocketMetrics | undefined, number>();
  for (const connection of members.keys()) {
    const { metrics } = connection.socketEndpoint;
    if (connection.isOpen && connection.sendShared(message, droppable)) {
      sent.set(metrics, (sent.get(metrics) ?? 0) + 1);
    } else metrics?.sent(method.path, connection.isOpen ? "DROPPED" : "CONNECTION_CLOSED");
  }
  for (const [metrics, count] of sent) metrics?.sent(method.path, "OK", undefined, count);
  return ok(undefined);
}

/** What every group can do, whatever its contract. */
export interface GGSocketGroupMembers {
  /** How many connections are in it. */
  readonly size: number;
  /**
   * Adds a connection; it is removed when it closes. One that has closed, or is in it already, changes nothing.
   *
   * @throws Error when it is not the `outgoing` of a connection handler
   */
  add(outgoing: object): void;
  /** Takes a connection out. Returns whether it was in. */
  remove(outgoing: object): boolean;
  /** Whether a connection is in it. */
  has(outgoing: object): boolean;
  /** Empties the group and closes all that were in it, by default with 1000. Returns how many. */
  closeAll(code?: number, reason?: string): number;
}

/** The names that a method of the contract cannot have in a group. */
const TAKEN = ["add", "remove", "has", "size", "closeAll", "constructor"];

/** The methods that a group of a schema has. */
const messagesOf = memoizeByKey((schema: SchemaDefinition): MethodTable => {
  const messages = [...tablesOf(schema).serverToClient].filter(([, method]) => !method.hasReply);
  for (const [path, { name }] of messages)
    if (TAKEN.includes(name)) throw new Error(`GGSocketGroup: ${path} has the name of a group's own member`);
  return new Map(messages);
});

/**
 * Connections of one API that get the same messages: `add` the `outgoing` of each, then call the contract's methods on
 * the group. A message is validated, encoded and framed once for all. Closed members are removed. A slow member is
 * handled by its own `maxOutboxBytes` and never delays others. Permissions are not checked.
 *
 * @example
 * const room = new GGSocketGroup(ChatApi);
 * room.add(outgoing);
 * room.newMessage({ id, text });
 */
export type GGSocketGroup<S2C> = GGSocketGroupMembers & GGGroupCalls<S2C>;

/**
 * Makes a group for a schema.
 *
 * @throws Error when a `serverToClient` method is called `add`, `remove`, `has`, `size` or `closeAll`
 */
export const GGSocketGroup = Group as unknown as new <
  C2S extends GGSocketMethodMap,
  S2C extends GGSocketMethodMap,
  TContext,
  TQuery,
>(
  schema: GGWebSocketSchema<C2S, S2C, TContext, TQuery>,
) => GGSocketGroup<S2C>;

function connectionOf(outgoing: object): ServerConnection {
  const caller = callerOf(outgoing);
  if (caller instanceof Calls && caller.ofConnection instanceof ServerConnection) return caller.ofConnection;
  throw new Error("GGSocketGroup: this is not the `outgoing` of a connection handler");
}
