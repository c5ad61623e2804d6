/** Query arguments as text; a list is an argument that is repeated. */
export type QueryArgs = Record<string, string | readonly string[]>;

/** The text after the `?` of a URL: what `base` has, as it is written, but for arguments of the same name, and these. */
export function encodeQuery(args: QueryArgs, base = ""): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(args)) for (const text of [value].flat()) query.append(name, text);
  const isKept = (part: string) => part && ![...new URLSearchParams(part).keys()].some((name) => query.has(name));
  return [...base.replace("?", "").split("&").filter(isKept), `${query}`].filter(Boolean).join("&");
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
