import {
  GGBusError,
  type GGBusErrorReason,
  type GGHistory,
  type GGPosition,
  type GGPublishOptions,
} from "../api/bus.js";
import type { ChannelKeys } from "./keys.js";
import type { Link } from "./link.js";
import { findPublished, type LostPublication } from "./lostAnswers.js";
import { errorText, type FailureKind } from "./replies.js";
import type { Scripts } from "./scripts.js";
import { type QueueLimits, UnderWay } from "./underWay.js";
import { unkeptMessage } from "./wireMessage.js";

/** How long what Redis cannot do now waits until it is tried again, in ms. */
const RETRY_DELAY = 100;

/** A message with history on its way. */
interface Publication extends LostPublication {
  readonly body: string;
  readonly bytes: number;
  readonly options: KeptOptions;
  /** When it was given, by a clock that only goes forwards, in ms. */
  readonly since: number;
  /** How many answers were lost. */
  lost: number;
  /** Whether it may have been published: it was not found since that it was not. */
  mayBePublished: boolean;
  resolve(position: GGPosition | undefined): void;
  reject(error: GGBusError): void;
}

/** How a message is published that is kept. */
export interface KeptOptions extends GGPublishOptions {
  readonly history: GGHistory;
}

/**
 * Publishes. Messages with history wait while that is not possible; those whose answer was lost are published again, before
 * all that came later, and Redis finds those that it has.
 */
export class Publications {
  readonly #limits: QueueLimits;
  readonly #scripts: Scripts;
  readonly #node: string;
  readonly #command: string;
  readonly #underWay: UnderWay;
  #link: Link | undefined;
  #isClosed = false;
  #waiting: Publication[] = [];
  /** Whether those that wait are in the order in which they were given. */
  #isSorted = true;
  #bytesWaiting = 0;
  #count = 0;
  #expiry: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** Channels in which Redis cannot publish now. */
  readonly #held = new Set<string>();

