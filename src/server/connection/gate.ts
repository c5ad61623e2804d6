import type { MessageRejection } from "../../connection/endpoint.js";
import type { CompiledMethod } from "../../connection/methods/compiledMethod.js";
import { serverError } from "../../connection/methods/outcome.js";
import { checkPermission, type Scopes } from "../handshake/permissions.js";
import type { Limits } from "../limits.js";
import { TokenBucket } from "./tokenBucket.js";

/** A rejection, and what else its connection has to do. */
export interface GateRejection extends MessageRejection {
  /** What to log: the first time that a limit of the connection is reached. */
  readonly warning?: string | undefined;
  /** Whether the peer exceeds its rate so often that the connection must be closed. */
  readonly mustClose?: boolean;
}

/** What is being handled on a connection. */
export interface Load {
  readonly running: { readonly length: number };
  readonly runningRequests: number;
}

/** Messages have no reply, so bursts of them are usual; without a limit they would bypass that of requests. */
const MESSAGES_PER_REQUEST = 10;

/** Decides what one connection may do: how often, how much at once, and what with its scopes. */
export class ConnectionGate {
  readonly #apiName: string;
  readonly #limits: Limits;
  readonly #scopes: Scopes;
  /** Only where messages are limited. */
  readonly #bucket: TokenBucket | undefined;
  /** Rejections for their rate since a message last passed. */
  #rejected = 0;
  #hasWarned = false;

  constructor(apiName: string, limits: Limits, scopes: Scopes) {
    this.#apiName = apiName;
    this.#limits = limits;
    this.#scopes = scopes;
    const { messageBurst, messagesPerSecond } = limits;
    if (messagesPerSecond !== Number.POSITIVE_INFINITY) this.#bucket = new TokenBucket(messagesPerSecond, messageBurst);
  }

  /**
   * Admits a message, or says why not. `method` is absent when there is none of that name, `isRequest` for what is neither
   * a message nor a request.
   */
  admit(method: CompiledMethod | undefined, isRequest: boolean | undefined, load: Load): GateRejection | undefined {
    const { messageBurst, messagesPerSecond } = this.#limits;
    if (this.#bucket?.take() === false) {
      const mustClose = ++this.#rejected > 2 * messageBurst;
      return this.#reject("RATE_LIMITED", `more than ${messagesPerSecond} messages in a second: send fewer`, mustClose);
    }
    this.#rejected = 0;
    const tooMany = this.admitHeld(isRequest, load);
    if (tooMany) return tooMany;
    try {
      const error = method && checkPermission(method.permission, this.#scopes, method.path);
      return error && { error, result: error.type };
    } catch (thrown) {
      const error = serverError(`${method?.path}: the scopes of the permission resolver failed`, "failed", {
        cause: thrown,
      });
      return { error, result: error.type, warning: error.context?.displayMessage };
    }
  }

  /** Admits what was admitted before, and has waited since: others may be running by now. */
  admitHeld(isRequest: boolean | undefined, load: Load): GateRejection | undefined {
    const { maxRequestsInFlight } = this.#limits;
    if (isRequest && load.runningRequests >= maxRequestsInFlight) {
      return this.#reject("TOO_MANY_REQUESTS", `${maxRequestsInFlight} requests are in flight: await some of them`);
    }
    const maxMessages = MESSAGES_PER_REQUEST * maxRequestsInFlight;
    if (isRequest === false && load.running.length >= maxMessages) {
      return this.#reject("TOO_MANY_REQUESTS", `${maxMessages} messages are being handled: send fewer`);
    }
    return undefined;
  }

  #reject(result: string, why: string, mustClose = false): GateRejection {
    const warning = this.#hasWarned ? undefined : `${this.#apiName}: messages of a connection are refused, ${why}`;
    this.#hasWarned = true;
    return { error: serverError(`${this.#apiName}: ${why}`, "limit"), result, warning, mustClose };
  }
}
