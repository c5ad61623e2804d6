import type { GGContext } from "@grest-ts/context";
import { Connection } from "../../connection/connection.js";
import type { Handlers } from "../../connection/methods/handlers.js";
import { Outbox } from "../../connection/outbox.js";
import { batchBytes, type Capabilities } from "../../protocol/capabilities.js";
import { CloseCode } from "../../protocol/closeCodes.js";
import type { SharedMessage } from "../../transport/sharedMessage.js";
import type { Transport } from "../../transport/transport.js";
import type { Registration } from "../registration.js";

/** A connection that may get what others get too, and that does not wait for a slow reader without end. */
export class ServerConnection extends Connection {
  declare readonly outbox: ServerOutbox;
  readonly #maxOutboxBytes: number;
  /** Never fewer than the bytes that wait: what was pushed since somebody looked, at three bytes a UTF-16 unit. */
  #atMostWaiting = 0;
  #hasDropped = false;

  constructor(
    transport: Transport,
    { endpoint, limits }: Registration,
    context: GGContext,
    handlers: Handlers,
    agreed: Capabilities,
  ) {
    super(new ServerOutbox(transport, batchBytes(agreed)), endpoint, context, handlers, agreed);
    this.#maxOutboxBytes = limits.maxOutboxBytes;
  }

  override sendFrame(frame: string, isDroppable?: boolean): number {
    return this.#hasRoom(frame, isDroppable) ? super.sendFrame(frame) : 0;
  }

  /** Sends a message that others get too. Returns whether it did, and closes when it could neither send nor drop it. */
  sendShared(message: SharedMessage, isDroppable?: boolean): boolean {
    const hasRoom = this.#hasRoom(message.text, isDroppable);
    if (hasRoom) this.outbox.pushShared(message);
    return hasRoom;
  }

  #hasRoom({ length }: string, isDroppable = false): boolean {
    this.#atMostWaiting += 3 * length;
    if (this.#atMostWaiting <= this.#maxOutboxBytes) return true;
    const { backlog } = this.outbox;
    this.#atMostWaiting = backlog + 3 * length;
    if (backlog <= this.#maxOutboxBytes) return true;
    if (isDroppable) this.#noteDropped();
    else this.#giveUp();
    return false;
  }

  /** Once for a connection; the metrics count each. */
  #noteDropped(): void {
    const { apiName, logger } = this.endpoint;
    if (!this.#hasDropped) logger.warn(`${apiName}: messages are dropped, since their peer reads too slowly`);
    this.#hasDropped = true;
  }

  #giveUp(): void {
    const { apiName, logger, metrics } = this.endpoint;
    logger.warn(`${apiName}: a connection is closed, since its peer reads too slowly`);
    metrics?.sent("unknown", "SLOW_CONSUMER");
    this.outbox.discard();
    this.close(CloseCode.TRY_AGAIN_LATER, "Too slow to read");
  }
}

/** Hands a message on in the frame that others got, when nothing else goes with it. */
class ServerOutbox extends Outbox {
  #shared: SharedMessage | undefined;

  /** Bytes that wait here, as far as can be told without encoding them, and below. */
  get backlog(): number {
    return this.waiting.reduce((sum, { length }) => sum + length, this.transport.backlog?.() ?? 0);
  }

  pushShared(message: SharedMessage): void {
    this.#shared = message;
    this.push(message.text);
  }

  protected override handOver(messages: readonly string[]): void {
    const shared = this.#shared;
    this.#shared = undefined;
    const { transport } = this;
    if (shared && transport.sendShared && messages.length === 1 && messages[0] === shared.text) {
      transport.sendShared(shared);
    } else super.handOver(messages);
  }
}
