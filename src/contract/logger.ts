/** Fields that go with a log line. Never a payload, a header or a credential. */
export type GGWebSocketLogFields = Readonly<Record<string, unknown>>;

/** Where the package writes its few log lines. Any of `console`, pino or the framework's logger can be adapted in a line. */
export interface GGWebSocketLogger {
  /** Life cycle, for the curious. The default logger is silent here. */
  debug(message: string, fields?: GGWebSocketLogFields): void;
  /** Something refused or dropped that an operator may want to know. */
  warn(message: string, fields?: GGWebSocketLogFields): void;
  /** A defect in the program: a handler that threw, a result that cannot be sent. `fields.error` holds the original. */
  error(message: string, fields?: GGWebSocketLogFields): void;
}

/** Writes warnings and errors to `console`, and nothing below. */
export const defaultLogger: GGWebSocketLogger = {
  debug() {},
  warn: (...line) => console.warn(...line),
  error: (...line) => console.error(...line),
};
