/**
 * A bus over the IPC of Node's `cluster` module, for groups of the workers of one machine.
 *
 * @module cluster
 */

export {
  type GGBus,
  GGBusError,
  type GGBusErrorReason,
  type GGBusHealth,
  type GGBusListener,
  type GGBusMembers,
  type GGBusMessage,
  type GGBusRead,
  type GGBusSubscription,
  type GGHistory,
  type GGMemberList,
  type GGMembersChange,
  type GGPosition,
  type GGPublishOptions,
} from "./api/bus.js";
export { clusterBus } from "./cluster/clusterBus.js";
