import type { GGSchema } from "@grest-ts/schema";
import { activeContext } from "./storage.js";

/** Options of a context key. */
export interface GGContextKeyOptions<T> {
  /** What the value is for. */
  readonly description?: string;
  /** What `get` returns when no context holds a value. */
  readonly defaultValue?: T;
}

/** Turns a key's value into text for one kind of carrier (a header, for example), and back. */
export interface GGContextCodec<T> {
  /** The text to send; undefined sends nothing. */
  encode(value: T): string | undefined;
  /** The received value, not yet validated. */
  decode(text: string): unknown;
}

/** A typed name for a value of the current context. Keys of the same name are the same value. */
export class GGContextKey<T> {
  /** What the value is for. */
  readonly description: string | undefined;
  /** What `get` returns when no context holds a value. */
  readonly defaultValue: T | undefined;
  #codecs: Map<string, GGContextCodec<T>> | undefined;

  constructor(
    readonly name: string,
    readonly schema: GGSchema<T>,
    options?: GGContextKeyOptions<T>,
  ) {
    this.description = options?.description;
    this.defaultValue = options?.defaultValue;
  }

  /** The value of the current context or its parents, else the default, also outside any context. */
  get(): T | undefined {
    return activeContext()?.get(this) ?? this.defaultValue;
  }

  /** Whether the current context or a parent holds a value (a default does not count). */
  has(): boolean {
    return activeContext()?.has(this) ?? false;
  }

  /** Sets the value on the current context; throws outside any. The schema is not applied. */
  set(value: T): void {
    const context = activeContext();
    if (context === undefined) {
      throw new Error(`Context key "${this.name}" cannot be set: no context is active.`);
    }
    context.set(this, value);
  }

  /** Removes the value of the current context; a parent's value becomes visible again. */
  delete(): void {
    activeContext()?.delete(this);
  }

  /** The value; throws unless a context holds one (a default does not count). */
  assert(): T {
    if (!this.has()) throw new Error(`Context named '${this.name}' is required, but not defined!`);
    return this.get() as T;
  }

  /** Registers how the value travels in carriers of `type`. */
  addCodec(type: string, codec: GGContextCodec<T>): void {
    this.#codecs ??= new Map();
    this.#codecs.set(type, codec);
  }

  /** The codec for carriers of `type`, if one was added. */
  getCodec(type: string): GGContextCodec<T> | undefined {
    return this.#codecs?.get(type);
  }
}
