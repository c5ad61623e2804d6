import type { Connection } from "./connection.js";
import { setDeadline } from "./deadlines.js";

/** How long a connection may be silent, and then how long it may take to answer, in ms, by default. */
export const HEARTBEAT_INTERVAL = 25_000;
export const HEARTBEAT_TIMEOUT = 10_000;

/** A timer that fires this late, in ms, shows that this process was suspended, and nothing about its peers. */
const OVERSLEPT = 2_000;

/**
 * Detects dead connections: looks at all of them twice in an interval, asks those that were silent since the last look
 * for a sign of life, and terminates those that give none in time. Whatever arrives is a sign of life.
 */
export class Heartbeat {
  readonly silenceMs: number;
  readonly answerMs: number;
  /** What each had received at the last look. */
  readonly #received = new Map<Connection, number>();
  #stop: (() => void) | undefined;

  constructor(intervalMs = HEARTBEAT_INTERVAL, timeoutMs = HEARTBEAT_TIMEOUT) {
    this.silenceMs = intervalMs;
    this.answerMs = timeoutMs;
  }

  /** Watches a connection, until {@link delete}. */
  add(connection: Connection): void {
    this.#received.set(connection, connection.received);
    if (!this.#stop) this.#lookLater();
  }

  delete(connection: Connection): void {
    this.#received.delete(connection);
    if (this.#received.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  /** Looks now; for a moment when connections are likely to be dead. */
  look(): void {
    const asked: (() => void)[] = [];
    for (const [connection, before] of this.#received) {
      const { received } = connection;
      this.#received.set(connection, received);
      if (received !== before || !connection.ping()) continue;
      asked.push(() => connection.received === received && connection.terminate());
    }
    if (asked.length > 0) this.#judgeLater(asked);
  }

  #lookLater(): void {
    this.#stop = setDeadline(this.silenceMs / 2, () => {
      this.#lookLater();
      this.look();
    });
  }

  #judgeLater(asked: readonly (() => void)[]): void {
    const dueAt = performance.now() + this.answerMs;
    setDeadline(this.answerMs, () => {
      // Suspended meanwhile: the answers may still wait to be read. The next look asks again.
      if (performance.now() > dueAt + OVERSLEPT) return;
      // If the process was only busy, the answers are read before the next timer.
      setDeadline(1, () => {
        for (const judge of asked) judge();
      });
    });
  }
}
