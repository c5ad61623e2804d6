import type { GGLevelMethods, GGLogArguments, GGLogEntry, GGLogger, GGLogLevel } from "./logger.js";

/** The log of one scope: passes every entry to its loggers, in the order in which they were added. */
export class GGScopeLog implements GGLevelMethods {
  readonly #loggers: GGLogger[] = [];

  /** Adds a logger; it receives later entries. */
  add(logger: GGLogger): void {
    this.#loggers.push(logger);
  }

  debug(...args: GGLogArguments): void {
    this.#log(0, args);
  }

  info(...args: GGLogArguments): void {
    this.#log(1, args);
  }

  warn(...args: GGLogArguments): void {
    this.#log(2, args);
  }

  error(...args: GGLogArguments): void {
    this.#log(3, args);
  }

  critical(...args: GGLogArguments): void {
    this.#log(4, args);
  }

  #log(level: GGLogLevel, [context, message, ...data]: GGLogArguments): void {
    const failed = message instanceof Error;
    const entry: GGLogEntry = {
      level,
      context: nameOf(context),
      message: failed ? message.message : message,
      data: failed ? [message, ...data] : data,
      timestamp: Date.now(),
    };
    for (const logger of this.#loggers) {
      if (level >= logger.minLevel) logger.log(entry);
    }
  }
}

function nameOf(context: object | string): string {
  if (typeof context === "string") return context;
  const { name } = context as { readonly name?: unknown };
  return typeof name === "string" && name !== "" ? name : (context.constructor?.name ?? "Object");
}
