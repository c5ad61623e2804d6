/** Query arguments as text; a list is an argument that is repeated. */
export type QueryArgs = Record<string, string | readonly string[]>;

/** The text after the `?` of a URL: these arguments, and those of `base` that have another name. */
export function encodeQuery(args: QueryArgs, base?: string): string {
  const query = new URLSearchParams(base);
  for (const [name, value] of Object.entries(args)) {
    query.delete(name);
    for (const text of [value].flat()) query.append(name, text);
  }
  return `${query}`;
}

/** The arguments in the text after the `?` of a URL: a single text, or a list where one is repeated. */
export function parseQuery(query: string): QueryArgs {
  if (!query) return {};
  const args = new Map<string, string | string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    const before = args.get(name);
    if (before === undefined) args.set(name, value);
    else if (typeof before === "string") args.set(name, [before, value]);
    else before.push(value);
  }
  return Object.fromEntries(args);
}
