import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bundleChat, bundleForNode } from "../../tools/bundle.js";

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/**
 * Builds the chat for one test file, into a separate folder.
 *
 * @returns where its programs are
 */
export async function buildForTests(name: string) {
  if (!existsSync(at("../../dist/index.js"))) throw new Error("These tests use the built library: run `npm run build`");
  const out = at(`dist/test/${name}`);
  await Promise.all([
    bundleChat(out),
    bundleForNode(at("test/support/userProgram.ts"), `${out}/user.js`),
    bundleForNode(at("test/support/guestProgram.ts"), `${out}/guest.js`),
  ]);
  return {
    server: `${out}/server/main.js`,
    terminal: `${out}/terminal/main.js`,
    user: `${out}/user.js`,
    guest: `${out}/guest.js`,
  };
}
