import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fixture } from "./paths.js";

/**
 * Whether the packages of `test/fixtures/ecosystem` are installed. Where they are not this prints how to install them, and
 * the caller skips its tests; in CI it throws.
 */
export function haveEcosystem(): boolean {
  const folder = fixture("ecosystem");
  const { dependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    readonly dependencies: Readonly<Record<string, string>>;
  };
  if (Object.keys(dependencies).every((name) => existsSync(join(folder, "node_modules", name)))) return true;
  const advice = "Packages of others are not installed (npm ci --prefix test/fixtures/ecosystem)";
  if (process.env.CI === "true") throw new Error(advice);
  console.warn(`${advice}: their tests are skipped`);
  return false;
}
