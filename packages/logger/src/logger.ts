/** The importance of an entry: debug, info, warn, error, critical. */
export type GGLogLevel = 0 | 1 | 2 | 3 | 4;

/** One thing that was logged. */
export interface GGLogEntry {
  /** How important it is. */
  readonly level: GGLogLevel;
  /** The name of what it is about. */
  readonly context: string;
  /** What happened; an error's own message where an error was logged. */
  readonly message: string;
  /** What belongs to it; an error that was logged comes first. */
  readonly data: unknown[];
  /** When it was logged, in ms since 1970. */
  readonly timestamp: number;
}

/** Writes entries somewhere. */
export interface GGLogger {
  /** Entries below this level are kept from it. */
  minLevel: number;
  /** Writes one entry. */
  log(entry: GGLogEntry): void;
}

/**
 * What is passed to a log: what the entry is about, what happened, and what belongs to it. An object stands for its
 * `name`, else for its class's name.
 */
export type GGLogArguments = [context: object | string, message: string | Error, ...data: unknown[]];

/** The ways to log. */
export interface GGLevelMethods {
  /** Logs what only developers look at. */
  debug(...args: GGLogArguments): void;
  /** Logs what happens in the normal course. */
  info(...args: GGLogArguments): void;
  /** Logs what may need attention. */
  warn(...args: GGLogArguments): void;
  /** Logs what failed. */
  error(...args: GGLogArguments): void;
  /** Logs what needs attention at once. */
  critical(...args: GGLogArguments): void;
}
