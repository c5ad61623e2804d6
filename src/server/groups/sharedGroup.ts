import type { GGBus, GGBusMessage, GGHistory, GGPosition } from "../../api/bus.js";
import type { GGGroupJoin } from "../../api/group.js";
import type { GGGroupCallOptions } from "../../api/methodTypes.js";
import type { GGPresenceInfo } from "../../api/presence.js";
import type { SchemaDefinition } from "../../api/schema.js";
import type { CompiledMethod } from "../../connection/methods/compiledMethod.js";
import { type AnyError, logUnsent, type Outcome, ok, unsendable } from "../../connection/methods/outcome.js";
import { monitorOf } from "../../groups/busMonitor.js";
import { encodeGroupMessage } from "../../groups/groupMessage.js";
import { localBus } from "../../groups/localBus.js";
import { channelOf, Topic, type TopicListener } from "../../groups/topic.js";
import { sizedFrame } from "../../protocol/frame.js";
import { withLongestPlace } from "../../protocol/resume.js";
import type { ServerConnection } from "../connection/serverConnection.js";
import { servedTablesOf } from "../sentValues.js";
import { connectionOf } from "./connectionOf.js";
import { Deliveries } from "./deliveries.js";
import type { Members } from "./members.js";
import { publishFailure } from "./publishFailure.js";

/** Where a group is known, and by which name. */
export interface GroupOptions {
  /** Without, its messages stay in this process. */
  readonly bus?: GGBus | undefined;
  readonly name?: string | undefined;
  readonly history?: GGHistory | undefined;
  /** Whether its members are present in it. Default `true`. */
  readonly hasPresence?: boolean;
}

/** The bus of groups that have none: each has a channel of its own there. */
let ownBus: GGBus | undefined;
let ownChannels = 0;

/** The groups of a bus that are in use on this node, by the names of their channels. */
const groupsInUse = new WeakMap<GGBus, Map<string, SharedGroup>>();

const LIVE: Promise<GGGroupJoin> = Promise.resolve(Object.freeze({ isLive: true }));
const NOT_LIVE: Promise<GGGroupJoin> = Promise.resolve(Object.freeze({ isLive: false }));

/**
 * A group on this node: its members here, and the topic that it shares with the other nodes. What is not kept reaches the
 * members of this node at once and the other nodes through the bus; what is kept reaches all through the bus, in one order.
 */
export class SharedGroup implements TopicListener {
  readonly members: Members;
  readonly history: GGHistory | undefined;
  readonly #apiName: string;
  readonly #name: string;
  readonly #hasPresence: boolean;
  readonly #bus: GGBus | undefined;
  readonly #channel: string;
  readonly #deliveries: Deliveries;
  #topic: Topic | undefined;
  /** Whether the topic is subscribed for the members of this node. */
  #isRetained = false;

