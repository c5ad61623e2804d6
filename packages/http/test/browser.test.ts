import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { GGContractClass } from "@grest-ts/schema";
import { expect, it } from "vitest";

const source = (name: string) => fileURLToPath(new URL(`../../${name}/src/index.browser.ts`, import.meta.url));

/** The packages that `file` and all it loads import at run time. */
function importedPackages(file: string, seen = new Set<string>()): Set<string> {
  const found = new Set<string>();
  if (seen.has(file)) return found;
  seen.add(file);
  const text = readFileSync(file, "utf8");
  for (const [, clause, target] of text.matchAll(/^(?:import|export)\s([^;]*?)\sfrom\s"([^"]+)"/gms)) {
    const names = (clause as string).replace(/^\{|\}$/g, "").split(",");
    const typesOnly = clause?.startsWith("type ") || names.every((name) => /^\s*(type\s|$)/.test(name));
    if (typesOnly) continue;
    if (!target?.startsWith(".")) found.add(target as string);
    else {
      const next = resolve(dirname(file), target.replace(/\.js$/, ".ts"));
      for (const name of importedPackages(next, seen)) found.add(name);
    }
  }
  return found;
}

it.each([
  ["locator", []],
  ["context", []],
  ["metrics", ["@grest-ts/locator"]],
  ["http", ["@grest-ts/context", "@grest-ts/locator", "@grest-ts/schema"]],
])("the browser entry of %s loads no Node module and no server library", (name, expected) => {
  expect([...importedPackages(source(name))].sort()).toEqual(expected);
});

it("the browser entry builds schemas and clients", async () => {
  const { GGRpc, httpSchema } = await import("../src/index.browser.js");
  const Api = httpSchema(new GGContractClass("PageApi", { ping: {} })).routes({ ping: GGRpc.POST("ping") });
  expect(Object.keys(Api.createClient())).toEqual(["ping"]);
  expect(() => Api.register({ ping: async () => undefined })).toThrow(/no GGHttpServer/);
});
