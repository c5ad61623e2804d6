import {
  type GGBus,
  GGBusError,
  type GGBusHealth,
  type GGBusListener,
  type GGBusMembers,
  type GGBusRead,
  type GGPosition,
  type GGPublishOptions,
} from "../api/bus.js";
import type { Unsubscribe } from "../api/unsubscribe.js";
import { historyError } from "../groups/history.js";
import { randomName } from "../groups/memoryEngine.js";
import { HealthState, Subscriptions } from "../groups/subscriptions.js";
import { Activations } from "./activations.js";
import { type Answers, type Notice, type Request, sizeOf } from "./frames.js";
import { BUS_CLOSED, CLOSED, errorOf, NO_BUS, type Obstacle, PRIMARY_GONE } from "./obstacles.js";
import { OwnMembers } from "./ownMembers.js";
import { Pipe } from "./pipe.js";
import { type Primary, primaryOfThisWorker } from "./primary.js";
import { isAnswer } from "./shapes.js";
import { UNDER_WAY, type Waiting, WaitingRequests } from "./waiting.js";

/** A request that has an answer. */
type IdentifiedRequest = Extract<Request, { id: number }>;

/** How long a bus waits for the first welcome before it says that there is none, in ms. */
export const PATIENCE_MS = 5_000;

/** The bus of a worker: a client of the one in the primary process. */
export class WorkerBus implements GGBus {
  readonly name = "cluster";
  readonly node = randomName();
  readonly members: GGBusMembers;
  readonly #pipe: Pipe;
  readonly #stopListening: Unsubscribe;
  readonly #patience: NodeJS.Timeout;
  readonly #health = new HealthState("down");
  readonly #subscriptions = new Subscriptions();
  readonly #activations = new Activations();
  readonly #requests = new WaitingRequests(() => this.#obstacle?.message);
  readonly #ownMembers = new OwnMembers();
  /** `undefined` while the primary has a bus. */
  #obstacle: Obstacle | undefined = NO_BUS;
  #ids = 0;
  #published = 0;
  #welcomes = 0;

