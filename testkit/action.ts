import { bindMembers } from "../src/connection/bindMembers.js";
import {
  arrayToContain,
  type Check,
  toEqual as checkEqual,
  toHaveLength as checkLength,
  toMatchObject as checkMatch,
  toBeUndefined as checkUndefined,
} from "./compare.js";
import { type CallSite, GGSocketTestError } from "./failure.js";
import type { GGExpected, GGMember, GGPartial } from "./types.js";

/** Tracks actions, so that one which is never awaited fails the test. */
export interface ActionLedger {
  made(action: PendingAction): void;
  used(action: PendingAction): void;
}

/** An action that has not begun. */
export interface PendingAction {
  readonly path: string;
  readonly site: CallSite;
}

/**
 * Something that a test does or waits for, with its expectations of the outcome. It starts when it is first awaited and
 * runs once. Expectations are checked in the order in which they are written.
 *
 * @typeParam TResult what awaiting it resolves to
 * @typeParam TChecked what the expectations are about
 */
export abstract class GGSocketTestAction<TResult, TChecked = TResult> implements Promise<TResult> {
  /** The method's path on the wire, such as `ChatApi.sendMessage`. */
  readonly path: string;
  /** @internal */
  readonly site: CallSite;
  /** @internal */
  readonly checks: Check[] = [];
  readonly #ledger: ActionLedger;
  #running: Promise<TResult> | undefined;
  #isUsed = false;

  /** @internal Made by `callOn`. */
  constructor(ledger: ActionLedger, path: string, site: CallSite) {
    this.#ledger = ledger;
    this.path = path;
    this.site = site;
    bindMembers(this);
  }

  /** `"GGSocketTestAction"`: part of being a `Promise`. */
  get [Symbol.toStringTag](): string {
    return "GGSocketTestAction";
  }

  /** Expects the value to equal this one, which may contain asymmetric matchers of the test runner at any depth. */
  toEqual(expected: GGExpected<TChecked>): this {
    return this.#expect(checkEqual(expected));
  }

  /** Expects the value to have at least these members, at every depth. */
  toMatchObject(expected: GGPartial<GGExpected<TChecked>>): this {
    return this.#expect(checkMatch(expected));
  }

  /** Expects no value, as methods without `success` and pushes without `input` have. */
  toBeUndefined(): this {
    return this.#expect(checkUndefined());
  }

  /** Expects an array or a string of this length. */
  toHaveLength(length: number): this {
    return this.#expect(checkLength(length));
  }

  /** Expects an array in which each of these is matched by a member, in any order. */
  arrayToContain(...members: readonly GGPartial<GGMember<GGExpected<TChecked>>>[]): this {
    return this.#expect(arrayToContain(members, false));
  }

  /** Expects an array in which each of these is equalled by a member, in any order. */
  arrayToContainEqual(...members: readonly GGMember<GGExpected<TChecked>>[]): this {
    return this.#expect(arrayToContain(members, true));
  }

  // biome-ignore lint/suspicious/noThenProperty: this class exists to be awaited.
  then<R1 = TResult, R2 = never>(
    onfulfilled?: ((value: TResult) => R1 | PromiseLike<R1>) | null,
    onrejected?: ((reason: unknown) => R2 | PromiseLike<R2>) | null,
  ): Promise<R1 | R2> {
    if (!this.#running) {
      this.use();
      this.#running = this.run();
    }
    return this.#running.then(onfulfilled, onrejected);
  }

  catch<R = never>(onrejected?: ((reason: unknown) => R | PromiseLike<R>) | null): Promise<TResult | R> {
    return this.then(undefined, onrejected);
  }

  finally(onfinally?: (() => void) | null): Promise<TResult> {
    return this.then().finally(onfinally);
  }

  /** @internal Starts the action; no expectation can be added afterwards. */
  use(): void {
    if (this.#isUsed) throw new GGSocketTestError(`${this.path}: it is awaited, or passed to with(), a second time`);
    this.#isUsed = true;
    this.#ledger.used(this);
  }

  /** Records that the action has expectations, so it must be awaited. */
  protected configured(): this {
    if (this.#isUsed) throw new GGSocketTestError(`${this.path}: it has started; add expectations before awaiting it`);
    this.#ledger.made(this);
    return this;
  }

  /** Does what the action is for, once it is awaited. */
  protected abstract run(): Promise<TResult>;

  #expect(check: Check): this {
    this.checks.push(check);
    return this.configured();
  }
}
