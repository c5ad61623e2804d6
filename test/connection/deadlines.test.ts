import { expect, it } from "vitest";
import { setDeadline } from "../../src/connection/deadlines.js";

it.each([0, -1_000, Number.NaN])(
  "does not starve other tasks by a deadline of %d ms that starts another",
  async (ms) => {
    let count = 0;
    let stop = () => {};
    await new Promise<void>((resolve) => {
      const again = () => {
        resolve();
        if (++count < 1_000) stop = setDeadline(ms, again);
      };
      setDeadline(ms, again);
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(count).toBe(1);
    stop();
  },
);