  constructor(primary: Primary = primaryOfThisWorker) {
    this.members = {
      set: (channel, member, info) => this.#setMember(channel, member, info),
      remove: (channel, member) => this.#setMember(channel, member, undefined),
      setCount: (channel, count) => {
        if (this.#obstacle === CLOSED) return;
        this.#ownMembers.setCount(channel, count);
        this.#tell({ op: "setCount", node: this.node, channel, count });
      },
      list: async (channel) => {
        const { version, members } = await this.#ask<"list">({ op: "list", ...this.#identify(channel) });
        return { version, members: new Map(members) };
      },
      count: (channel) => this.#ask<"count">({ op: "count", ...this.#identify(channel) }),
    };
    this.#pipe = new Pipe(primary.send);
    this.#stopListening = primary.listen({
      onNotice: (notice) => this.#take(notice),
      onGone: () => this.#fail(PRIMARY_GONE),
    });
    if (primary.isConnected) this.#greet();
    else this.#obstacle = PRIMARY_GONE;
    const sayWhy = () => this.#obstacle && this.#health.set("down", this.#obstacle.message);
    this.#patience = setTimeout(sayWhy, primary.isConnected ? PATIENCE_MS : 0).unref();
  }

  get health(): GGBusHealth {
    return this.#health.health;
  }

  get queued(): number {
    return this.#requests.unsent;
  }

  onHealth(callback: (health: GGBusHealth, reason: string) => void): Unsubscribe {
    return this.#health.watch(callback);
  }

  async publish(channel: string, body: string, options: GGPublishOptions = {}): Promise<GGPosition | undefined> {
    const { history, known } = options;
    const isUp = this.health === "up";
    if (this.#obstacle && (this.#obstacle.isFinal || !history)) throw errorOf(this.#obstacle);
    if (!isUp && !history) throw new GGBusError("it is not up again yet", "down");
    const impossible = historyError(history);
    if (impossible) throw impossible;
    const size = channel.length + body.length;
    if (!this.#requests.hasRoom(size, isUp ? UNDER_WAY : 1))
      throw new GGBusError("too many messages wait to be published", "limit");
    const from = `${this.node}.${++this.#published}`;
    const request = { op: "publish", ...this.#identify(channel), body, from, history, known } as const;
    return this.#wait<"publish">(request, size, isUp);
  }

  read(channel: string, after: GGPosition, limit: number): Promise<GGBusRead> {
    const most = Math.min(limit, Number.MAX_SAFE_INTEGER);
    return this.#ask<"read">({ op: "read", ...this.#identify(channel), after, limit: most });
  }

  subscribe(channel: string, listener: GGBusListener): { readonly active: Promise<void>; readonly end: Unsubscribe } {
    if (this.#obstacle === CLOSED) return { active: Promise.resolve(), end: () => {} };
    const { isFirst, remove } = this.#subscriptions.add(channel, listener);
    if (isFirst) void this.#activate(channel);
    const { active, stop } = this.#activations.waitFor(channel);
    const end = () => {
      stop();
      if (!remove()) return;
      this.#activations.delete(channel);
      this.#tell({ op: "unsubscribe", node: this.node, channel });
    };
    return { active, end };
  }

  async close(): Promise<void> {
    if (this.#obstacle === CLOSED) return;
    // Also when no welcome has come: the hello was sent.
    this.#pipe.push({ frame: { op: "bye", node: this.node }, size: 0 });
    this.#pipe.flush();
    this.#stopListening();
    clearTimeout(this.#patience);
    this.#health.close();
    this.#fail(CLOSED);
    this.#subscriptions.clear();
    this.#activations.clear();
  }

  #take(notice: Notice): void {
    if (notice.op === "here") {
      if (this.#obstacle) this.#greet();
      return;
    }
    if (notice.node !== this.node) return;
    switch (notice.op) {
      case "welcome":
        return void this.#heal();
      case "answer":
        return this.#answered(this.#requests.take(notice.id), notice.value, notice.refused);
      case "message":
        return this.#subscriptions.onMessage(notice.channel, notice.message);
      case "members":
        return this.#subscriptions.onMembers(notice.channel, notice.change);
      case "interrupted":
        return void this.#subscriptions.onInterrupted();
      case "bye":
        // What it has not answered, it has not done.
        for (const request of this.#requests) this.#requests.mark(request, false);
        return this.#fail(BUS_CLOSED);
    }
  }

  #answered(request: Waiting | undefined, value: unknown, why: string | undefined): void {
    if (why === undefined && request && isAnswer(request.op, value)) return request.resolve(value as never);
    // What the primary has refused, it has not done.
    const mayHaveBeenPublished = why === undefined && request?.op === "publish";
    request?.reject(new GGBusError(why ?? "the answer is of another version", "refused", mayHaveBeenPublished));
  }

  /** The primary has a bus: gives it what this node has, gets what was missed, and only then publishes what waits. */
  async #heal(): Promise<void> {
    const welcome = ++this.#welcomes;
    this.#obstacle = undefined;
    for (const request of this.#ownMembers.requests(this.node)) this.#tell(request);
    await Promise.all([...this.#subscriptions.channels].map((channel) => this.#activate(channel)));
    if (welcome > 1) await this.#subscriptions.onInterrupted();
    if (this.#obstacle || welcome !== this.#welcomes) return;
    for (const request of this.#requests) if (request.op === "publish" && !request.isSent) this.#send(request);
    this.#health.set("up", "the primary process of the cluster is reached");
  }

  /** Asks for the messages of a channel, again and again while it is wanted and the primary has a bus. */
  async #activate(channel: string): Promise<void> {
    const activation = this.#activations.of(channel);
    while (!this.#obstacle && this.#activations.has(channel, activation)) {
      try {
        await this.#ask<"subscribe">({ op: "subscribe", ...this.#identify(channel) });
        return activation.resolve();
      } catch (error) {
        // The next welcome asks again for what is not possible now.
        if ((error as GGBusError).reason !== "timeout") return;
      }
    }
  }

  /** From here on nothing is asked: the next welcome begins anew. */
  #fail(obstacle: Obstacle): void {
    this.#obstacle = obstacle;
    this.#pipe.clear();
    this.#requests.reject(obstacle.reason, obstacle.message, ({ isKept }) => obstacle.isFinal || !isKept);
    this.#activations.renew();
    this.#health.set("down", obstacle.message);
  }

  #setMember(channel: string, member: string, info: string | undefined): void {
    if (this.#obstacle === CLOSED) return;
    this.#ownMembers.set(channel, member, info);
    this.#tell({ op: "member", node: this.node, channel, member, info });
  }

  /** What needs no answer, and is restored by the next welcome. */
  #tell(request: Request): void {
    if (!this.#obstacle) this.#pipe.push({ frame: request, size: sizeOf(request) });
  }

  #greet(): void {
    this.#pipe.push({ frame: { op: "hello", node: this.node } satisfies Request, size: 0 });
  }

  #identify(channel: string): { readonly node: string; readonly id: number; readonly channel: string } {
    return { node: this.node, id: ++this.#ids, channel };
  }

  async #ask<TOp extends keyof Answers>(request: IdentifiedRequest): Promise<Answers[TOp]> {
    if (this.#obstacle) throw errorOf(this.#obstacle);
    return this.#wait<TOp>(request, request.channel.length, true);
  }

  #wait<TOp extends keyof Answers>(frame: IdentifiedRequest, size: number, isSentNow: boolean): Promise<Answers[TOp]> {
    return new Promise((resolve, reject) => {
      const { id, op } = frame;
      const isKept = op === "publish" && frame.history !== undefined;
      const request: Waiting = {
        id,
        op,
        frame,
        size,
        isKept,
        isSent: false,
        resolve,
        reject,
        since: performance.now(),
      };
      this.#requests.add(request);
      if (isSentNow) this.#send(request);
    });
  }

  #send(request: Waiting): void {
    const { id, frame, size } = request;
    const onSend = () => this.#requests.mark(request, true);
    const onRefused = (why: string) => this.#requests.take(id)?.reject(new GGBusError(why, "refused"));
    this.#pipe.push({ frame, size, onSend, onRefused });
  }
}
