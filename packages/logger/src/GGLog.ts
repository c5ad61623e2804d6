import { GGLocatorKey } from "@grest-ts/locator";
import { GGScopeLog } from "./GGScopeLog.js";
import type { GGLevelMethods, GGLogArguments, GGLogger } from "./logger.js";

const LEVEL_NAMES = ["debug", "info", "warn", "error", "critical"] as const;

/** Where entries go while there is no log. */
const consoleLog = new GGScopeLog();
consoleLog.add({
  minLevel: 0,
  log: ({ level, context, message, data }) => console.warn(`[${LEVEL_NAMES[level]}] ${context}: ${message}`, ...data),
});

/** The key of a scope's log, with the log's own methods. Without a log, entries go to `console.warn`. */
export class GGLogKey extends GGLocatorKey<GGScopeLog> implements GGLevelMethods {
  /** Adds a log without loggers to the current scope. */
  init(): void {
    this.set(new GGScopeLog());
  }

  /** Adds a logger to the scope's log; throws when there is no log. */
  add(logger: GGLogger): void {
    this.get().add(logger);
  }

  debug(...args: GGLogArguments): void {
    this.#log.debug(...args);
  }

  info(...args: GGLogArguments): void {
    this.#log.info(...args);
  }

  warn(...args: GGLogArguments): void {
    this.#log.warn(...args);
  }

  error(...args: GGLogArguments): void {
    this.#log.error(...args);
  }

  critical(...args: GGLogArguments): void {
    this.#log.critical(...args);
  }

  get #log(): GGScopeLog {
    return this.tryGet() ?? consoleLog;
  }
}

/** The log of the current scope. */
export const GGLog: GGLogKey = new GGLogKey("GGLog");
