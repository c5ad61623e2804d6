import { ERROR, IsObject, IsString, NOT_AUTHORIZED, SERVER_ERROR, VALIDATION_ERROR } from "@grest-ts/schema";
import { sentenceOf } from "@grest-ts/websocket";
import { describe, expect, it } from "vitest";

const FULL = ERROR.define("FULL", 409, IsObject({ room: IsString }));
const issue = (path: string) => ({ path, code: "invalid", message: "Value is wrong" });
const revoked = Proxy.revocable({}, {});
revoked.revoke();

describe("sentenceOf", () => {
  it.each<[string, unknown, string]>([
    ["a display message", new NOT_AUTHORIZED({ displayMessage: "Log in again" }), "Log in again"],
    ["a display message beside data", new FULL({ room: "1" }, { displayMessage: "No seats" }), "No seats"],
    ["an error without one", new FULL({ room: "1" }), "FULL"],
    ["a server error without one", new SERVER_ERROR(), "SERVER_ERROR"],
    ["the issues of fields", new VALIDATION_ERROR([issue("text"), issue("")]), "text: Value is wrong; Value is wrong"],
    [
      "three issues of many",
      new VALIDATION_ERROR(Array.from("abcde", issue)),
      "a: Value is wrong; b: Value is wrong; c: Value is wrong; …",
    ],
    ["a path once", new VALIDATION_ERROR([{ ...issue("dish"), message: "dish must be\n  text" }]), "dish must be text"],
    ["at most 500 characters", new Error("x".repeat(600)), `${"x".repeat(500)}…`],
    ["no issues", new VALIDATION_ERROR([]), "VALIDATION_ERROR"],
    ["any other error", new TypeError("no such thing"), "no such thing"],
    ["an error without a message", new RangeError(), "RangeError"],
    ["a text", "broken", "broken"],
    ["nothing", undefined, "undefined"],
    ["what cannot be read", revoked.proxy, "an error that cannot be read"],
    ["what has no text", Object.create(null), "an error that cannot be read"],
  ])("says %s", (_name, error, sentence) => {
    expect(sentenceOf(error)).toBe(sentence);
  });
});
