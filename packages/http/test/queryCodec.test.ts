import { expect, it } from "vitest";
import { decodeQuery, formatQuery, parseQuery } from "../src/api/queryCodec.js";

it("names from the peer become own members, never a prototype", () => {
  for (const parsed of [parseQuery("__proto__=a&__proto__=b"), decodeQuery(parseQuery('__proto__:json={"a":1}'))]) {
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    expect(Object.keys(parsed as object)).toEqual(["__proto__"]);
  }
});

it("a repeated name is a list, and stays one through text", () => {
  const args = { one: "1", many: ["a&b", "", "c d"] };
  expect(parseQuery(formatQuery(args).slice(1))).toEqual(args);
  expect(formatQuery({})).toBe("");
});
