declare const GG_BRAND: unique symbol;
declare const GG_BASE: unique symbol;

/**
 * Marks a type with the name `B`, and records the marked type. Exists for the compiler only: a branded value is the
 * plain value at run time.
 */
export interface GGBrand<B extends string, Base = unknown> {
  readonly [GG_BRAND]: { readonly [K in B]: true };
  readonly [GG_BASE]: Base;
}

/** `T` marked with the name `B`; null and undefined stay unmarked. */
// Not a conditional type, which would hide from the compiler that a GGSchema is covariant.
export type GGBranded<T, B extends string> = (T & GGBrand<B, NonNullable<T>>) | (T & (null | undefined));

/** `T` without undefined. */
export type GGDefined<T> = NonNullable<T> | (T & null);

/** Marker of whole numbers. */
// biome-ignore lint/complexity/noBannedTypes: only an interface, not a primitive, can be extended.
export interface int extends Number {
  readonly [GG_BRAND]: { readonly int: true };
  readonly [GG_BASE]: number;
}

/** Marker of whole numbers from zero. */
export interface uint extends int {
  readonly [GG_BRAND]: { readonly int: true; readonly uint: true };
}

/** A whole number that `IsInt` has checked. */
export type tInt = number & int;

/** A whole number from zero that `IsUint` has checked. */
export type tUint = number & uint;

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

/**
 * `T` without its brands, at every depth: what a caller may pass where a validator returns a branded type.
 * Literal types stay; dates, functions and other built-ins are left alone.
 */
export type Raw<T> = 0 extends 1 & T
  ? T
  : unknown extends T
    ? T
    : T extends { readonly [GG_BASE]: infer Base }
      ? Raw<Base>
      : T extends string | number | boolean | bigint | symbol | null | undefined
        ? T
        : T extends Untouched
          ? T
          : { [K in keyof T]: Raw<T[K]> };
