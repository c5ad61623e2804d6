declare const GG_BRAND: unique symbol;

/** Marks a type with the name `B`. Exists for the compiler only: a branded value is the plain value at run time. */
export interface GGBrand<B extends string> {
  readonly [GG_BRAND]: { readonly [K in B]: true };
}

/** `T` marked with the name `B`; null and undefined stay unmarked. */
// Not a conditional type: those keep the compiler from seeing at once that a GGSchema is covariant.
export type GGBranded<T, B extends string> = (T & GGBrand<B>) | (T & (null | undefined));

/** `T` without undefined. */
export type GGDefined<T> = NonNullable<T> | (T & null);

/** Marker of whole numbers. */
// biome-ignore lint/complexity/noBannedTypes: only an interface, not a primitive, can be extended.
export interface int extends Number {
  readonly [GG_BRAND]: { readonly int: true };
}

/** Marker of whole numbers from zero. */
export interface uint extends int {
  readonly [GG_BRAND]: { readonly int: true; readonly uint: true };
}

/** A whole number that `IsInt` has checked. */
export type tInt = number & int;

/** A whole number from zero that `IsUint` has checked. */
export type tUint = number & uint;

interface AnyBrand {
  readonly [GG_BRAND]: object;
}

// Peels brands off a primitive one at a time; what is left is the primitive or literal that was branded.
type RawPrimitive<T> = T extends infer U & uint
  ? RawPrimitive<U>
  : T extends infer U & int
    ? RawPrimitive<U>
    : T extends infer U & GGBrand<infer _>
      ? RawPrimitive<U>
      : T;

type Untouched =
  | ((...args: never[]) => unknown)
  | Date
  | RegExp
  | Error
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | Promise<unknown>
  | ArrayBuffer
  | ArrayBufferView;

type RawObject<T> = T extends readonly unknown[]
  ? { [K in keyof T]: Raw<T[K]> }
  : { [K in keyof T as K extends typeof GG_BRAND ? never : K]: Raw<T[K]> };

/**
 * `T` without its brands, at every depth: what a caller may pass where a validator returns a branded type.
 * Literal types stay; dates, functions and other built-ins are left alone.
 */
export type Raw<T> = 0 extends 1 & T
  ? T
  : unknown extends T
    ? T
    : T extends null | undefined
      ? T
      : T extends string | number | boolean | bigint | symbol
        ? T extends AnyBrand
          ? RawPrimitive<T>
          : T
        : T extends Untouched
          ? T
          : RawObject<T>;
