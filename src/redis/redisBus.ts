import { randomBytes } from "node:crypto";
import {
  type GGBus,
  GGBusError,
  type GGBusHealth,
  type GGBusListener,
  type GGBusMembers,
  type GGBusMessage,
  type GGBusRead,
  type GGPosition,
  type GGPublishOptions,
} from "../api/bus.js";
import type { Unsubscribe } from "../api/unsubscribe.js";
import { historyError } from "../groups/history.js";
import { databaseOf, isCluster } from "./client.js";
import { type ChannelKeys, channelKeys } from "./keys.js";
import { type ConnectionId, Link } from "./link.js";
import { RedisMembers } from "./members.js";
import { type GGRedisBusOptions, type ReadOptions, readOptions } from "./options.js";
import { Probe } from "./probe.js";
import { type KeptOptions, Publications } from "./publications.js";
import { errorText, failureKind } from "./replies.js";
import { type Scripts, scriptsFor } from "./scripts.js";
import { Subscriptions } from "./subscriptions.js";

/** The longest wait between two attempts to connect, in ms. */
const MAX_BACK_OFF = 2_000;

/** A link that lasted for this long was a good one: the next attempt comes soon. In ms. */
const STABLE = 5_000;

/** How many names of channels are kept ready. */
const KEPT_NAMES = 10_000;

/**
 * A bus over Redis 7 or later. It connects in the background, and again whenever it must; until then it is down.
 *
 * @throws Error naming the option that is wrong
 */
export function redisBus(options: GGRedisBusOptions): GGBus {
  return new RedisBus(readOptions(options));
}

class RedisBus implements GGBus {
  readonly name: string;
  readonly node = randomBytes(12).toString("base64url");
  readonly members: GGBusMembers;
  readonly #options: ReadOptions;
  readonly #isCluster: boolean;
  readonly #database: number;
  readonly #scripts: Scripts;
  readonly #members: RedisMembers;
  readonly #subscriptions = new Subscriptions();
  readonly #publications: Publications;
  readonly #healthCallbacks = new Set<{ callback(health: GGBusHealth, reason: string): void }>();
  readonly #keys = new Map<string, ChannelKeys>();
  #link: Link | undefined;
  #health: GGBusHealth = "down";
  /** Whether there is anything to be said about the health that was not said yet. */
  #isHealthKnown = false;
  #earlier: readonly ConnectionId[] = [];
  #closing: Promise<void> | undefined;
  #endWait: () => void = () => {};

