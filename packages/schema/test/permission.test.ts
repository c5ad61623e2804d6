import { describe, expect, it } from "vitest";
import {
  describePermission,
  GG_ANY_PERMISSION,
  GG_NO_PERMISSIONS,
  type GGPermission,
  GGPermissionChecker,
  satisfies,
} from "../src/index.js";

const NESTED = { allOf: ["a", { anyOf: ["b", { allOf: ["c", "d"] }] }] } as const satisfies GGPermission;

describe("satisfies", () => {
  it.each<[GGPermission, string[], boolean]>([
    [GG_NO_PERMISSIONS, [], true],
    [GG_ANY_PERMISSION, [], false],
    [GG_ANY_PERMISSION, ["x"], true],
    ["a", ["a"], true],
    ["a", ["b"], false],
    [{ allOf: ["a", "b"] }, ["a", "b", "c"], true],
    [{ allOf: ["a", "b"] }, ["a"], false],
    [{ anyOf: ["a", "b"] }, ["b"], true],
    [{ anyOf: ["a", "b"] }, ["c"], false],
    [NESTED, ["a", "b"], true],
    [NESTED, ["a", "c"], false],
    [NESTED, ["a", "c", "d"], true],
    [{ allOf: [] } as never, ["a"], false],
    [{ __permission: "all" } as never, ["a"], false],
    [{ __permission: "none" }, ["a"], false],
    [{ __permission: "any" }, ["a"], false],
    [{ allOf: ["a"], anyOf: ["b"] }, ["b"], false],
    [{} as never, ["a"], false],
    [undefined as never, ["a"], false],
    [null as never, ["a"], false],
  ])("%j with %j is %s", (permission, scopes, expected) => {
    expect(satisfies(permission, new Set(scopes))).toBe(expected);
    expect(new GGPermissionChecker(new Set(scopes)).has(permission)).toBe(expected);
  });
});

it("the constants and the checker are frozen", () => {
  for (const value of [GG_NO_PERMISSIONS, GG_ANY_PERMISSION, new GGPermissionChecker(new Set())]) {
    expect(Object.isFrozen(value)).toBe(true);
  }
});

it("describes a permission", () => {
  expect([GG_NO_PERMISSIONS, GG_ANY_PERMISSION, "a", NESTED].map(describePermission)).toEqual([
    "none",
    "any",
    "a",
    "allOf(a, anyOf(b, allOf(c, d)))",
  ]);
});
