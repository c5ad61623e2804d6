import { beforeAll, expect, it, vi } from "vitest";

const PACKAGES: [name: string, load: () => Promise<unknown>][] = [
  ["@grest-ts/context", () => import("@grest-ts/context")],
  ["@grest-ts/locator", () => import("@grest-ts/locator")],
  ["@grest-ts/metrics", () => import("@grest-ts/metrics")],
  ["@grest-ts/discovery", () => import("@grest-ts/discovery")],
  ["@grest-ts/http", () => import("@grest-ts/http")],
  ["@grest-ts/logger", () => import("@grest-ts/logger")],
  ["@grest-ts/trace", () => import("@grest-ts/trace")],
];

beforeAll(async () => {
  for (const [, load] of PACKAGES) await load();
});

it.each(PACKAGES)("a second copy of %s in one process throws", async (name, load) => {
  expect(Symbol.for(`grest-ts:dedup:${name}`) in globalThis).toBe(true);
  vi.resetModules();
  await expect(load()).rejects.toThrow(`${name} is loaded twice in this process: dedupe it`);
});
