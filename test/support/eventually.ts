import { vi } from "vitest";

/** What waits in these tests is bounded by them. */
const PATIENCE = { timeout: 30_000, interval: 10 };

/** Waits for a state. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, PATIENCE);
}
