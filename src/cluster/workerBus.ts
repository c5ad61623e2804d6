import cluster from "node:cluster";
import {
  type GGBus,
  GGBusError,
  type GGBusErrorReason,
  type GGBusHealth,
  type GGBusListener,
  type GGBusMembers,
  type GGBusRead,
  type GGPosition,
  type GGPublishOptions,
} from "../api/bus.js";
import type { Unsubscribe } from "../api/unsubscribe.js";
import { randomName } from "../groups/memoryEngine.js";
import { HealthState, Subscriptions } from "../groups/subscriptions.js";
import { type Answers, framesOf, type Notice, type Request } from "./frames.js";
import { OwnMembers } from "./ownMembers.js";
import { Pipe } from "./pipe.js";
import { MAX_WAITING, MAX_WAITING_CHARACTERS, WaitingRequests } from "./waiting.js";

/** A subscription that the primary is asked for. */
interface Activation {
  readonly active: Promise<void>;
  readonly resolve: () => void;
}

/** A request that has an answer. */
type IdentifiedRequest = Extract<Request, { id: number }>;

const CLOSED = ["closed", "it was closed"] as const;
const NO_PRIMARY = ["down", "the primary process of the cluster has no bus"] as const;
const PRIMARY_GONE = ["down", "the primary process of the cluster is not reached any more"] as const;

/** The bus of a worker: a client of the one in the primary process. */
export class WorkerBus implements GGBus {
  readonly name = "cluster";
  readonly node = randomName();
  readonly members: GGBusMembers;
  readonly #worker = cluster.worker;
  readonly #pipe = new Pipe((message, onSent) => process.send!(message, onSent as never));
  readonly #health = new HealthState("down");
  readonly #subscriptions = new Subscriptions();
  readonly #activations = new Map<string, Activation>();
  readonly #requests = new WaitingRequests();
  readonly #ownMembers = new OwnMembers();
  /** Why it cannot do anything; `undefined` while the primary has a bus. */
  #obstacle: readonly [GGBusErrorReason, string] | undefined = NO_PRIMARY;
  #ids = 0;
  #published = 0;
  #welcomes = 0;

