import { randomUUID } from "node:crypto";
import type { GGBus, GGBusMessage } from "../../api/bus.js";
import type { SocketEndpoint } from "../../connection/endpoint.js";
import { channelOf, Topic, type TopicListener } from "../../groups/topic.js";
import { CloseCode } from "../../protocol/closeCodes.js";

/** Which connections are to be closed on all nodes, and how. */
export interface KeyRevocation {
  readonly key: string;
  readonly code: number;
  readonly reason: string;
}

/** How long a node may be cut off, and how many revocations it may miss, to get all of them when it is back. */
const HISTORY = { size: 1_000, ttlMs: 3_600_000 };

/** How long a bus that is there takes to be reached at the start, at most, in ms. */
const USUAL_START = 2_000;

interface ControlHooks {
  /** Whether there are connections, or handshakes, that a revocation may concern. */
  hasConnections(): boolean;
  onRevoked(revocation: KeyRevocation): void;
  /** Revocations may have been missed, and cannot be read any more. */
  onLost(): void;
}

/** Carries the revocations of one API to all nodes; a node that was cut off gets them when it is back. */
export class Control implements TopicListener {
  readonly #topic: Topic;
  readonly #id = randomUUID();
  readonly #hooks: ControlHooks;
  readonly #startedAt = performance.now();
  #isEnded = false;

  constructor(bus: GGBus, { apiName, logger }: Pick<SocketEndpoint, "apiName" | "logger">, hooks: ControlHooks) {
    this.#hooks = hooks;
    const name = "@control";
    const channel = channelOf(apiName, name);
    this.#topic = new Topic(bus, { apiName, name, channel, history: HISTORY, logger: () => logger, listener: this });
    this.#topic.retain();
  }

  /** Reaches the other servers. Rejects with a `GGBusError`. */
  async revoke(revocation: KeyRevocation): Promise<void> {
    await this.#topic.publish(JSON.stringify({ ...revocation, by: this.#id }), true);
  }

  end(): void {
    this.#isEnded = true;
    this.#topic.release();
  }

  /**
   * A bus that was away at the start has kept what was revoked meanwhile. Otherwise connections that are there by now have
   * just been made: what was revoked in the last hour does not concern them, since they come after it.
   */
  onCaughtUp(): void {
    const wasAway = performance.now() - this.#startedAt > USUAL_START;
    if (wasAway && this.#hooks.hasConnections()) void this.#takeKept();
  }

  onLost(): void {
    if (!this.#isEnded) this.#hooks.onLost();
  }

  async #takeKept(): Promise<void> {
    const kept = await this.#topic.readKept().catch(() => undefined);
    if (kept) for (const message of kept) this.onMessage(message);
    else this.onLost();
  }

  onDisplaced(message: GGBusMessage): boolean {
    return this.onMessage(message);
  }

  onMessage({ body }: GGBusMessage): boolean {
    const revocation = readRevocation(body);
    if (!revocation) return false;
    // This server has done it: who was closed may have connected again since.
    if (revocation.by !== this.#id && !this.#isEnded) this.#hooks.onRevoked(revocation);
    return true;
  }
}

function readRevocation(body: string): (KeyRevocation & { readonly by?: unknown }) | undefined {
  try {
    const { key, code = CloseCode.POLICY_VIOLATION, reason = "", by } = JSON.parse(body);
    if (typeof key === "string" && Number.isInteger(code) && typeof reason === "string")
      return { key, code, reason, by };
  } catch {
    // It is not from this library.
  }
  return undefined;
}
