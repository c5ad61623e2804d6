import { GGPromise } from "@grest-ts/schema";
import type { GGPosition } from "../../api/bus.js";
import type { GGSocketMethodMap } from "../../api/contract.js";
import type { GGGroupJoin, GGSocketGroupMembers, GGSocketGroupOptions } from "../../api/group.js";
import type { GGGroupCallOptions, GGGroupCalls } from "../../api/methodTypes.js";
import { checkOptions, GROUP_OPTIONS } from "../../api/optionChecks.js";
import type { GGPresenceChange, GGPresenceInfo } from "../../api/presence.js";
import type { GGWebSocketSchema, SchemaDefinition } from "../../api/schema.js";
import type { AnyValidator } from "../../api/standardSchema.js";
import type { Unsubscribe } from "../../api/unsubscribe.js";
import { bindMembers } from "../../connection/bindMembers.js";
import { loggerOf } from "../../connection/logger.js";
import type { CompiledMethod } from "../../connection/methods/compiledMethod.js";
import { type MethodTable, memoizeByKey } from "../../connection/methods/methodTable.js";
import { captureScope } from "../../connection/node/asyncScope.js";
import { monitorOf } from "../../groups/busMonitor.js";
import { CloseCode, clampCloseReason } from "../../protocol/closeCodes.js";
import { LazyMethods } from "../lazyMethods.js";
import { servedTablesOf } from "../sentValues.js";
import { connectionOf } from "./connectionOf.js";
import { SharedGroup } from "./sharedGroup.js";

/** A property, so that what a program puts around a group has it too; a function, since a deep `Proxy` wraps objects. */
const PARTS = Symbol("parts");

interface Parts<TInfo> {
  readonly own: SharedGroup;
  /** The same, or another object for it. */
  readonly group: SharedGroup;
  readonly validator: AnyValidator<TInfo> | undefined;
}

/** Connections of one API that get the same messages. */
class Group<TInfo extends GGPresenceInfo> implements GGSocketGroupMembers<TInfo> {
  declare readonly [PARTS]: () => Parts<TInfo>;

  constructor(schema: SchemaDefinition, options: GGSocketGroupOptions<TInfo> = {}) {
    checkGroupOptions(schema.name, options);
    const own = new SharedGroup(schema, options);
    void own.inUseWithHistory;
    if (options.bus) monitorOf(options.bus).useScope();
    Object.defineProperty(this, PARTS, { value: () => ({ own, group: own.inUse, validator: options.presence }) });
    const group = new LazyMethods(messagesOf(schema), (method) => sender(own, method)).addTo(this);
    bindMembers(group);
    // biome-ignore lint/correctness/noConstructorReturn: the object itself has no methods of the contract
    return group;
  }

  get size(): number {
    return this[PARTS]().group.members.size;
  }

  get position(): GGPosition | undefined {
    return this[PARTS]().group.position;
  }

  add(outgoing: object): Promise<GGGroupJoin> {
    return this[PARTS]().own.inUseWithHistory.add(connectionOf(outgoing));
  }

  remove(outgoing: object): boolean {
    return this[PARTS]().group.remove(connectionOf(outgoing));
  }

  has(outgoing: object): boolean {
    return this[PARTS]().group.members.has(connectionOf(outgoing));
  }

  closeAll(code: number = CloseCode.NORMAL, reason = ""): number {
    const connections = this[PARTS]().group.members.clear();
    for (const connection of connections) connection.close(code, clampCloseReason(reason));
    return connections.length;
  }

  async count({ everywhere = false }: { readonly everywhere?: boolean | undefined } = {}): Promise<number> {
    return everywhere ? this[PARTS]().group.countEverywhere() : this.size;
  }

  present(): Promise<readonly TInfo[]> {
    const { group, validator } = this[PARTS]();
    return group.topic.presence.present(validator);
  }

  onPresence(callback: (change: GGPresenceChange<TInfo>) => void): Unsubscribe {
    const { group, validator } = this[PARTS]();
    const scope = captureScope();
    return group.topic.presence.onPresence((change) => scope(callback, change), validator);
  }
}

/** The function of a group for one method of its contract. */
export function sender(
  group: SharedGroup,
  method: CompiledMethod,
): (data?: unknown, options?: GGGroupCallOptions) => GGPromise<unknown, never> {
  return (data, options) => new GGPromise(group.send(method, data, options) as never);
}

function checkGroupOptions(apiName: string, options: GGSocketGroupOptions): void {
  const call = "GGSocketGroup";
  const warn = (message: string) => loggerOf(undefined, apiName, captureScope()).warn(message);
  checkOptions({ apiName, call, warn }, options, GROUP_OPTIONS);
  const { name, bus, history } = options;
  if (name === undefined && (bus || history)) throw new Error(`${apiName}: a ${call} with bus or history needs a name`);
}

/** The names that a method of the contract cannot have in a group. */
const TAKEN = ["add", "remove", "has", "size", "position", "closeAll", "count", "present", "onPresence", "constructor"];

/** The methods that a group of a schema has. */
const messagesOf = memoizeByKey((schema: SchemaDefinition): MethodTable => {
  const messages = oneWayOf(schema);
  for (const [path, { name }] of messages)
    if (TAKEN.includes(name)) throw new Error(`GGSocketGroup: ${path} has the name of a group's own member`);
  return messages;
});

/** The methods of a schema that can be sent to many: those without a reply. */
export const oneWayOf = memoizeByKey(
  (schema: SchemaDefinition): MethodTable =>
    new Map([...servedTablesOf(schema).serverToClient].filter(([, method]) => !method.hasReply)),
);

/**
 * Connections of one API that get the same messages: `add` the `outgoing` of each, then call the contract's methods on
 * the group. A message is validated, encoded and framed once for all. Closed members are removed. A slow member is
 * handled by its own `maxOutboxBytes` and never delays others. Permissions are not checked.
 *
 * With a `name` and a `bus` it is one group on all nodes that have the same bus. Without `history`, members of this process
 * get a message at once and those of other nodes at most once. With it, all members of all nodes get the messages in one
 * order, none missing and none double; while the bus is down a message waits, and then its call fails.
 *
 * @example
 * const room = new GGSocketGroup(ChatApi, { name: "room:general", bus });
 * await room.add(outgoing);
 * room.newMessage({ id, text }, { except: outgoing });
 */
export type GGSocketGroup<S2C, TInfo = GGPresenceInfo> = GGSocketGroupMembers<TInfo> & GGGroupCalls<S2C>;

/**
 * Makes a group for a schema.
 *
 * @throws Error when a `serverToClient` method without `success` has the name of a group's own member, such as `add` or
 *   `count`; when `bus` or `history` are given without `name`; when a group of this name is in use with another history; or
 *   when an option is not what it must be
 */
export const GGSocketGroup = Group as unknown as new <
  C2S extends GGSocketMethodMap,
  S2C extends GGSocketMethodMap,
  TContext,
  TQuery,
  TInfo extends GGPresenceInfo = GGPresenceInfo,
>(
  schema: GGWebSocketSchema<C2S, S2C, TContext, TQuery>,
  options?: GGSocketGroupOptions<TInfo>,
) => GGSocketGroup<S2C, TInfo>;
