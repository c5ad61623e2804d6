import type { ConnectionState } from "../client/Connection.js";
import { Countdown } from "../client/Countdown.js";
import type { Screen } from "./Screen.js";

/** Says that the connection is made again, and when. */
export class RetryNotice {
  readonly #countdown: Countdown;
  #label = "";

  constructor(private readonly screen: Screen) {
    this.#countdown = new Countdown((seconds) => screen.showStatus(this.#describe(seconds)));
  }

  show(state: ConnectionState, nextTryAt?: number): void {
    this.#countdown.stop();
    this.#label = state === "connecting" ? "Connecting…" : "Reconnecting…";
    if (nextTryAt === undefined) return this.screen.showStatus(state === "reconnecting" ? this.#label : "");
    if (this.screen.isInteractive) this.#countdown.start(nextTryAt);
    else this.screen.print(`  ${this.#describe(Countdown.secondsUntil(nextTryAt))}`);
  }

  end(): void {
    this.#countdown.stop();
  }

  #describe(seconds: number): string {
    return `${this.#label} next try in ${seconds} s`;
  }
}