  constructor() {
    this.members = {
      set: (channel, member, info) => this.#setMember(channel, member, info),
      remove: (channel, member) => this.#setMember(channel, member, undefined),
      setCount: (channel, count) => {
        if (this.#obstacle === CLOSED) return;
        this.#ownMembers.setCount(channel, count);
        this.#tell({ op: "setCount", node: this.node, channel, count });
      },
      list: async (channel) => {
        const { version, members } = await this.#ask<"list">({ op: "list", node: this.node, id: ++this.#ids, channel });
        return { version, members: new Map(members) };
      },
      count: (channel) => this.#ask<"count">({ op: "count", node: this.node, id: ++this.#ids, channel }),
    };
    this.#worker?.on("message", this.#onMessage);
    this.#worker?.on("disconnect", this.#onDisconnect);
    if (this.#worker?.isConnected()) this.#pipe.push({ op: "hello", node: this.node }, 0);
    else this.#obstacle = PRIMARY_GONE;
  }

  get health(): GGBusHealth {
    return this.#health.health;
  }

  get queued(): number {
    return this.#requests.kept + this.#pipe.backlogFrames;
  }

  onHealth(callback: (health: GGBusHealth, reason: string) => void): Unsubscribe {
    return this.#health.watch(callback);
  }

  async publish(channel: string, body: string, options: GGPublishOptions = {}): Promise<GGPosition | undefined> {
    const { history, known } = options;
    const isUp = this.health === "up";
    const isHopeless = this.#obstacle === CLOSED || this.#obstacle === PRIMARY_GONE;
    if (isHopeless || (!isUp && !history)) throw busError(this.#obstacle ?? ["down", "it is not up again yet"]);
    const size = channel.length + body.length;
    const [waiting, characters] = isUp
      ? [this.#pipe.backlogFrames, this.#pipe.backlog]
      : [this.#requests.kept, this.#requests.keptSize];
    if (waiting >= MAX_WAITING || characters + size > MAX_WAITING_CHARACTERS)
      throw new GGBusError("too many messages wait to be published", "limit");
    const from = `${this.node}.${++this.#published}`;
    const request = { op: "publish", node: this.node, id: ++this.#ids, channel, body, from, history, known } as const;
    return this.#wait<"publish">(request, size, isUp);
  }

  read(channel: string, after: GGPosition, limit: number): Promise<GGBusRead> {
    return this.#ask<"read">({ op: "read", node: this.node, id: ++this.#ids, channel, after, limit });
  }

  subscribe(channel: string, listener: GGBusListener): { readonly active: Promise<void>; readonly end: Unsubscribe } {
    if (this.#obstacle === CLOSED) return { active: Promise.resolve(), end: () => {} };
    // Wrapped: the same listener may be given twice.
    const own: GGBusListener = {
      onMessage: (message) => listener.onMessage(message),
      onInterrupted: () => listener.onInterrupted(),
      onMembers: (change) => listener.onMembers(change),
    };
    if (this.#subscriptions.add(channel, own)) void this.#activate(channel);
    let onEnd = () => {};
    const ended = new Promise<void>((resolve) => {
      onEnd = resolve;
    });
    const end = () => {
      onEnd();
      if (!this.#subscriptions.remove(channel, own)) return;
      this.#activations.delete(channel);
      this.#tell({ op: "unsubscribe", node: this.node, channel });
    };
    return { active: Promise.race([this.#activations.get(channel)!.active, ended]), end };
  }

  async close(): Promise<void> {
    if (this.#obstacle === CLOSED) return;
    this.#tell({ op: "bye", node: this.node });
    this.#pipe.flush();
    this.#worker?.off("message", this.#onMessage);
    this.#worker?.off("disconnect", this.#onDisconnect);
    this.#health.close();
    this.#fail(CLOSED);
    this.#subscriptions.clear();
    for (const { resolve } of this.#activations.values()) resolve();
    this.#activations.clear();
  }

  readonly #onMessage = (message: unknown) => {
    for (const notice of framesOf<Notice>(message)) this.#take(notice);
  };

  readonly #onDisconnect = () => this.#fail(PRIMARY_GONE);

  #take(notice: Notice): void {
    if (notice.op === "here") {
      if (this.#obstacle) this.#pipe.push({ op: "hello", node: this.node }, 0);
      return;
    }
    if (notice.node !== this.node) return;
    switch (notice.op) {
      case "welcome":
        return void this.#heal();
      case "answer":
        return this.#requests.take(notice.id)?.resolve(notice.value as never);
      case "message":
        return this.#subscriptions.onMessage(notice.channel, notice.message);
      case "members":
        return this.#subscriptions.onMembers(notice.channel, notice.change);
      case "interrupted":
        return void this.#subscriptions.onInterrupted();
      case "bye":
        // What it has not answered, it has not done.
        for (const request of this.#requests) this.#requests.mark(request, false);
        return this.#fail(NO_PRIMARY);
    }
  }

  /** The primary has a bus: gives it what this node has, gets what was missed, and only then publishes what waits. */
  async #heal(): Promise<void> {
    const welcome = ++this.#welcomes;
    this.#obstacle = undefined;
    for (const [channel, member, info] of this.#ownMembers.members)
      this.#tell({ op: "member", node: this.node, channel, member, info });
    for (const [channel, count] of this.#ownMembers.counts)
      this.#tell({ op: "setCount", node: this.node, channel, count });
    await Promise.all([...this.#subscriptions.channels].map((channel) => this.#activate(channel)));
    if (welcome > 1) await this.#subscriptions.onInterrupted();
    if (this.#obstacle || welcome !== this.#welcomes) return;
    for (const request of this.#requests) if (!request.isSent) this.#send(request);
    this.#health.set("up", "the primary process of the cluster is reached");
  }

  /** Asks for the messages of a channel, or does so when the primary has a bus. */
  async #activate(channel: string): Promise<void> {
    const activation = this.#activations.get(channel) ?? newActivation();
    this.#activations.set(channel, activation);
    if (this.#obstacle) return;
    try {
      await this.#ask<"subscribe">({ op: "subscribe", node: this.node, id: ++this.#ids, channel });
      activation.resolve();
    } catch {
      // It is asked again by the next welcome.
    }
  }

  #fail(obstacle: readonly [GGBusErrorReason, string]): void {
    this.#obstacle = obstacle;
    this.#requests.reject(...obstacle, ({ isKept }) => obstacle !== NO_PRIMARY || !isKept);
    for (const [channel, { resolve }] of this.#activations) {
      // Those who wait go on waiting, and those who come wait too.
      const next = newActivation();
      void next.active.then(resolve);
      this.#activations.set(channel, next);
    }
    this.#health.set("down", obstacle[1]);
  }

  #setMember(channel: string, member: string, info: string | undefined): void {
    if (this.#obstacle === CLOSED) return;
    this.#ownMembers.set(channel, member, info);
    this.#tell({ op: "member", node: this.node, channel, member, info });
  }

  /** What needs no answer, and is restored by the next welcome. */
  #tell(request: Request): void {
    if (!this.#obstacle) this.#pipe.push(request, 0);
  }

  async #ask<TOp extends keyof Answers>(request: IdentifiedRequest): Promise<Answers[TOp]> {
    if (this.#obstacle) throw busError(this.#obstacle);
    return this.#wait<TOp>(request, 0, true);
  }

  #wait<TOp extends keyof Answers>(frame: IdentifiedRequest, size: number, isSentNow: boolean): Promise<Answers[TOp]> {
    return new Promise((resolve, reject) => {
      const isPublication = frame.op === "publish";
      const isKept = isPublication && frame.history !== undefined;
      const since = performance.now();
      const request = { id: frame.id, frame, size, isKept, isPublication, isSent: false, resolve, reject, since };
      this.#requests.add(request);
      if (isSentNow) this.#send(request);
    });
  }

  #send(request: Parameters<WaitingRequests["add"]>[0]): void {
    this.#requests.mark(request, true);
    this.#pipe.push(request.frame, request.size);
  }
}

function busError([reason, message]: readonly [GGBusErrorReason, string]): GGBusError {
  return new GGBusError(message, reason);
}

function newActivation(): Activation {
  let resolve = () => {};
  const active = new Promise<void>((onActive) => {
    resolve = onActive;
  });
  return { active, resolve };
}
