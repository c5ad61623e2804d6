import type { GGContext } from "@grest-ts/context";
import { failureOf } from "../../api/failure.js";
import type { GGPresenceInfo } from "../../api/presence.js";
import { Connection } from "../../connection/connection.js";
import type { CountingInbox } from "../../connection/countingInbox.js";
import { callbackFailed, type MessageRejection, type SocketEndpoint } from "../../connection/endpoint.js";
import type { CompiledMethod } from "../../connection/methods/compiledMethod.js";
import type { Handlers } from "../../connection/methods/handlers.js";
import type { Outcome } from "../../connection/methods/outcome.js";
import { Outbox } from "../../connection/outbox.js";
import { RawHandlers } from "../../connection/raw/rawHandlers.js";
import { batchBytes, type Capabilities } from "../../protocol/capabilities.js";
import { CloseCode } from "../../protocol/closeCodes.js";
import { byteLength, FrameType, SEPARATOR } from "../../protocol/frame.js";
import type { Resumption } from "../../protocol/resume.js";
import type { SharedMessage, Transport } from "../../transport/transport.js";
import { answeredAtOnce } from "../answeredAtOnce.js";
import type { Scopes } from "../handshake/permissions.js";
import type { Sender, Slot } from "../ledger.js";
import { PresentedPositions } from "../resume/presented.js";
import type { ServedApi } from "../servedApi.js";
import { endpointOf } from "./endpoint.js";
import { ConnectionGate } from "./gate.js";

/**
 * A server's end: it admits only what its limits and the scopes of its peer permit, sends shared messages, and
 * bounds what waits for a peer that reads slowly.
 */
export class ServerConnection extends Connection implements Sender {
  declare readonly inbox: CountingInbox;
  declare readonly outbox: ServerOutbox;
  readonly api: ServedApi;
  /** What its client has brought from earlier connections; `undefined` when it does not resume. */
  readonly presented: PresentedPositions | undefined;
  /** Names its client for `except`: on all its connections when it resumes, else on this one. */
  readonly clientId: string;
  readonly #slot: Slot;
  readonly #gate: ConnectionGate;
  #hasDropped = false;

  constructor(
    transport: Transport,
    api: ServedApi,
    slot: Slot,
    context: GGContext,
    handlers: Handlers,
    agreed: Capabilities,
    scopes: Scopes,
    resumption?: Resumption,
  ) {
    const hooks = handlers instanceof RawHandlers ? handlers : undefined;
    const outbox = new ServerOutbox(transport, batchBytes(agreed), api.limits.maxOutboxBytes);
    super(outbox, api.endpoint, context, handlers, agreed, hooks);
    this.api = api;
    this.#gate = new ConnectionGate(api.apiName, api.limits, scopes);
    this.#slot = slot;
    this.presented = resumption && new PresentedPositions(resumption.at);
    this.clientId = (resumption && api.clientIds.claim(resumption, this)) ?? slot.id;
    slot.accept();
  }

