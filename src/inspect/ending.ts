import type { TapListener } from "./tap.js";

/** The code of a connection that broke, and of one that was terminated. */
export const ABNORMAL = 1006;

/** Which end has closed a connection, and how: the answer to a close has a code of its own. */
export class Ending {
  readonly #tap: TapListener;
  #own: readonly [code?: number, reason?: string] | undefined;
  #isOver = false;

  constructor(tap: TapListener) {
    this.#tap = tap;
  }

  /** This end closes. */
  begin(...own: [code?: number, reason?: string]): void {
    this.#own ??= own;
  }

  /** The connection has closed; reported once. */
  closed(code = ABNORMAL, reason = ""): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const [ownCode = code, ownReason = ""] = this.#own ?? [];
    if (this.#own) this.#tap.onClosed("sent", ownCode, ownReason);
    else this.#tap.onClosed("received", code, reason);
  }
}
