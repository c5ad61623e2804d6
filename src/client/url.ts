import { serverError } from "../connection/methods/outcome.js";

/** Query arguments as text; a list is a parameter that is repeated. */
export type QueryArgs = Record<string, string | readonly string[]>;

/**
 * The URL to open: `base` with its scheme made `ws:` or `wss:`, the path, and the query.
 *
 * @throws SERVER_ERROR when `base` is not a `ws`, `wss`, `http` or `https` URL with a host
 */
export function socketUrl(base: string, path: string, query: Readonly<QueryArgs>): string {
  const [, secure, host] = /^(?:ws|http)(s?):\/\/([^/?#\s]+)/i.exec(base) ?? [];
  if (!host) throw serverError(`"${withoutSecrets(base)}" is not a ws(s):// or http(s):// URL`, "invalid-input");
  const args = Object.entries(query).flatMap(([name, value]) => [value].flat().map((one) => [name, one]));
  const search = `${new URLSearchParams(args)}`;
  return `ws${secure}://${host}${absolutePath(path)}${search && `?${search}`}`;
}

/** A path with its leading slash. */
export function absolutePath(path: string): string {
  return path.replace(/^\/?/, "/");
}

/** A text without the credentials and the queries of the URLs in it, for errors and keys. */
export function withoutSecrets(text: string): string {
  return `${text}`.replace(/(\/\/|^)[^/?#\s]*@|\?\S+/g, "$1");
}
