import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

/** The short form of `npm run soak`, which measures the heap better the longer it runs. */
it("settles everything and keeps nothing after churn, calls, pushes and cuts", async () => {
  const soak = fileURLToPath(new URL("../soak/soak.mjs", import.meta.url));
  const child = spawn(process.execPath, [soak, "--connections", "150", "--seconds", "4", "--heap", "25"]);
  const [errors, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  expect(errors).toBe("");
  expect(code).toBe(0);
}, 60_000);
