import { GGLocatorKey, GGLocatorScope } from "@grest-ts/locator";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { GGLog, type GGLogEntry, GGScopeLog } from "../src/index.js";

const LEVELS = ["debug", "info", "warn", "error", "critical"] as const;

/** Runs `fn` in a scope with a log, and returns the entries of a logger of `minLevel`. */
const entriesOf = (fn: () => void, minLevel = 0): GGLogEntry[] =>
  new GGLocatorScope("test").run(() => {
    const entries: GGLogEntry[] = [];
    GGLog.init();
    GGLog.add({ minLevel, log: (entry) => entries.push(entry) });
    fn();
    return entries;
  });

beforeEach(() => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => undefined);
  return () => warn.mockRestore();
});

describe("a log", () => {
  it("has five levels", () => {
    const entries = entriesOf(() => {
      for (const level of LEVELS) GGLog[level]("Shop", `at ${level}`);
    });
    expect(entries.map(({ level, message }) => [level, message])).toEqual(
      LEVELS.map((level, number) => [number, `at ${level}`]),
    );
    expect(console.warn).not.toHaveBeenCalled();
  });

  it("passes a logger no entries below its level", () => {
    const entries = entriesOf(() => LEVELS.map((level) => GGLog[level]("Shop", level)), 3);
    expect(entries.map(({ message }) => message)).toEqual(["error", "critical"]);
  });

  it("passes a logger the message, the time and the context", () => {
    const before = Date.now();
    const [entry] = entriesOf(() => GGLog.info("Shop", "sold", { item: "tea" }, 3));
    expect(entry).toEqual({
      level: 1,
      context: "Shop",
      message: "sold",
      data: [{ item: "tea" }, 3],
      timestamp: expect.any(Number),
    });
    expect(entry?.timestamp).toBeGreaterThanOrEqual(before);
    expect(entry?.timestamp).toBeLessThanOrEqual(Date.now());
  });

  it("takes an error instead of a message, and puts it before the data", () => {
    const error = new TypeError("no tea");
    const [entry] = entriesOf(() => GGLog.error("Shop", error, { item: "tea" }));
    expect(entry).toMatchObject({ message: "no tea", data: [error, { item: "tea" }] });
  });

  it("names a context by its name, else by its class", () => {
    class Shop {}
    function sell() {}
    const contexts = [{ name: "named" }, new Shop(), Shop, sell, { name: 5 }, { name: "" }, Object.create(null)];
    const entries = entriesOf(() => {
      for (const context of contexts) GGLog.info(context, "");
    });
    expect(entries.map(({ context }) => context)).toEqual([
      "named",
      "Shop",
      "Shop",
      "sell",
      "Object",
      "Object",
      "Object",
    ]);
  });

  it("passes each entry to all of its loggers, and throws a logger's exception to the caller", () => {
    const later = vi.fn();
    const log = new GGScopeLog();
    log.add({
      minLevel: 4,
      log: () => {
        throw new Error("disk full");
      },
    });
    log.add({ minLevel: 0, log: later });
    log.error("Shop", "one");
    expect(later).toHaveBeenCalledTimes(1);
    expect(() => log.critical("Shop", "two")).toThrow("disk full");
  });
});

describe("GGLog", () => {
  it("is found by its name, and its value has the level methods", () => {
    const entries = entriesOf(() => {
      const log = new GGLocatorKey<GGScopeLog>("GGLog").get();
      for (const level of LEVELS) log[level]("Shop", level);
    });
    expect(entries.map(({ level }) => level)).toEqual([0, 1, 2, 3, 4]);
  });

  it("logs into the current scope's log", () => {
    const outside = vi.fn();
    GGLog.init();
    GGLog.add({ minLevel: 0, log: outside });
    expect(entriesOf(() => GGLog.info("Shop", "inside"))).toHaveLength(1);
    expect(outside).not.toHaveBeenCalled();
  });

  it("warns on the console where there is no log, and does not throw", () => {
    const error = new Error("no tea");
    new GGLocatorScope("without a log").run(() => {
      GGLog.debug("Shop", "sold", 3);
      GGLog.critical("Shop", error);
    });
    expect(vi.mocked(console.warn).mock.calls).toEqual([
      ["[debug] Shop: sold", 3],
      ["[critical] Shop: no tea", error],
    ]);
  });

  it("throws when a logger is added where there is no log, and when a log is made twice", () => {
    new GGLocatorScope("without a log").run(() => {
      expect(() => GGLog.add({ minLevel: 0, log: () => undefined })).toThrow(/"GGLog" is not registered/);
      GGLog.init();
      expect(() => GGLog.init()).toThrow('Scope already has service "GGLog"');
    });
  });
});
