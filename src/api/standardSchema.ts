import type { GGValidator } from "@grest-ts/schema";

/**
 * A validator as zod, valibot, arktype and others make it: the part of Standard Schema (https://standardschema.dev)
 * that this package uses. Contracts take it wherever they take a validator of `@grest-ts/schema`.
 *
 * @typeParam Input what may be given to it
 * @typeParam Output what it makes of that
 */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  /** What all these libraries have in common. */
  readonly "~standard": {
    /** The version of Standard Schema. */
    readonly version: 1;
    /** The name of the library, such as `"zod"`; it is a part of the codes of its issues. */
    readonly vendor: string;
    /** Checks a value: its output, or its issues. A promise is not supported. */
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    /** Both types. For the compiler only. */
    readonly types?:
      | {
          /** What may be given to it. */
          readonly input: Input;
          /** What it makes of that. */
          readonly output: Output;
        }
      | undefined;
  };
}

/** What a Standard Schema makes of a value. */
export type StandardResult<Output> =
  | {
      /** The output. */
      readonly value: Output;
      /** None: the value passes. */
      readonly issues?: undefined;
    }
  | {
      /** What is wrong with the value. */
      readonly issues: readonly StandardIssue[];
    };

/** One fault that a Standard Schema found in a value. */
export interface StandardIssue {
  /** What is wrong, for people. */
  readonly message: string;
  /** Where in the value: keys, or objects with a key. Absent for the value as a whole. */
  readonly path?:
    | readonly (
        | PropertyKey
        | {
            /** The key. */
            readonly key: PropertyKey;
          }
      )[]
    | undefined;
}

/** A validator of `@grest-ts/schema`, or of another library, that makes a `T` of what it is given. */
export type AnyValidator<T> = GGValidator<T> | StandardSchemaV1<unknown, T>;
