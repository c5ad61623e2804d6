import type { Connection } from "./connection.js";
import { setDeadline } from "./deadlines.js";

/** How long a connection may be silent, and then how long it may take to answer, in ms, by default. */
export const HEARTBEAT_INTERVAL = 25_000;
export const HEARTBEAT_TIMEOUT = 10_000;

/** A timer that fires this late, in ms, shows that this process was suspended, and nothing about its peers. */
const OVERSLEPT = 2_000;

/** What was seen of a connection when it last showed life. */
interface Sighting {
  readonly received: number;
  readonly life: number;
  readonly at: number;
}

/**
 * Detects dead connections: asks those that have shown no life for `silenceMs`, and terminates those that show none for
 * another `answerMs`. It looks four times in that silence, so a peer is asked within one and a half of it. Messages are
 * life, and so are bytes where the transport sees them: those that arrive, and those that waited and that the peer takes.
 */
export class Heartbeat {
  readonly silenceMs: number;
  readonly answerMs: number;
  readonly #seen = new Map<Connection, Sighting>();
  #stop: (() => void) | undefined;

  constructor(intervalMs = HEARTBEAT_INTERVAL, timeoutMs = HEARTBEAT_TIMEOUT) {
    this.silenceMs = intervalMs;
    this.answerMs = timeoutMs;
  }

  /** Watches a connection, until {@link delete}. */
  add(connection: Connection): void {
    this.#see(connection);
    if (!this.#stop) this.#lookLater();
  }

  delete(connection: Connection): void {
    this.#seen.delete(connection);
    if (this.#seen.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  /**
   * Looks now, and asks those that have been silent for this many ms; by default all that were at the last look, for a
   * moment when connections are likely to be dead.
   */
  look(silenceMs = 0): void {
    const asked: (() => void)[] = [];
    for (const [connection, last] of this.#seen) {
      const { received, life, at } = this.#see(connection, last);
      if (life !== last.life) {
        // The peer may see no more than messages, and none of its own is answered yet: this end shows life unasked.
        if (received === last.received || Number.isNaN(life)) connection.ping(true);
      } else if (performance.now() - at >= silenceMs && connection.ping())
        asked.push(() => connection.signsOfLife === life && connection.terminate());
    }
    if (asked.length > 0) this.#judgeLater(asked);
  }

  #see(connection: Connection, last?: Sighting): Sighting {
    const { received, signsOfLife: life } = connection;
    if (life === last?.life) return last;
    const seen = { received, life, at: performance.now() };
    this.#seen.set(connection, seen);
    return seen;
  }

  #lookLater(): void {
    this.#stop = setDeadline(this.silenceMs / 4, () => {
      this.look(this.silenceMs);
      if (this.#stop) this.#lookLater();
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