  /** Made when something is logged: most connections log nothing. */
  override get namedEndpoint(): SocketEndpoint {
    return endpointOf(this.api.endpoint, this.#slot);
  }

  /** Names the connection, among those of other processes too. */
  get id(): string {
    return this.#slot.id;
  }

  /** What the program says of whom it belongs to; `undefined` when it says nothing. */
  presenceInfo(): GGPresenceInfo | undefined {
    const { presence } = this.api;
    try {
      return presence && answeredAtOnce(this.context.run(presence));
    } catch (error) {
      callbackFailed(this.namedEndpoint, "presence", error);
      return undefined;
    }
  }

  measureBacklog(): number {
    return this.outbox.measureBacklog();
  }

  dropSlowConsumer(): void {
    this.#noteSlowConsumer();
    this.terminate();
  }

  override onClosed(code: number, reason: string): void {
    this.presented?.drop();
    this.api.clientIds.release(this.clientId, this);
    super.onClosed(code, reason);
  }

  override onFailed(error: Error): void {
    this.api.transportFailed(error, this.namedEndpoint);
    super.onFailed(error);
  }

  /** A ping or pong counts towards the rate as well. */
  onAlive(): void {
    this.socketEndpoint.asyncScope(() => void this.admit());
  }

  override admit(method?: CompiledMethod, isRequest?: boolean, wasHeld?: boolean): MessageRejection | undefined {
    const rejection = wasHeld
      ? this.#gate.admitHeld(isRequest, this.inbox)
      : this.#gate.admit(method, isRequest, this.inbox);
    if (!rejection) return undefined;
    const { logger, metrics } = this.namedEndpoint;
    if (rejection.warning) logger.warn(rejection.warning, { result: rejection.result });
    if (rejection.mustClose) this.close(CloseCode.POLICY_VIOLATION, "Too many messages");
    // A message is counted where it ends.
    if (isRequest === undefined) metrics?.handled("unknown", rejection.result);
    return rejection;
  }

  override callEnded(path: string, outcome?: Outcome, startedAt?: number, isDropped?: boolean): void {
    const result = outcome ? resultOf(outcome, isDropped) : "UNEXPECTED_REPLY";
    this.socketEndpoint.metrics?.sent(path, result, startedAt);
  }

  /** How many bytes may wait when it gets what it has missed, with that: half of all, since what is new comes next. */
  get maxMissedBytes(): number {
    return this.api.limits.maxOutboxBytes / 2;
  }

  /** Counts what it has missed in, but not in the ledger, unless there is no room for all of it. */
  hasRoomForMissed(messages: readonly string[]): boolean {
    const text = messages.join(SEPARATOR);
    const max = this.maxMissedBytes;
    return (3 * text.length <= max || byteLength(text) <= max) && this.outbox.hasRoom(text, max);
  }

  /** A page sees no pings: it gets the answer to the question that it may ask. */
  onBusy(): void {
    if (this.isOpen && this.can("alive")) this.outbox.push(`${FrameType.PONG}:::`);
  }

  /** Callbacks of the program may run meanwhile: those of connections that are closed to make room for all. */
  override makeRoom(message: string, isDroppable?: boolean): boolean {
    this.api.ledger.outboxGrows(3 * message.length);
    // Of all connections, this one may have been the slowest.
    return this.isOpen && super.makeRoom(message, isDroppable);
  }

  protected override refuse(isDroppable: boolean): void {
    if (isDroppable) return this.#noteDropped();
    this.#noteSlowConsumer();
    this.close(CloseCode.TRY_AGAIN_LATER, "Too slow to read");
  }

  /** Logged once per connection; the metrics count each. */
  #noteDropped(): void {
    const { apiName, logger } = this.namedEndpoint;
    if (!this.#hasDropped) logger.warn(`${apiName}: messages are dropped, since their peer reads too slowly`);
    this.#hasDropped = true;
  }

  #noteSlowConsumer(): void {
    const { apiName, logger, metrics } = this.namedEndpoint;
    logger.warn(`${apiName}: a connection is closed, since its peer reads too slowly`);
    metrics?.sent("unknown", "SLOW_CONSUMER");
  }
}

/** What the metrics say of a call that has ended. */
function resultOf(outcome: Outcome, isDropped = false): string {
  if (isDropped) return "DROPPED";
  if (outcome.success) return "OK";
  const { reason = "", wasSent } = failureOf(outcome) ?? {};
  const isClosed = ["disconnected", "not-connected"].includes(reason) || (reason === "limit" && !wasSent);
  return isClosed ? "CONNECTION_CLOSED" : outcome.type;
}

/** Sends a shared message in its shared frame when nothing else waits. */
class ServerOutbox extends Outbox {
  #shared: SharedMessage | undefined;

  pushShared(message: SharedMessage): void {
    this.#shared = message;
    this.push(message.text);
  }

  protected override handOver(messages: readonly string[]): void {
    const shared = this.#shared;
    this.#shared = undefined;
    const { underlyingTransport: transport } = this;
    if (shared && transport.sendShared && messages.length === 1 && messages[0] === shared.text) {
      transport.sendShared(shared);
    } else super.handOver(messages);
  }
}
