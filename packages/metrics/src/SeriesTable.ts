import type { GGMetricKey } from "./GGMetricKey.js";
import { type AnyLabels, GG_METRICS_OVERFLOW, labelText } from "./labels.js";

/** One label combination and its value. */
export interface Series<T> {
  readonly labels: readonly string[];
  readonly value: T;
}

/** A level of the tree: the last label's level holds the series, every other one the next level. */
type Node<T> = Map<string, Node<T> | Series<T>>;

/**
 * The series of one metric, found by their label values. A tree of Maps, one level per label: a look-up needs no joined
 * key text, which would be most of its cost, and values that contain separators cannot collide.
 */
export class SeriesTable<T> {
  readonly #names: readonly string[];
  readonly #limit: number;
  readonly #create: () => T;
  #root: Node<T> = new Map();
  /** Series by frozen labels object. */
  #frozen = new WeakMap<AnyLabels, T>();
  #all: Series<T>[] = [];
  #overflow: Series<T> | undefined;

  constructor(key: GGMetricKey, create: () => T) {
    this.#names = key.labelNames;
    this.#limit = key.maxLabelCombinations;
    this.#create = create;
  }

  /** The value for these labels, or undefined when nothing was measured for them. */
  peek(labels: AnyLabels | undefined): T | undefined {
    const names = this.#names;
    if (names.length === 0) return this.#all[0]?.value;
    let node: Node<T> | Series<T> | undefined = this.#root;
    for (let i = 0; i < names.length; i++) {
      node = (node as Node<T>).get(labelText(labels?.[names[i] as string]));
      if (node === undefined) {
        return names.every((name) => labels?.[name] === GG_METRICS_OVERFLOW) ? this.#overflow?.value : undefined;
      }
    }
    return (node as Series<T>).value;
  }

  /** The value for these labels, new when there is none; the shared one when the limit is reached. */
  obtain(labels: AnyLabels | undefined): T {
    const known = labels && this.#frozen.get(labels);
    if (known !== undefined) return known;
    const value = this.#find(labels);
    if (labels && Object.isFrozen(labels)) this.#frozen.set(labels, value);
    return value;
  }

  #find(labels: AnyLabels | undefined): T {
    const names = this.#names;
    let node: Node<T> | Series<T> | undefined = names.length === 0 ? this.#all[0] : this.#root;
    for (let i = 0; i < names.length && node !== undefined; i++) {
      node = (node as Node<T>).get(labelText(labels?.[names[i] as string]));
    }
    return node === undefined ? this.#add(labels) : (node as Series<T>).value;
  }

  /** Every series, the shared one last. */
  list(): readonly Series<T>[] {
    return this.#overflow === undefined ? this.#all : [...this.#all, this.#overflow];
  }

  clear(): void {
    this.#root = new Map();
    this.#frozen = new WeakMap();
    this.#all = [];
    this.#overflow = undefined;
  }

  #add(labels: AnyLabels | undefined): T {
    const names = this.#names;
    if (this.#all.length >= this.#limit) {
      this.#overflow ??= { labels: names.map(() => GG_METRICS_OVERFLOW), value: this.#create() };
      return this.#overflow.value;
    }
    const values = names.map((name) => labelText(labels?.[name]));
    const series: Series<T> = { labels: values, value: this.#create() };
    this.#all.push(series);
    let node = this.#root;
    values.forEach((value, i) => {
      if (i === values.length - 1) {
        node.set(value, series);
        return;
      }
      let next = node.get(value) as Node<T> | undefined;
      if (next === undefined) {
        next = new Map();
        node.set(value, next);
      }
      node = next;
    });
    return series.value;
  }
}
