export {
  type GGBus,
  GGBusError,
  type GGBusErrorReason,
  type GGBusHealth,
  type GGBusListener,
  type GGBusMembers,
  type GGBusMessage,
  type GGBusRead,
  type GGHistory,
  type GGMembersChange,
  type GGPosition,
  type GGPublishOptions,
} from "./api/bus.js";
export { clusterBus } from "./cluster/clusterBus.js";
