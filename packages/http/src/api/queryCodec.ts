type QueryArgs = Record<string, string | string[]>;

/** Ends the name of an argument whose value is JSON. */
const JSON_MARK = ":json";
/** Ends the name of an argument that is a list even with a single item. */
const LIST_MARK = "[]";

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean";

const isPlainObject = (value: unknown): value is Record<string, unknown> => {
  if (typeof value !== "object" || value === null) return false;
  const proto: unknown = Object.getPrototypeOf(value);
  return proto === Object.prototype || proto === null;
};

/**
 * An input as query arguments: scalars as text, lists of scalars as a repeated `name[]`, everything else as JSON under
 * `name:json`. An input that is no object is sent whole, as `:json`. Numbers and booleans come back as text and are
 * coerced by the contract's validator.
 */
export function encodeQuery(input: unknown): QueryArgs {
  if (input === undefined) return {};
  if (!isPlainObject(input)) return { [JSON_MARK]: JSON.stringify(input) };
  const args: QueryArgs = {};
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined) continue;
    if (isScalar(value)) args[name] = String(value);
    else if (Array.isArray(value) && value.length > 0 && value.every(isScalar)) {
      args[name + LIST_MARK] = value.map(String);
    } else args[name + JSON_MARK] = JSON.stringify(value);
  }
  return args;
}

/** The input back from query arguments; undefined when there are none. Throws a SyntaxError on invalid JSON. */
export function decodeQuery(args: QueryArgs): unknown {
  const entries = Object.entries(args);
  if (entries.length === 0) return undefined;
  const input: Record<string, unknown> = {};
  for (const [name, value] of entries) {
    if (name === JSON_MARK) return JSON.parse(String(value));
    if (name.endsWith(JSON_MARK)) put(input, name.slice(0, -JSON_MARK.length), JSON.parse(String(value)));
    else if (name.endsWith(LIST_MARK)) put(input, name.slice(0, -LIST_MARK.length), [value].flat());
    else put(input, name, value);
  }
  return input;
}

/** Query text as arguments; a repeated name becomes a list. */
export function parseQuery(text: string): QueryArgs {
  const args: QueryArgs = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const before = Object.hasOwn(args, name) ? args[name] : undefined;
    put(args, name, before === undefined ? value : [before, value].flat());
  }
  return args;
}

/** Arguments as query text, with its question mark; empty without arguments. */
export function formatQuery(args: QueryArgs): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(args)) {
    for (const item of [value].flat()) params.append(name, item);
  }
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}

/** Names come from the peer: with a plain assignment, `__proto__` would set the prototype. */
function put<T>(target: Record<string, T>, name: string, value: T): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}