  constructor(options: ReadOptions) {
    this.name = options.name;
    this.#options = options;
    this.#isCluster = isCluster(options.client);
    this.#database = databaseOf(options.client);
    this.#scripts = scriptsFor(this.#isCluster);
    this.#publications = new Publications(this.node, options.queue, this.#scripts, this.#isCluster);
    this.#members = this.members = new RedisMembers({
      prefix: options.prefix,
      node: this.node,
      scripts: this.#scripts,
      keysOf: (channel) => this.#keysOf(channel),
      onUnknownChange: () => this.#subscriptions.membersChanged(),
    });
    void this.#connectAgainAndAgain();
  }

  get health(): GGBusHealth {
    return this.#health;
  }

  get queued(): number {
    return this.#publications.waiting;
  }

  onHealth(callback: (health: GGBusHealth, reason: string) => void): Unsubscribe {
    const entry = { callback };
    this.#healthCallbacks.add(entry);
    return () => void this.#healthCallbacks.delete(entry);
  }

  publish(channel: string, body: string, options: GGPublishOptions = {}): Promise<GGPosition | undefined> {
    if (this.#closing) return Promise.reject(closedError());
    const keys = this.#keysOf(channel);
    const { history } = options;
    if (!history) return this.#publications.publishUnkept(keys, body);
    const impossible = historyError(history);
    if (impossible) return Promise.reject(impossible);
    return this.#publications.publish(keys, body, options as KeptOptions);
  }

  subscribe(channel: string, listener: GGBusListener): { readonly active: Promise<void>; readonly end: Unsubscribe } {
    if (this.#closing) return { active: Promise.resolve(), end() {} };
    return this.#subscriptions.add(this.#keysOf(channel).channel, listener);
  }

  async read(channel: string, after: GGPosition, limit: number): Promise<GGBusRead> {
    if (this.#closing) throw closedError();
    const link = this.#link;
    if (!link?.isOpen) throw new GGBusError("Redis is away", "down");
    const { meta, stream } = this.#keysOf(channel);
    try {
      const args = [meta, stream, after.epoch, `${after.offset}`, `${limit}`, this.#publications.nextName()];
      return readResult(await link.ask(this.#scripts.read, "2", ...args));
    } catch (error) {
      const reason = this.#closing ? "closed" : failureKind(error) === "refused" ? "refused" : "down";
      throw new GGBusError(errorText(error), reason, false, { cause: error });
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const link = this.#link;
    this.#publications.close();
    this.#subscriptions.end();
    this.#endWait();
    // What is under way on the same connection is done before.
    const left = this.#members.close().catch(() => {});
    if (link) await Promise.race([left, link.lost, after(Math.min(this.#options.timeoutMs, 1_000))]);
    link?.lose("the bus was closed");
    this.#healthCallbacks.clear();
    this.#setHealth("down", "the bus was closed");
  }

  async #connectAgainAndAgain(): Promise<void> {
    // The program can register callbacks before the first failure.
    await Promise.resolve();
    let failures = 0;
    while (!this.#closing) {
      const link = this.#newLink();
      const since = performance.now();
      try {
        await this.#heal(link);
      } catch (error) {
        link.lose(errorText(error));
      }
      const reason = await link.lost;
      this.#detach();
      if (this.#closing) return;
      this.#setHealth("down", reason);
      failures = performance.now() - since > STABLE + this.#options.timeoutMs ? 0 : failures + 1;
      await this.#backOff(failures);
    }
  }

  #newLink(): Link {
    const { client, prefix, timeoutMs } = this.#options;
    return new Link({ client, prefix, timeoutMs, node: this.node, scripts: this.#scripts, earlier: this.#earlier });
  }

  /** Brings a link to carry all that this node has. Rejects when it cannot. */
  async #heal(link: Link): Promise<void> {
    this.#link = link;
    await link.open();
    this.#earlier = link.connectionIds;
    await Promise.all([this.#subscriptions.attach(link), new Probe(link, this.#isCluster).start()]);
    await this.#members.attach(link);
    // Members get what they have missed before anything new is published.
    await Promise.race([this.#subscriptions.interrupt(), link.lost]);
    await this.#publications.recover(link);
    if (link.isLost || this.#closing) return;
    this.#publications.open(link);
    this.#setHealth("up", "Redis is connected");
  }

  #detach(): void {
    this.#link = undefined;
    this.#subscriptions.detach();
    this.#publications.detach();
    this.#members.detach();
  }

  #backOff(failures: number): Promise<void> {
    const longest = Math.min(MAX_BACK_OFF, 50 * 2 ** failures);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, longest * (0.5 + Math.random() / 2));
      this.#endWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #setHealth(health: GGBusHealth, reason: string): void {
    if (this.#isHealthKnown && this.#health === health) return;
    this.#health = health;
    this.#isHealthKnown = true;
    for (const { callback } of this.#healthCallbacks) {
      try {
        callback(health, reason);
      } catch {
        // The callback of the program.
      }
    }
  }

  #keysOf(channel: string): ChannelKeys {
    let keys = this.#keys.get(channel);
    if (!keys) {
      keys = channelKeys(this.#options.prefix, channel, this.#database);
      if (this.#keys.size >= KEPT_NAMES) this.#keys.clear();
      this.#keys.set(channel, keys);
    }
    return keys;
  }
}

function readResult(reply: unknown): GGBusRead {
  const [epoch, offset, isWhole, ...fields] = reply as [string, number, number, ...string[]];
  const top = { epoch, offset };
  if (!isWhole) return { top };
  const missed: GGBusMessage[] = [];
  for (let index = 0; index < fields.length; index += 2) {
    const position = { epoch, offset: offset - (fields.length - index) / 2 + 1 };
    missed.push({ body: fields[index]!, from: fields[index + 1]!, position });
  }
  return { top, missed };
}

function closedError(): GGBusError {
  return new GGBusError("it was closed", "closed");
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
