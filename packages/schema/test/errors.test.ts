import { describe, expect, it } from "vitest";
import {
  BAD_REQUEST,
  ERROR,
  EXISTS,
  FORBIDDEN,
  IsNumber,
  IsObject,
  NOT_AUTHORIZED,
  NOT_FOUND,
  PAYLOAD_TOO_LARGE,
  ROUTE_NOT_FOUND,
  SERVER_ERROR,
  VALIDATION_ERROR,
} from "../src/index.js";

const ROOM_FULL = ERROR.define("ROOM_FULL", 400);
const LIMITED = ERROR.define("LIMITED", 429, IsObject({ retry: IsNumber }));

describe("ERROR.define", () => {
  it("makes a class with the type as its name", () => {
    expect([ROOM_FULL.TYPE, ROOM_FULL.STATUS_CODE, ROOM_FULL.schema, ROOM_FULL.name]).toEqual([
      "ROOM_FULL",
      400,
      undefined,
      "ROOM_FULL",
    ]);
    expect(LIMITED.schema).toBeDefined();
    expect(() => ROOM_FULL.infer).toThrow("typeof");
  });

  it("returns the first class of a type again", () => {
    expect(ERROR.define("ROOM_FULL", 500)).toBe(ROOM_FULL);
    expect(ERROR.define("NOT_FOUND", 404)).toBe(NOT_FOUND);
  });

  it("refuses a bad type or status", () => {
    for (const type of ["room", "", "1A", "A-B", "A B"]) expect(() => ERROR.define(type, 400)).toThrow("error type");
    for (const status of [99, 600, 400.5, Number.NaN]) expect(() => ERROR.define("NEW_TYPE", status)).toThrow("status");
    expect(ERROR.badRequest("BAD_NAME").STATUS_CODE).toBe(400);
  });
});

describe("an error", () => {
  it("is an Error, frozen, with what it was given", () => {
    const before = Date.now();
    const error = new LIMITED({ retry: 3 }, { displayMessage: "Later" });
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(ERROR);
    expect(error).toBeInstanceOf(LIMITED);
    expect(error).not.toBeInstanceOf(ROOM_FULL);
    expect([error.success, error.type, error.statusCode, error.data, error.message, error.name]).toEqual([
      false,
      "LIMITED",
      429,
      { retry: 3 },
      "LIMITED",
      "LIMITED",
    ]);
    expect(error.context?.displayMessage).toBe("Later");
    expect(error.context?.timestamp).toBeGreaterThanOrEqual(before);
    expect(error.context?.ref).toMatch(/^ERR_REF_[0-9a-z]{16,}$/);
    expect(error.stack).toContain("errors.test");
    expect(Object.isFrozen(error)).toBe(true);
    expect(Object.isFrozen(error.context)).toBe(true);
  });

  it("has its own reference, or that of its original error", () => {
    const cause = new NOT_FOUND();
    expect(new SERVER_ERROR().context?.ref).not.toBe(new SERVER_ERROR().context?.ref);
    expect(new SERVER_ERROR({ originalError: cause }).context?.ref).toBe(cause.context?.ref);
    expect(new SERVER_ERROR({ originalError: cause, ref: "mine" }).context?.ref).toBe("mine");
  });

  it("is sent as JSON in a fixed order, without details for developers", () => {
    const error = new LIMITED(
      { retry: 3 },
      {
        displayMessage: "Later",
        timestamp: 1,
        ref: "r",
        debugMessage: "secret",
        debugData: 1,
        originalError: new Error("x"),
      },
    );
    expect(JSON.stringify(error)).toBe(
      '{"success":false,"type":"LIMITED","data":{"retry":3},"statusCode":429,"context":{"displayMessage":"Later","timestamp":1,"ref":"r"}}',
    );
    expect(JSON.stringify(new ROOM_FULL({ timestamp: 1, ref: "r" }))).toBe(
      '{"success":false,"type":"ROOM_FULL","statusCode":400,"context":{"timestamp":1,"ref":"r"}}',
    );
    expect(Object.entries(error).flat().join()).not.toContain("secret");
  });

  it("never exposes its debug context", () => {
    const cause = new Error("x");
    const error = new ROOM_FULL({ debugMessage: "m", debugData: 1, originalError: cause });
    expect(error.hasDebugContext()).toBe(true);
    expect(error.getDebugContext()).toEqual({ debugMessage: "m", debugData: 1, originalError: cause });
    expect(new ROOM_FULL().hasDebugContext()).toBe(false);
    expect(new ROOM_FULL({ displayMessage: "d" }).getDebugContext()).toBe(undefined);
  });
});

describe("recognizes errors", () => {
  it("by class and by form", () => {
    expect(ROOM_FULL.is(new ROOM_FULL())).toBe(true);
    expect(ROOM_FULL.is(new NOT_FOUND())).toBe(false);
    expect(ROOM_FULL.is({ success: false, type: "ROOM_FULL" })).toBe(false);
    expect(ERROR.isJson(new NOT_FOUND())).toBe(true);
    expect(ERROR.isJson({ success: false, type: "X" })).toBe(true);
    for (const value of [
      null,
      undefined,
      "x",
      { success: true, type: "OK" },
      { success: false },
      { success: false, type: 1 },
    ]) {
      expect(ERROR.isJson(value)).toBe(false);
    }
  });

  it("from whatever was thrown", () => {
    const known = new NOT_FOUND();
    expect(ERROR.fromUnknown(known)).toBe(known);
    const cause = new Error("db password");
    const wrapped = ERROR.fromUnknown(cause);
    expect(wrapped).toBeInstanceOf(SERVER_ERROR);
    expect(wrapped.getDebugContext()).toEqual({ originalError: cause });
    expect(JSON.stringify(wrapped)).not.toContain("password");
    expect(ERROR.fromUnknown(NOT_FOUND).type).toBe("SERVER_ERROR");
    expect(ERROR.fromUnknown(NOT_FOUND).getDebugContext()?.debugMessage).toContain("NOT_FOUND");
    expect(ERROR.fromUnknown("text").getDebugContext()).toEqual({ debugData: "text" });
    expect(ERROR.fromUnknown(undefined).type).toBe("SERVER_ERROR");
    expect(ERROR.fromUnknown(new NOT_FOUND().toJSON()).type).toBe("SERVER_ERROR");
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(ERROR.fromUnknown(proxy).type).toBe("SERVER_ERROR");
  });
});

it("a standard error is created from any issues: creating does not validate", () => {
  const result = IsNumber.safeParse("x");
  const issues = result.success ? [] : result.issues.toJSON();
  expect(issues).toEqual([{ path: "", code: "invalid.number.type", message: "Value must be a number", value: "x" }]);
  expect(new VALIDATION_ERROR(issues).data).toBe(issues);
});

it("offers the standard errors with their status", () => {
  const classes = [
    VALIDATION_ERROR,
    NOT_AUTHORIZED,
    FORBIDDEN,
    BAD_REQUEST,
    NOT_FOUND,
    EXISTS,
    ROUTE_NOT_FOUND,
    SERVER_ERROR,
    PAYLOAD_TOO_LARGE,
  ];
  expect(classes.map(({ TYPE, STATUS_CODE }) => `${TYPE} ${STATUS_CODE}`)).toEqual([
    "VALIDATION_ERROR 422",
    "NOT_AUTHORIZED 401",
    "FORBIDDEN 403",
    "BAD_REQUEST 400",
    "NOT_FOUND 404",
    "EXISTS 409",
    "ROUTE_NOT_FOUND 404",
    "SERVER_ERROR 500",
    "PAYLOAD_TOO_LARGE 413",
  ]);
});
