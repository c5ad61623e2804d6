/** Calls back with the seconds that are left, now and once a second. */
export class Countdown {
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly onSecond: (seconds: number) => void) {}

  /** @param at in ms since 1970 */
  static secondsUntil(at: number): number {
    return Math.max(0, Math.ceil((at - Date.now()) / 1_000));
  }

  /** @param at in ms since 1970 */
  start(at: number): void {
    this.stop();
    const show = () => this.onSecond(Countdown.secondsUntil(at));
    this.#timer = setInterval(show, 1_000);
    show();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
