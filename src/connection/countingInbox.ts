import { type Frame, FrameType } from "../protocol/frame.js";
import type { Transport } from "../transport/transport.js";
import { Inbox } from "./inbox.js";
import type { IncomingMessage } from "./incomingMessage.js";
import type { CompiledMethod } from "./methods/compiledMethod.js";

/** An inbox in Node: counts requests, takes only what its connection admits, and pauses reading while too much waits. */
export class CountingInbox extends Inbox {
  /** How many of the running handlers are those of requests. */
  runningRequests = 0;
  /** How many requests have arrived, minus the cancellations. */
  #cancellable = 0;

  override handlerStarted(message: IncomingMessage): void {
    super.handlerStarted(message);
    if (message.isRequest) this.runningRequests++;
  }

  override handlerEnded(message: IncomingMessage): void {
    super.handlerEnded(message);
    if (message.isRequest) this.runningRequests--;
  }

  override expectReply(): void {
    if (this.held?.length) this.#transport.keepReading?.();
    super.expectReply();
  }

  /** Searches are limited: each costs the peer one request. */
  override abortRequest(id: string): void {
    if (this.#cancellable === 0) return;
    this.#cancellable--;
    super.abortRequest(id);
  }

  /**
   * A caller without permission is answered before the payload is read. What has waited is admitted once more, since
   * others may be running by now.
   */
  protected override admits(frame: Frame, method?: CompiledMethod, wasHeld?: boolean): boolean {
    const isRequest = frame.type === FrameType.REQUEST;
    if (isRequest && !wasHeld) this.#cancellable++;
    const rejection = this.ofConnection.admit(method, isRequest, wasHeld);
    if (rejection) this.message(frame, method).fail(rejection.error, rejection.result);
    return !rejection;
  }

  /** Reading pauses where too much waits, and goes on when nothing does. */
  protected override hasRoom(held: readonly Frame[], another: Frame): boolean {
    const isReplyDue = this.ofConnection.calls.size > 0;
    return super.hasRoom(held, another) && this.#transport.hold?.(another.payload.length, isReplyDue) !== false;
  }

  protected override receiveHeld(held: readonly Frame[]): void {
    if (!this.held) this.#transport.resume?.();
    super.receiveHeld(held);
  }

  get #transport(): Transport {
    return this.ofConnection.outbox.underlyingTransport;
  }
}
