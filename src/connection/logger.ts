import { defaultLogger, type GGWebSocketLogFields, type GGWebSocketLogger } from "../api/logger.js";
import type { AsyncScope } from "./endpoint.js";
import { locate } from "./locate.js";
import { isThenable } from "./methods/outcome.js";

type Level = keyof GGWebSocketLogger;

/** The framework's log of a scope: `context` names the source of the entry. */
type FrameworkLog = Record<Level, (context: string, message: string, ...data: unknown[]) => void>;

type Write = (level: Level, message: string, fields?: GGWebSocketLogFields) => unknown;

/** Writes to the framework's log (`GGLog`) where `scope` has one, and to the console where it has none. */
export function frameworkLogger(apiName: string, scope: AsyncScope): Required<GGWebSocketLogger> {
  return withConsoleFallback((level, message, fields) => {
    // Looked up each time: an app may set up its log after its APIs.
    const log = scope(() => locate<Partial<FrameworkLog>>("GGLog"));
    // Outside of `scope`: the entry belongs to the trace of the current context.
    if (typeof log?.[level] === "function") return log[level](apiName, message, ...dataOf(fields));
    return defaultLogger[level](message, fields);
  });
}

/** The program's own logger, or that of the framework. */
export function loggerOf(
  given: GGWebSocketLogger | undefined,
  apiName: string,
  scope: AsyncScope,
): Required<GGWebSocketLogger> {
  if (!given) return frameworkLogger(apiName, scope);
  return withConsoleFallback((level, message, fields) =>
    (given as Required<GGWebSocketLogger>)[level](message, fields),
  );
}

/** Writes to the console what `write` fails to write, at once or later, also when a log lacks a level. */
function withConsoleFallback(write: Write): Required<GGWebSocketLogger> {
  const at = (level: Level) => (message: string, fields?: GGWebSocketLogFields) => {
    const fallBack = () => writeToConsole(level, message, fields);
    try {
      const written = write(level, message, fields);
      if (isThenable(written)) Promise.resolve(written).catch(fallBack);
    } catch {
      fallBack();
    }
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** The console throws as well, when a field cannot be shown; the text alone can. */
function writeToConsole(level: Level, message: string, fields?: GGWebSocketLogFields): void {
  for (const data of [[fields], []]) {
    try {
      return defaultLogger[level](message, ...data);
    } catch {
      // There is no other place to write to.
    }
  }
}

/** The data of an entry as the framework's log takes them: an error stands by itself, in front. */
function dataOf(fields: GGWebSocketLogFields | undefined): unknown[] {
  if (!(fields?.error instanceof Error)) return fields ? [fields] : [];
  const { error, ...others } = fields;
  return Object.keys(others).length > 0 ? [error, others] : [error];
}
