import type { Socket } from "node:net";

/** Resolves when a TCP connection has ended, well or by an error, and `ws` has told everybody: it does so a turn later. */
export function closeOf(line: Socket): Promise<void> {
  line.on("error", () => {});
  return new Promise((resolve) => {
    line.once("close", () => setImmediate(resolve));
  });
}
