import type { Connection } from "./connection.js";
import { setDeadline } from "./deadlines.js";

/** How long a connection may be silent, and then how long it may take to answer, in ms, by default. */
export const HEARTBEAT_INTERVAL = 25_000;
export const HEARTBEAT_TIMEOUT = 10_000;

/** A timer that fires this late, in ms, shows that this process was suspended, and nothing about its peers. */
const OVERSLEPT = 2_000;

/** How often a silent connection is looked at before it is asked. */
const LOOKS = 4;

/** What was seen of a connection at the last look. */
interface Sighting {
  life: number | undefined;
  /** How many looks have found it silent; the first after it was added comes too early to count. */
  silentLooks: number;
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
    this.#seen.set(connection, { life: connection.signsOfLife, silentLooks: -1 });
    if (!this.#stop) this.#lookLater();
  }

  delete(connection: Connection): void {
    this.#seen.delete(connection);
    if (this.#seen.size === 0) {
      this.#stop?.();
      this.#stop = undefined;
    }
  }

  /**
   * Looks now, and asks those that have been silent for that many looks; by default all that were since the last one, for a
   * moment when connections are likely to be dead.
   */
  look(silentLooks = 0): void {
    const asked: (() => void)[] = [];
    for (const [connection, sighting] of this.#seen) {
      const life = connection.signsOfLife;
      if (life !== sighting.life) {
        sighting.life = life;
        sighting.silentLooks = 0;
      } else if (++sighting.silentLooks >= silentLooks && connection.ping())
        asked.push(() => connection.signsOfLife === life && connection.terminate());
    }
    if (asked.length === 0) return;
    const dueAt = performance.now() + this.answerMs;
    setDeadline(this.answerMs, () => {
      // Suspended meanwhile: the answers may still wait to be read. The next look asks again.
      if (performance.now() > dueAt + OVERSLEPT) return;
      for (const judge of asked) judge();
    });
  }

  #lookLater(): void {
    this.#stop = setDeadline(this.silenceMs / LOOKS, () => {
      this.#lookLater();
      this.look(LOOKS);
    });
  }
}
