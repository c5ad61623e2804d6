import type { GGSocketMethod } from "../src/api/contract.js";
import { serverError } from "../src/connection/methods/outcome.js";
import { validated } from "../src/connection/methods/validated.js";
import type { Check } from "./compare.js";
import { type CallSite, GGSocketTestError, indent, show } from "./failure.js";
import type { ReceivedMessage } from "./receivedMessage.js";
import { setTimeout } from "./runner.js";

/** What a test expects of the next messages of a method. */
export interface WaitPlan {
  readonly method: string;
  readonly path: string;
  readonly contract: GGSocketMethod;
  readonly checks: readonly Check[];
  readonly times: number;
  /** The answer to requests, and its delay in ms. */
  readonly reply: unknown;
  readonly delay: number;
  readonly site: CallSite;
  describeFrames(): string;
  /** Removes the wait from its connection. */
  release(wait: Wait): void;
}

/** A test's wait for messages of one method. The first mismatch ends it. */
export class Wait {
  readonly plan: WaitPlan;
  /** The payloads so far. */
  readonly received: unknown[] = [];
  /** Why it can no longer be met. */
  failure: GGSocketTestError | undefined;
  /** Resolves when all messages have arrived and all requests are answered. */
  readonly done: Promise<void>;
  readonly #answers: Promise<void>[] = [];
  #resolve!: () => void;
  #reject!: (error: GGSocketTestError) => void;

  constructor(plan: WaitPlan) {
    this.plan = plan;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Avoids an unhandled rejection when it fails before it is awaited.
    this.done.catch(() => {});
  }

  /** The missing messages, as text for a failure. */
  get missing(): string {
    const { path, checks, times } = this.plan;
    const asked = checks.map(({ relation, expected }) => `\n  ${relation}:\n${indent(show(expected))}`);
    const count = times === 1 ? "" : ` (${this.received.length} of ${times} received)`;
    return `${path}${count}${asked.join("")}`;
  }

  /** Takes the next message. Returns whether the wait is over. */
  take(message: ReceivedMessage): boolean {
    const { contract, checks, times, reply, delay } = this.plan;
    let value: unknown;
    if (contract.input) {
      const parsed = validated(contract.input, message.data);
      if (parsed.issues) {
        return this.#refuse(message, "a payload that does not fit the contract", {
          more: `Received:\n${show(message.data)}\n\nIssues:\n${show(parsed.issues)}`,
        });
      }
      value = parsed.value;
    }
    for (const check of checks) {
      const mismatch = check.mismatch(value);
      if (mismatch) return this.#refuse(message, "the payload is not as expected", { check, mismatch });
    }
    this.received.push(value);
    if (message.answer) this.#answers.push(answerLater(message.answer, reply, delay));
    if (this.received.length < times) return false;
    Promise.all(this.#answers).then(this.#resolve);
    return true;
  }

  /** Stops waiting. */
  abandon(): void {
    this.plan.release(this);
  }

  #refuse(message: ReceivedMessage, headline: string, details: object): true {
    message.answer?.(serverError(`${message.path}: the test expected another request`));
    const { site } = this.plan;
    const frames = this.plan.describeFrames();
    this.failure = new GGSocketTestError(`${message.path}: ${headline}`, { ...details, frames, site });
    this.#reject(this.failure);
    return true;
  }
}

async function answerLater(answer: (reply: unknown) => void, reply: unknown, delay: number): Promise<void> {
  if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
  answer(reply);
}
