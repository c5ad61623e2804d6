import type { Connection } from "../../connection/connection.js";
import type { Gate, Refusal } from "../../connection/endpoint.js";
import type { CompiledMethod } from "../../connection/methods/compiledMethod.js";
import { serverError } from "../../connection/methods/outcome.js";
import { CloseCode } from "../../protocol/closeCodes.js";
import { refusal, type Scopes } from "../handshake/permissions.js";
import { TokenBucket } from "./tokenBucket.js";

/** What a connection may send; see `GGWebSocketLimits`. */
export interface MessageLimits {
  readonly maxRequestsInFlight: number;
  readonly messagesPerSecond: number;
  readonly messageBurst: number;
}

/** Nobody waits for messages, so that bursts of them are usual; and yet a request must not go by that name without end. */
const MESSAGES_PER_REQUEST = 10;

/** What one connection may do: how often, how much at once, and what with its scopes. */
export class ConnectionGate implements Gate {
  readonly #connection: Connection;
  readonly #limits: MessageLimits;
  readonly #scopes: Scopes;
  /** Only where messages are limited. */
  readonly #bucket: TokenBucket | undefined;
  /** Refusals for their rate since a message last passed. */
  #refused = 0;
  #hasLogged = false;

  constructor(connection: Connection, limits: MessageLimits, scopes: Scopes) {
    this.#connection = connection;
    this.#limits = limits;
    this.#scopes = scopes;
    const { messageBurst, messagesPerSecond } = limits;
    if (messagesPerSecond !== Number.POSITIVE_INFINITY) this.#bucket = new TokenBucket(messagesPerSecond, messageBurst);
  }

  refusal(method: CompiledMethod | undefined, isRequest: boolean): Refusal | undefined {
    const { maxRequestsInFlight, messagesPerSecond } = this.#limits;
    if (this.#bucket && this.#isTooMuch(this.#bucket)) {
      return this.#limit("RATE_LIMITED", `more than ${messagesPerSecond} messages in a second: send fewer`);
    }
    const { runningRequests, running } = this.#connection.inbox;
    if (isRequest && runningRequests >= maxRequestsInFlight) {
      return this.#limit("TOO_MANY_REQUESTS", `${maxRequestsInFlight} requests are in flight: await some of them`);
    }
    const maxRunning = MESSAGES_PER_REQUEST * maxRequestsInFlight;
    if (!isRequest && method && running.length >= maxRunning) {
      return this.#limit("TOO_MANY_REQUESTS", `${maxRunning} messages are being handled: send fewer`);
    }
    const error = method && refusal(method.permission, this.#scopes, method.path);
    return error && { error, result: error.type };
  }

  ignores(): boolean {
    const refusal = this.refusal(undefined, false);
    if (refusal) this.#connection.endpoint.metrics?.handled("unknown", refusal.result);
    return refusal !== undefined;
  }

  #isTooMuch(bucket: TokenBucket): boolean {
    if (bucket.take()) {
      this.#refused = 0;
      return false;
    }
    if (++this.#refused > 2 * this.#limits.messageBurst) {
      this.#connection.close(CloseCode.POLICY_VIOLATION, "Too many messages");
    }
    return true;
  }

  #limit(result: string, why: string): Refusal {
    const { apiName, logger } = this.#connection.endpoint;
    if (!this.#hasLogged) logger.warn(`${apiName}: messages of a connection are refused, ${why}`, { result });
    this.#hasLogged = true;
    return { error: serverError(`${apiName}: ${why}`), result };
  }
}
