import type { $ZodType, ParseContextInternal } from "zod/v4/core";

/** The most issues that a validation reports. It stops once it has found as many, which bounds what it costs. */
export const MAX_ISSUES = 100;

/** The validators of a union's variants. */
export interface Variants {
  readonly nodes: readonly $ZodType[];
  /** The same for the same variants. */
  readonly key: object;
}

/** What the variants of a union make of a value. */
type Outcome = { readonly value: unknown } | "no variant";

/** One pass over a value. zod hands it to every node as its context. */
export class Pass implements ParseContextInternal {
  readonly async = false;
  /** Whether to stop at the next issue: read by zod's nodes and by those of this package. */
  abortEarly: boolean;
  /** How many issues were found so far. */
  found = 0;
  /** The pass for what has to be valid or not, whose issues are not reported. */
  #probe: Pass | undefined;
  /** Of how many unions the current value is a part. */
  #depth = 0;
  #outcomes: Map<object, Map<object, Outcome>> | undefined;

  private constructor(isProbe: boolean) {
    this.abortEarly = isProbe;
    if (isProbe) this.#probe = this;
  }

  /** One that finds out whether a value is valid, and stops at the first issue. */
  static probing(): Pass {
    return new Pass(true);
  }

  /** One that collects issues, up to the bound. */
  static collecting(): Pass {
    return new Pass(false);
  }

  get probe(): Pass {
    this.#probe ??= Pass.probing();
    return this.#probe;
  }

  /** Notes how many issues were found by now. Returns whether to stop. */
  foundIssues(count: number): boolean {
    this.found = count;
    if (count >= MAX_ISSUES) this.abortEarly = true;
    return this.abortEarly;
  }

  /**
   * What the first variant that takes a value makes of it. Inside of another union this is kept: all variants of that
   * one ask for it, and so on at every level of a recursive shape.
   */
  outcomeOf({ nodes, key }: Variants, value: unknown): Outcome {
    if (this.#depth === 0 || typeof value !== "object" || value === null) return this.#tryAll(nodes, value);
    this.#outcomes ??= new Map();
    let outcomes = this.#outcomes.get(key);
    if (!outcomes) {
      outcomes = new Map();
      this.#outcomes.set(key, outcomes);
    }
    let outcome = outcomes.get(value);
    if (!outcome) {
      outcome = this.#tryAll(nodes, value);
      outcomes.set(value, outcome);
    }
    return outcome;
  }

  #tryAll(nodes: readonly $ZodType[], value: unknown): Outcome {
    let outcome: Outcome = "no variant";
    this.#depth++;
    for (const node of nodes) {
      const result = sync(node._zod.run({ value, issues: [] }, this));
      if (result.issues.length > 0) continue;
      outcome = result;
      break;
    }
    this.#depth--;
    return outcome;
  }
}

/** zod's nodes return promises only where a check does, and none here may. */
export function sync<T extends object>(result: T | Promise<T>): T {
  return result as T;
}
