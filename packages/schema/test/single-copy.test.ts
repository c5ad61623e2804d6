import { expect, it } from "vitest";
import "../src/index.js";
import { claimOnce } from "../src/single-copy.js";

it("loading the package claims its name for the process", () => {
  expect(Symbol.for("grest-ts:dedup:@grest-ts/schema") in globalThis).toBe(true);
});

it("a second copy of the package throws, and says to dedupe", async () => {
  const copy = "../src/index.js?copy";
  await expect(import(/* @vite-ignore */ copy)).rejects.toThrow(/@grest-ts\/schema is loaded twice.*Dedupe/);
});

it("each name is claimed on its own", () => {
  claimOnce("@grest-ts/other");
  expect(() => claimOnce("@grest-ts/other")).toThrow("@grest-ts/other is loaded twice");
});
