import type { Link } from "./link.js";

/** How often a node publishes to itself, in ms. */
const INTERVAL = 2_000;

/** After how many probes that did not come back a link is lost; and while other messages do arrive, which may be before it. */
const MISSED = 2;
const MISSED_IN_TRAFFIC = 5;

/**
 * Whether a link carries what is published: a process of Redis may hang, or may be cut off from the others, while its
 * connections stay open. On each connection for subscriptions the node publishes to a channel of its own.
 */
export class Probe {
  readonly #link: Link;
  readonly #command: string;
  readonly #pending = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #onFirst: (() => void) | undefined;

  constructor(link: Link, isCluster: boolean) {
    this.#link = link;
    this.#command = isCluster ? "SPUBLISH" : "PUBLISH";
  }

  /** Subscribes. Resolves when the first has come back on every connection, or the link is lost. */
  async start(): Promise<void> {
    const link = this.#link;
    const channels: string[] = [];
    for (const shard of link.shards) {
      if (!shard.probe) continue;
      channels.push(shard.probe);
      await link.track(shard.subscribe([shard.probe], this.#onEcho));
    }
    const first = new Promise<void>((resolve) => {
      this.#onFirst = resolve;
    });
    this.#publish(channels);
    this.#timer = setInterval(() => setImmediate(() => this.#check(channels)), INTERVAL);
    this.#timer.unref();
    void link.lost.then(() => clearInterval(this.#timer));
    if (channels.length > 0) await Promise.race([first, link.lost]);
  }

  readonly #onEcho = (_text: string, channel: string): void => {
    this.#pending.delete(channel);
    if (this.#pending.size === 0) this.#onFirst?.();
  };

  #check(channels: readonly string[]): void {
    const limit = this.#link.hasReceived ? MISSED_IN_TRAFFIC : MISSED;
    this.#link.hasReceived = false;
    for (const missed of this.#pending.values()) {
      if (missed >= limit) return this.#link.lose("what this node publishes does not come back");
    }
    this.#publish(channels);
  }

  #publish(channels: readonly string[]): void {
    for (const channel of channels) {
      this.#pending.set(channel, (this.#pending.get(channel) ?? 0) + 1);
      this.#link.send(channel, [this.#command, channel, ""], noop, (error, kind) => {
        if (kind === "refused") this.#link.lose(`Redis refuses to publish: ${String(error)}`);
      });
    }
  }
}

function noop(): void {}
