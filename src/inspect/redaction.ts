import { type SchemaPart, withOthers } from "./schemaPart.js";

/** What is shown in place of a value. */
export const REDACTED = "[redacted]";

/** Names of members that are likely to be secrets. */
const SENSITIVE_NAMES = /passw|secret|token|authorization|cookie|credential|api[-_]?key/i;

/** How deep a payload is shown. */
const MAX_DEPTH = 50;

/** A dotted path, as the segments that are left of it. */
type Path = readonly string[];

/** Copies payloads without what must not be shown of them. */
export class Redaction {
  readonly #paths: readonly Path[];
  readonly #names: RegExp | undefined;

  constructor(paths: readonly string[] = [], names: RegExp | false = SENSITIVE_NAMES) {
    this.#paths = paths.map((path) => path.split("."));
    // One that is global or sticky would remember where it was.
    this.#names = names ? new RegExp(names.source, names.flags.replace(/[gy]/g, "")) : undefined;
  }

  /** A copy to be shown, of what JSON can say. `schema` describes the value, as far as that is known. */
  apply(value: unknown, schema: Iterable<SchemaPart> = []): unknown {
    return this.#copy(value, this.#paths, withOthers(schema), 0);
  }

  #copy(value: unknown, paths: readonly Path[], schema: ReadonlySet<SchemaPart>, depth: number): unknown {
    const parts = [...schema];
    if (depth > MAX_DEPTH || parts.some(({ isSensitive }) => isSensitive)) return REDACTED;
    if (typeof value !== "object" || value === null) return value;
    const copyOf = (name: string, member: unknown) => {
      const left = paths.filter(([first]) => first === name || first === "*").map(([, ...others]) => others);
      if (left.some((path) => path.length === 0)) return REDACTED;
      const described = withOthers(parts.flatMap((part) => part.childrenOf(name)));
      return this.#copy(member, left, described, depth + 1);
    };
    if (Array.isArray(value)) return value.map((item, index) => copyOf(`${index}`, item));
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, this.#names?.test(name) ? REDACTED : copyOf(name, member)]),
    );
  }
}
