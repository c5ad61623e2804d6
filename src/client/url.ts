import { serverError } from "../socket/outcome.js";

/**
 * The URL to open: `base` with its scheme made `ws:` or `wss:`, the path, and the query.
 *
 * @throws SERVER_ERROR when `base` is not a `ws`, `wss`, `http` or `https` URL
 */
export function socketUrl(base: string, path: string, query: Readonly<Record<string, string>>): string {
  const url = parse(base);
  const scheme = url && SCHEMES.get(url.protocol);
  if (!url || !scheme) throw serverError(`"${base}" is not a ws://, wss://, http:// or https:// URL`);
  const search = new URLSearchParams(query).toString();
  return `${scheme}//${url.host}${path.startsWith("/") ? path : `/${path}`}${search && `?${search}`}`;
}

const SCHEMES: ReadonlyMap<string, string> = new Map([
  ["ws:", "ws:"],
  ["wss:", "wss:"],
  ["http:", "ws:"],
  ["https:", "wss:"],
]);

function parse(base: string): URL | undefined {
  try {
    return new URL(base);
  } catch {
    return undefined;
  }
}
