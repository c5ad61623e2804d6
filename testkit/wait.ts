import { type GGContractMethod, SERVER_ERROR } from "@grest-ts/schema";
import type { Arrival } from "./arrivals.js";
import type { Check } from "./compare.js";
import { type CallSite, GGSocketTestError, indent, show } from "./failure.js";
import { setTimeout } from "./runner.js";

/** What a test expects of the next messages of a method. */
export interface WaitPlan {
  readonly method: string;
  readonly path: string;
  readonly contract: GGContractMethod;
  readonly checks: readonly Check[];
  readonly times: number;
  /** What requests are answered with, and after how many ms. */
  readonly reply: unknown;
  readonly delay: number;
  readonly site: CallSite;
  describeFrames(): string;
  /** Nobody waits any more. */
  release(wait: Wait): void;
}

/** A test's wait for messages of one method. The first that does not fit ends it. */
export class Wait {
  readonly plan: WaitPlan;
  /** The payloads so far. */
  readonly received: unknown[] = [];
  /** Why it cannot be met any more. */
  failure: GGSocketTestError | undefined;
  /** Resolves when all have come and, where they are requests, have been answered. */
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
    // Whoever waits hears of it; nobody may be waiting yet.
    this.done.catch(() => {});
  }

  /** What has not come yet, for a message. */
  get missing(): string {
    const { path, checks, times } = this.plan;
    const asked = checks.map(({ relation, expected }) => `\n  ${relation}:\n${indent(show(expected))}`);
    const count = times === 1 ? "" : ` (${this.received.length} of ${times} came)`;
    return `${path}${count}${asked.join("")}`;
  }

  /** Takes the next message. Returns whether it was the last one that this waits for. */
  take(arrival: Arrival): boolean {
    const { contract, checks, times, reply, delay } = this.plan;
    let value: unknown;
    if (contract.input) {
      const parsed = contract.input.safeParse(arrival.data, true);
      if (!parsed.success) {
        return this.#refuse(arrival, "a payload that does not fit the contract", {
          more: `Received:\n${show(arrival.data)}\n\nIssues:\n${show(parsed.issues.toJSON())}`,
        });
      }
      value = parsed.value;
    }
    for (const check of checks) {
      const mismatch = check.mismatch(value);
      if (mismatch) return this.#refuse(arrival, "the payload is not as expected", { check, mismatch });
    }
    this.received.push(value);
    if (arrival.answer) this.#answers.push(answerLater(arrival.answer, reply, delay));
    if (this.received.length < times) return false;
    Promise.all(this.#answers).then(this.#resolve);
    return true;
  }

  /** Gives up what has not come yet. */
  abandon(): void {
    this.plan.release(this);
  }

  #refuse(arrival: Arrival, headline: string, details: object): true {
    arrival.answer?.(refusal(`${arrival.path}: the test expected another request`));
    const { site } = this.plan;
    const frames = this.plan.describeFrames();
    this.failure = new GGSocketTestError(`${arrival.path}: ${headline}`, { ...details, frames, site });
    this.#reject(this.failure);
    return true;
  }
}

/** What a request is answered with that the test has no answer to. */
export function refusal(displayMessage: string): typeof SERVER_ERROR.infer {
  return new SERVER_ERROR({ displayMessage });
}

async function answerLater(answer: (reply: unknown) => void, reply: unknown, delay: number): Promise<void> {
  if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
  answer(reply);
}
