import { defaultLogger } from "../api/logger.js";
import { payloadReader } from "./payload.js";
import { Rings } from "./ring.js";
import { isOver, tap } from "./tap.js";
import { type GGInspectable, targetOf } from "./targets.js";
import type { GGInspectedFrame, GGInspection, GGInspectOptions, GGInspectSink } from "./types.js";
import { ConnectionWatch } from "./watch.js";

/**
 * Shows the frames of a client, of a server or of a raw socket: of the connections that are open, and of all that follow,
 * until `stop()`. Each frame goes to the sink, and the latest ones of each connection are kept for `recent()`. Payloads are
 * shown only with the option `payloads`. What is not inspected costs nothing.
 *
 * @param target what `createClient` or `startServer` returned, a `GGSocketServer`, or a `GGSocket`
 * @param sink gets each frame: `consoleSink()`, `jsonLines(write)`, or a function
 * @throws TypeError when the target is none of these
 *
 * @example
 * const inspection = inspect(client, consoleSink(), { payloads: true, redact: ["user.email"] });
 * // later
 * inspection.stop();
 */
export function inspect(target: GGInspectable, sink: GGInspectSink, options?: GGInspectOptions): GGInspection;
/** The same without a sink: frames are kept, for {@link GGInspection.recent}. */
export function inspect(target: GGInspectable, options?: GGInspectOptions): GGInspection;
export function inspect(
  target: GGInspectable,
  sinkOrOptions: GGInspectSink | GGInspectOptions = {},
  optionsOfSink: GGInspectOptions = {},
): GGInspection {
  const sink = typeof sinkOrOptions === "function" ? sinkOrOptions : undefined;
  const options = typeof sinkOrOptions === "function" ? optionsOfSink : sinkOrOptions;
  const { server, follow } = targetOf(target);
  const logger = options.logger ?? server?.logger ?? defaultLogger;
  const { apiName: name } = server ?? {};
  const read = payloadReader(options, server && { name: server.apiName, methods: server.methods });
  const rings = new Rings(options.keep, options.keepClosed);
  /** What ends the watch over each open connection. */
  const watched = new Set<() => void>();
  let hasFailed = false;

  const failed = (what: string, error: unknown) => {
    if (hasFailed) return;
    hasFailed = true;
    try {
      logger.error(`${name ? `${name}: ` : ""}the ${what} of an inspection failed`, { error });
    } catch {
      // There is no other place to write to.
    }
  };
  const passes = (frame: GGInspectedFrame): boolean => {
    try {
      return options.filter?.(frame) ?? true;
    } catch (error) {
      failed("filter", error);
      return false;
    }
  };
  const show = async (frame: GGInspectedFrame) => {
    try {
      await sink?.(frame);
    } catch (error) {
      failed("sink", error);
    }
  };
  const onFrame = (frame: GGInspectedFrame) => {
    rings.seen(frame.connection);
    if (!passes(frame)) return;
    rings.add(frame);
    if (sink) void show(frame);
  };
  const stopFollowing = follow((transport, serverId) => {
    if (isOver(transport)) return;
    const unwatch = tap(transport, serverId, (tapped) => {
      const { id, side } = tapped;
      const watch = new ConnectionWatch(tapped, read, onFrame);
      rings.opened(id, side);
      return {
        onText: (direction, text) => watch.onText(direction, text),
        onClosed(direction, code, reason) {
          unwatch();
          watched.delete(unwatch);
          watch.onClosed(direction, code, reason);
          rings.closed(id);
        },
      };
    });
    watched.add(unwatch);
  });

  return {
    recent: (connection) => rings.recent(connection),
    get connections() {
      return rings.connections;
    },
    stop() {
      stopFollowing();
      for (const unwatch of watched) unwatch();
      watched.clear();
    },
  };
}
