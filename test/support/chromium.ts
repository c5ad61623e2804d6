import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The arguments of Chromium in every browser test. */
export const CHROMIUM_ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"];

/**
 * The path of an installed Chromium. Without one it prints how to install it, and the caller skips its tests; under CI, where
 * a skipped test would go unnoticed, it throws.
 */
export function findChromium(): string | undefined {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const name of NAMES) {
      const path = join(folder, name);
      if (isExecutable(path)) return path;
    }
  }
  const message = "Chromium is not installed, and the browser tests need it (Debian: apt-get install chromium)";
  if (process.env.CI === "true") throw new Error(message);
  console.warn(`${message}; they are skipped.`);
  return undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
