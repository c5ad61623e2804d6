/** The importance of an entry: debug, info, warn, error, critical. */
export type GGLogLevel = 0 | 1 | 2 | 3 | 4;

/** One log entry. */
export interface GGLogEntry {
  /** Its importance. */
  readonly level: GGLogLevel;
  /** The name of its context. */
  readonly context: string;
  /** What happened; the error's own message if an error was logged. */
  readonly message: string;
  /** Additional data; a logged error comes first. */
  readonly data: unknown[];
  /** When it was logged, in ms since 1970. */
  readonly timestamp: number;
}

/** Writes entries somewhere. */
export interface GGLogger {
  /** It receives no entries below this level. */
  minLevel: number;
  /** Writes one entry. */
  log(entry: GGLogEntry): void;
}

/**
 * The arguments of a log method: context, message, and additional data. An object as context stands for its `name`,
 * else for its class's name.
 */
export type GGLogArguments = [context: object | string, message: string | Error, ...data: unknown[]];

/** The ways to log. */
export interface GGLevelMethods {
  /** Logs details for developers. */
  debug(...args: GGLogArguments): void;
  /** Logs normal events. */
  info(...args: GGLogArguments): void;
  /** Logs what may need attention. */
  warn(...args: GGLogArguments): void;
  /** Logs what failed. */
  error(...args: GGLogArguments): void;
  /** Logs what needs attention at once. */
  critical(...args: GGLogArguments): void;
}