  constructor(schema: SchemaDefinition, { bus, name = "", history, hasPresence = true }: GroupOptions) {
    this.#apiName = schema.name;
    this.#bus = bus;
    this.#channel = channelOf(schema.name, bus ? name : `${name}#${++ownChannels}`);
    this.#name = name;
    this.#hasPresence = hasPresence;
    this.history = history;
    const group = this;
    this.#deliveries = new Deliveries({
      name,
      methods: servedTablesOf(schema).serverToClient,
      isKept: history !== undefined,
      get position() {
        return group.position;
      },
      recover: (...position) => this.topic.recover(...position),
      onLeft: (connection, hasClosed) => this.#left(connection, hasClosed),
    });
    this.members = this.#deliveries.members;
  }

  /** The group of this name that is in use on this node: this one, or another one for the same. */
  get inUse(): SharedGroup {
    return (this.#bus && groupsInUse.get(this.#bus)?.get(this.#channel)) ?? this;
  }

  /**
   * The same, for what depends on its history.
   *
   * @throws Error when that in use has another history: a bus has one for each channel
   */
  get inUseWithHistory(): SharedGroup {
    const { inUse, history } = this;
    if (inUse.history?.size === history?.size && inUse.history?.ttlMs === history?.ttlMs) return inUse;
    throw new Error(`${this.#apiName}: the group "${this.#name}" is in use with another history`);
  }

  /** Made when it is needed: most groups without a name need none. */
  get topic(): Topic {
    if (this.#topic) return this.#topic;
    ownBus ??= localBus();
    this.#topic = new Topic(this.#bus ?? ownBus, {
      apiName: this.#apiName,
      name: this.#name,
      channel: this.#channel,
      history: this.history,
      logger: () => this.members.first?.api.endpoint.logger,
      listener: this,
    });
    return this.#topic;
  }

  get position(): GGPosition | undefined {
    return this.#topic?.position;
  }

  countEverywhere(): Promise<number> {
    return this.#isShared ? this.topic.countEverywhere() : Promise.resolve(this.members.size);
  }

  /** Never rejects. */
  add(connection: ServerConnection): Promise<GGGroupJoin> {
    const isNew = this.#deliveries.add(connection);
    const info = isNew && this.#hasPresence ? connection.presenceInfo() : undefined;
    if (!this.members.has(connection)) return NOT_LIVE;
    if (!this.#isShared && !info && !this.#topic) return LIVE;
    const isLive = this.#joinTopic(connection, isNew, info);
    const recovering = isNew ? this.#deliveries.recover(connection) : undefined;
    return Promise.all([isLive, recovering]).then(([isLive, recovered]) => ({ isLive, recovered }));
  }

  /** Validates and encodes once, and hands the same message to every member. Never rejects. */
  async send(method: CompiledMethod, data: unknown, options?: GGGroupCallOptions): Promise<Outcome> {
    const { path, messagePrefix } = method;
    const isDroppable = !!options?.droppable;
    const isKept = !!this.history && !isDroppable;
    let frame: string;
    let except: string;
    try {
      const inUse = this.inUseWithHistory;
      if (inUse !== this) return inUse.send(method, data, options);
      const payload = method.writeInput(data);
      // Members that resume get a kept one with its place.
      sizedFrame(isKept ? withLongestPlace(messagePrefix, path) : messagePrefix, payload);
      frame = messagePrefix + payload;
      except = options?.except ? connectionOf(options.except).clientId : "";
    } catch (thrown) {
      return this.#unsent(path, unsendable(path, thrown));
    }
    if (!isKept) this.members.send(frame, { path, isDroppable, except });
    if (!this.#isShared) return ok(undefined);
    try {
      const published = this.topic.publish(encodeGroupMessage({ frame, except, isDroppable }), isKept);
      if (isKept) await published;
      // At most once: whether it reaches others shows in the health of the bus, and in the metrics.
      else published.catch(() => {});
      return ok(undefined);
    } catch (thrown) {
      return this.#unsent(path, publishFailure(path, thrown));
    }
  }

  /** Takes a connection out, though it stays open. Returns whether it was in. */
  remove(connection: ServerConnection): boolean {
    return this.#deliveries.remove(connection);
  }

  onMessage(message: GGBusMessage): boolean {
    return this.#deliveries.deliver(message);
  }

  onDisplaced(message: GGBusMessage): boolean {
    return this.#deliveries.deliver(message, true);
  }

  onRepeated(message: GGBusMessage, losses: number): boolean {
    return this.#deliveries.deliverAgain(message, losses);
  }

  onLost(position: GGPosition): void {
    this.#deliveries.lost(position);
  }

  onKnown(): void {
    this.#deliveries.settle();
  }

  onUsed(): void {
    if (!this.#bus) return;
    const groups = groupsInUse.get(this.#bus) ?? new Map<string, SharedGroup>();
    groupsInUse.set(this.#bus, groups.set(this.#channel, this));
  }

  onIdle(): void {
    if (this.#bus) groupsInUse.get(this.#bus)?.delete(this.#channel);
  }

  /** Whether messages of other nodes arrive by now. A bus of the program may throw: the connection stays a member here. */
  async #joinTopic(connection: ServerConnection, isNew: boolean, info?: GGPresenceInfo): Promise<boolean> {
    try {
      const { topic } = this;
      if (!this.#isRetained) topic.retain();
      this.#isRetained = true;
      if (isNew) topic.setCount(this.members.size);
      if (info) topic.presence.join(connection.id, info);
      return await topic.isLive();
    } catch (error) {
      this.#busFailed(connection, error);
      return false;
    }
  }

  get #isShared(): boolean {
    return this.#bus !== undefined || this.history !== undefined;
  }

  #left(connection: ServerConnection, hasClosed: boolean): void {
    const topic = this.#topic;
    if (!topic || !this.#isRetained) return;
    this.#guard(connection, () => topic.setCount(this.members.size));
    this.#guard(connection, () => topic.presence.leave(connection.id, hasClosed));
    // A callback of the program may have removed others meanwhile.
    if (this.members.size > 0 || !this.#isRetained) return;
    this.#isRetained = false;
    topic.release();
  }

  /** A bus of the program may throw: the connection leaves all the same. */
  #guard(connection: ServerConnection, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#busFailed(connection, error);
    }
  }

  #busFailed(connection: ServerConnection, error: unknown): void {
    connection.namedEndpoint.logger.error(`${this.#apiName}: the bus has failed`, { error });
  }

  /** A program seldom awaits a message, so it is logged as well. */
  #unsent(path: string, error: AnyError): AnyError {
    const logger = this.members.first?.api.endpoint.logger ?? (this.#bus && monitorOf(this.#bus).logger);
    if (logger) logUnsent({ logger }, path, error);
    return error;
  }
}