  constructor(node: string, limits: QueueLimits, scripts: Scripts, isCluster: boolean) {
    this.#node = node;
    this.#limits = limits;
    this.#scripts = scripts;
    this.#command = isCluster ? "SPUBLISH" : "PUBLISH";
    this.#underWay = new UnderWay(limits);
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** A name that this node has not used yet. */
  nextName(): string {
    return `${this.#node}.${++this.#count}`;
  }

  /** Publishes once, now or not at all. */
  publishUnkept({ channel }: ChannelKeys, body: string): Promise<undefined> {
    return new Promise((resolve, reject) => {
      const link = this.#link;
      const bytes = Buffer.byteLength(body);
      if (!link || link.isLost) return reject(new GGBusError("Redis is away", "down"));
      if (!this.#underWay.hasRoom(bytes)) return reject(this.#limitError());
      this.#underWay.add(bytes);
      link.send(
        channel,
        [this.#command, channel, unkeptMessage(this.nextName(), body)],
        () => {
          this.#underWay.remove(bytes);
          resolve(undefined);
        },
        (error, kind) => {
          this.#underWay.remove(bytes);
          const reason = this.#isClosed ? "closed" : kind === "refused" ? "refused" : "down";
          reject(new GGBusError(errorText(error), reason, kind === "lost", { cause: error }));
        },
      );
    });
  }

  /** Publishes, or waits until that is possible. */
  publish(keys: ChannelKeys, body: string, options: KeptOptions): Promise<GGPosition | undefined> {
    return new Promise((resolve, reject) => {
      const number = ++this.#count;
      const publication: Publication = {
        number,
        from: `${this.#node}.${number}`,
        keys,
        body,
        bytes: Buffer.byteLength(body),
        options,
        since: performance.now(),
        lost: 0,
        mayBePublished: false,
        resolve,
        reject,
      };
      const isOpen = this.#canSend(keys);
      if (!(isOpen ? this.#underWay.hasRoom(publication.bytes) : this.#mayWait(publication.bytes)))
        reject(this.#limitError());
      else if (isOpen) this.#send(publication);
      else this.#wait(publication);
    });
  }

  /**
   * Finds which of those whose answer was lost Redis has. The connections that they were sent on have ended. Rejects when
   * Redis cannot say it now.
   */
  async recover(link: Link): Promise<void> {
    const lost = this.#waiting.filter((publication) => publication.mayBePublished);
    const all = await findPublished(link, this.#scripts, this.#node, lost);
    for (const publication of this.#takeWaiting()) {
      const found = all.get(publication);
      if (found === "absent") publication.mayBePublished = false;
      if (found === undefined || found === "absent") this.#wait(publication);
      else if (found === "unknown") this.#reject(publication, "it is not known whether it was published", "timeout");
      else publication.resolve(found === "published" ? undefined : found);
    }
  }

  /** Publishes what waits, and what comes. */
  open(link: Link): void {
    this.#link = link;
    this.#sendWaiting();
  }

  /** The link is lost: what comes waits. */
  detach(): void {
    this.#link = undefined;
  }

  /** Rejects what waits. What is under way may end. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#expiry);
    for (const publication of this.#waiting) this.#reject(publication, "the bus was closed", "closed");
    this.#waiting = [];
  }

  #canSend({ channel }: ChannelKeys): boolean {
    return this.#link !== undefined && !this.#link.isLost && !this.#held.has(channel);
  }

  #sendWaiting(): void {
    for (const publication of this.#takeWaiting()) {
      if (this.#canSend(publication.keys)) this.#send(publication);
      else this.#wait(publication);
    }
  }

  #takeWaiting(): Publication[] {
    if (!this.#isSorted) this.#waiting.sort((a, b) => a.number - b.number);
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#bytesWaiting = 0;
    this.#isSorted = true;
    clearTimeout(this.#expiry);
    this.#expiry = undefined;
    return waiting;
  }

  #send(publication: Publication): void {
    const { keys, body, from, bytes, options, lost } = publication;
    const { history, known } = options;
    this.#underWay.add(bytes);
    this.#link!.run(
      this.#scripts.publish,
      [
        "2",
        keys.meta,
        keys.stream,
        body,
        from,
        lost > 0 ? `~${lost}` : "",
        `${Math.ceil(history.size)}`,
        `${Math.ceil(history.ttlMs)}`,
        known?.epoch ?? "",
        `${known?.offset ?? 0}`,
        keys.channel,
      ],
      (reply) => {
        this.#underWay.remove(bytes);
        publication.resolve(readPosition(reply as string));
      },
      (error, kind) => {
        this.#underWay.remove(bytes);
        this.#failed(publication, error, kind);
      },
    );
  }

  #failed(publication: Publication, error: unknown, kind: FailureKind): void {
    if (kind === "lost") {
      publication.lost++;
      publication.mayBePublished = true;
    }
    if (this.#isClosed) return this.#reject(publication, "the bus was closed", "closed");
    if (kind === "refused") return this.#reject(publication, errorText(error), "refused", error);
    if (kind !== "lost") {
      this.#held.add(publication.keys.channel);
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined;
        this.#held.clear();
        this.#sendWaiting();
      }, RETRY_DELAY).unref();
    }
    this.#wait(publication);
  }

  #wait(publication: Publication): void {
    const last = this.#waiting.at(-1);
    if (last && last.number > publication.number) this.#isSorted = false;
    this.#waiting.push(publication);
    this.#bytesWaiting += publication.bytes;
    const left = publication.since + this.#limits.ms - performance.now();
    this.#expiry ??= setTimeout(() => this.#rejectExpired(), Math.max(left, 1)).unref();
  }

  #rejectExpired(): void {
    const now = performance.now();
    for (const publication of this.#takeWaiting()) {
      if (now - publication.since >= this.#limits.ms)
        this.#reject(publication, "Redis was away for too long", "timeout");
      else this.#wait(publication);
    }
  }

  #reject({ reject, mayBePublished }: Publication, message: string, reason: GGBusErrorReason, cause?: unknown): void {
    reject(new GGBusError(message, reason, mayBePublished, { cause }));
  }

  #mayWait(bytes: number): boolean {
    return this.#waiting.length < this.#limits.messages && this.#bytesWaiting + bytes <= this.#limits.bytes;
  }

  #limitError(): GGBusError {
    return new GGBusError(`${this.#waiting.length + this.#underWay.messages} messages wait already`, "limit");
  }
}

/** Reads what the script that publishes returns. */
function readPosition(reply: string): GGPosition {
  const end = reply.lastIndexOf(":");
  return { epoch: reply.slice(0, end), offset: Number(reply.slice(end + 1)) };
}
