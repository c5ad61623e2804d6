import { defaultLogger } from "../api/logger.js";
import { failureLog } from "./failures.js";
import { checkInspectOptions } from "./options.js";
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
 * @throws Error naming an option that is misspelt, or has a value that it cannot have
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
  sinkOrOptions?: GGInspectSink | GGInspectOptions,
  optionsOfSink: GGInspectOptions = {},
): GGInspection {
  const sink = typeof sinkOrOptions === "function" ? sinkOrOptions : undefined;
  const options = typeof sinkOrOptions === "function" || sinkOrOptions === undefined ? optionsOfSink : sinkOrOptions;
  const { server, follow } = targetOf(target);
  checkInspectOptions(options, (message) => (server?.logger ?? defaultLogger).warn(message));
  const failed = failureLog(options.logger ?? server?.logger ?? defaultLogger, server?.apiName);
  const read = payloadReader(options, server && { name: server.apiName, methods: server.methods });
  const rings = new Rings(options.keep, options.keepClosed);
  /** What ends the watch over each open connection. */
  const watched = new Set<() => void>();

  const passes = (frame: GGInspectedFrame): boolean => {
    try {
      const isWanted: unknown = options.filter?.(frame) ?? true;
      if (typeof Object(isWanted).then !== "function") return !!isWanted;
      Promise.resolve(isWanted).catch(() => {});
      throw new TypeError("a filter must return true or false, not a promise");
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
  const watchTransport: Parameters<typeof follow>[0] = (transport, serverId) => {
    if (isOver(transport)) return;
    const unwatch = tap(transport, serverId, (tapped) => {
      const { id, side } = tapped;
      const watch = new ConnectionWatch(tapped, { read, onFrame, failed });
      rings.opened(id, side);
      return {
        onText: (direction, text) => watch.onText(direction, text),
        onClosed(direction, code, reason) {
          end(unwatch);
          watch.onClosed(direction, code, reason);
          rings.closed(id);
        },
      };
    });
    watched.add(unwatch);
  };
  const end = (unwatch: () => void) => {
    watched.delete(unwatch);
    try {
      unwatch();
    } catch (error) {
      failed("end", error);
    }
  };
  /** Of what is inspected from the beginning, which the caller gets. */
  const failures: unknown[] = [];
  let hasBegun = false;
  const stopFollowing = follow((...found) => {
    try {
      watchTransport(...found);
    } catch (error) {
      if (hasBegun) failed("beginning", error);
      else failures.push(error);
    }
  });
  hasBegun = true;
  const stop = () => {
    end(stopFollowing);
    for (const unwatch of watched) end(unwatch);
  };
  if (failures.length > 0) {
    stop();
    throw failures[0];
  }

  return {
    recent: (connection) => rings.recent(connection),
    get connections() {
      return rings.connections;
    },
    stop,
  };
}
