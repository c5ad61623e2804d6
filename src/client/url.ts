import { serverError } from "../socket/outcome.js";

/**
 * The URL to open: `base` with its scheme made `ws:` or `wss:`, the path, and the query.
 *
 * @throws SERVER_ERROR when `base` is not a `ws`, `wss`, `http` or `https` URL with a host
 */
export function socketUrl(base: string, path: string, query: Readonly<Record<string, string>>): string {
  const [, secure, host] = /^(?:ws|http)(s?):\/\/([^/?#\s]+)/i.exec(base) ?? [];
  if (!host) throw serverError(`"${base}" is not a ws(s):// or http(s):// URL`);
  const search = `${new URLSearchParams(query)}`;
  return `ws${secure}://${host}${path.replace(/^\/?/, "/")}${search && `?${search}`}`;
}
