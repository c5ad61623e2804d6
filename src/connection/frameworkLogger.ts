import { defaultLogger, type GGWebSocketLogFields, type GGWebSocketLogger } from "../api/logger.js";
import type { AsyncScope } from "./endpoint.js";
import { locate } from "./locate.js";

type Level = keyof GGWebSocketLogger;

/** The framework's log of a scope: `context` says who writes the line. */
type FrameworkLog = Record<Level, (context: string, message: string, ...data: unknown[]) => void>;

/**
 * Writes to the framework's log (`GGLog`) where `scope` has one, and to the console where it has none.
 */
export function frameworkLogger(apiName: string, scope: AsyncScope): Required<GGWebSocketLogger> {
  const at = (level: Level) => (message: string, fields?: GGWebSocketLogFields) => {
    // At each line: an app may set up its log after its APIs.
    const log = scope(() => locate<Partial<FrameworkLog>>("GGLog"));
    // Outside of `scope`: the line belongs to the trace of the context at hand.
    if (typeof log?.[level] === "function") log[level](apiName, message, ...dataOf(fields));
    else defaultLogger[level](message, fields);
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** The data of a line as the framework's log takes them: an error stands by itself, in front. */
function dataOf(fields: GGWebSocketLogFields | undefined): unknown[] {
  if (!(fields?.error instanceof Error)) return fields ? [fields] : [];
  const { error, ...others } = fields;
  return Object.keys(others).length > 0 ? [error, others] : [error];
}
