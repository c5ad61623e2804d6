/**
 * Shows the frames of clients, servers and sockets. For Node and for pages.
 *
 * @module inspect
 */
export { inspect } from "./inspect/inspect.js";
export { consoleSink, isFailure, jsonLines } from "./inspect/sinks.js";
export type { GGInspectable, InspectableClient, InspectableServer, InspectableSocket } from "./inspect/targets.js";
export type {
  GGFrameKind,
  GGInspectedConnection,
  GGInspectedFrame,
  GGInspection,
  GGInspectOptions,
  GGInspectSink,
  InspectedSchema,
} from "./inspect/types.js";
