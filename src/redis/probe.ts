import type { Link } from "./link.js";

/** How often a node publishes to itself, in ms. */
const INTERVAL = 2_000;

/** After how many probes that did not come back a link is lost; and while other messages do arrive, which may be before it. */
const MISSED = 2;
const MISSED_IN_TRAFFIC = 5;

/** What is known of the probes of one connection, which are numbered. */
interface ProbeState {
  /** The latest that Redis says it has published: how long that may take is not decided here. */
  answered: number;
  /** The latest that has come back. */
  back: number;
}

/**
 * Whether a link carries what is published: a process of Redis may hang, or may be cut off from the others, while its
 * connections stay open. On each connection for subscriptions the node publishes to a channel of its own.
 */
export class Probe {
  readonly #link: Link;
  readonly #command: string;
  readonly #states = new Map<string, ProbeState>();
  #count = 0;
  #timer: NodeJS.Timeout | undefined;
  #onFirst: (() => void) | undefined;

  constructor(link: Link, isCluster: boolean) {
    this.#link = link;
    this.#command = isCluster ? "SPUBLISH" : "PUBLISH";
  }

  /** Subscribes. Resolves when the first has come back on every connection, or the link is lost. */
  async start(): Promise<void> {
    const link = this.#link;
    for (const shard of link.shards) {
      if (!shard.probe) continue;
      this.#states.set(shard.probe, { answered: 0, back: 0 });
      await link.track(shard.subscribe([shard.probe], this.#onEcho));
    }
    const first = new Promise<void>((resolve) => {
      this.#onFirst = resolve;
    });
    this.#publish();
    this.#timer = setInterval(() => setImmediate(() => this.#check()), INTERVAL);
    this.#timer.unref();
    void link.lost.then(() => clearInterval(this.#timer));
    if (this.#states.size > 0) await Promise.race([first, link.lost]);
  }

  readonly #onEcho = (text: string, channel: string): void => {
    const state = this.#states.get(channel);
    if (state) state.back = Math.max(state.back, Number(text) || 0);
    if ([...this.#states.values()].every(({ back }) => back > 0)) this.#onFirst?.();
  };

  #check(): void {
    const limit = this.#link.hasReceived ? MISSED_IN_TRAFFIC : MISSED;
    this.#link.hasReceived = false;
    for (const { answered, back } of this.#states.values()) {
      if (answered - back >= limit) return this.#link.lose("what this node publishes does not come back");
    }
    this.#publish();
  }

  #publish(): void {
    const number = ++this.#count;
    for (const [channel, state] of this.#states) {
      const onReply = () => {
        state.answered = number;
      };
      this.#link.send(channel, [this.#command, channel, `${number}`], onReply, (error, kind) => {
        if (kind === "refused") this.#link.lose(`Redis refuses to publish: ${String(error)}`);
      });
    }
  }
}
