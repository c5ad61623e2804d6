/** Fields of a log entry. Never a payload, a header or a credential. */
export type GGWebSocketLogFields = Readonly<Record<string, unknown>>;

/** Where the package writes its log entries. `console` fits as it is. A logger that throws stops nothing. */
export interface GGWebSocketLogger {
  /** Life cycle, for debugging. The default logger is silent here. */
  debug(message: string, fields?: GGWebSocketLogFields): void;
  /** An API is served from now on, or has stopped. */
  info?(message: string, fields?: GGWebSocketLogFields): void;
  /** Something was refused or dropped, which an operator may want to know. */
  warn(message: string, fields?: GGWebSocketLogFields): void;
  /** A defect in the program: a handler that threw, a result that cannot be sent. `fields.error` holds the original. */
  error(message: string, fields?: GGWebSocketLogFields): void;
}

/** Writes warnings and errors to `console`, and nothing below. */
export const defaultLogger: Required<GGWebSocketLogger> = {
  debug() {},
  info() {},
  warn: (...entry) => console.warn(...entry),
  error: (...entry) => console.error(...entry),
};
