import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { WebSocketSchemaConfig } from "../../api/server.js";

/** Whether a request comes from a page that may connect. */
export type OriginCheck = (request: IncomingMessage) => boolean;

/** What the check is made from. */
export type OriginConfig = Pick<WebSocketSchemaConfig, "allowedOrigins" | "addressOf">;

/**
 * The check for a list of origins, or for those of the request's own host.
 *
 * @throws Error naming the API and the entry that is no origin
 */
export function originCheck(apiName: string, { allowedOrigins, addressOf }: OriginConfig): OriginCheck {
  if (allowedOrigins === undefined) return () => true;
  const isAllowed = allowedOrigins === "same-host" ? sameHostCheck(!!addressOf) : listCheck(apiName, allowedOrigins);
  return ({ headers }) => {
    if (headers.origin === undefined) return true;
    const origin = originOf(headers.origin);
    return origin !== undefined && isAllowed(origin, headers);
  };
}

type Check = (origin: string, headers: IncomingHttpHeaders) => boolean;

function listCheck(apiName: string, allowed: unknown): Check {
  const refused = (entry: unknown, what: string) =>
    new Error(`${apiName}: allowedOrigins: ${typeof entry === "string" ? JSON.stringify(entry) : entry} is ${what}`);
  if (!Array.isArray(allowed)) throw refused(allowed, 'neither "same-host" nor a list of origins');
  const origins = new Set<string>();
  /** What the origins of subdomains begin and end with. */
  const subdomains: { readonly scheme: string; readonly domain: string }[] = [];
  for (const entry of allowed as readonly unknown[]) {
    const origin = typeof entry === "string" ? originOf(entry) : undefined;
    const [, scheme, domain] = /^(https?:\/\/)\*(\.[^*]+)$/.exec(origin ?? "") ?? [];
    if (scheme && domain) subdomains.push({ scheme, domain });
    else if (origin !== undefined && !origin.includes("*")) origins.add(origin);
    else throw refused(entry, NO_ORIGIN);
  }
  return (origin) =>
    origins.has(origin) ||
    subdomains.some(({ scheme, domain }) => origin.startsWith(scheme) && origin.endsWith(domain));
}

const NO_ORIGIN =
  'no origin such as "https://app.example", "https://*.app.example" for subdomains, "capacitor://localhost" or "null"';

function sameHostCheck(isProxyTrusted: boolean): Check {
  return (origin, headers) => {
    const [scheme] = /^https?:/.exec(origin) ?? [];
    if (!scheme) return false;
    const hosts = isProxyTrusted ? [headers.host, ...forwardedHosts(headers)] : [headers.host];
    return hosts.some((host) => originOf(`${scheme}//${host}`) === origin);
  };
}

/** Under which host a page may have asked, as a proxy says. A page cannot set these headers itself. */
function forwardedHosts(headers: IncomingHttpHeaders): readonly string[] {
  const [forwarded, port] = ["x-forwarded-host", "x-forwarded-port"].map((name) =>
    `${headers[name] ?? ""}`.split(",")[0]?.trim(),
  );
  const host = forwarded || headers.host || "";
  return port ? [host, `${host.replace(/:\d+$/, "")}:${port}`] : [host];
}

/** Schemes that no page has. */
const FOREIGN_SCHEMES: readonly string[] = ["ws:", "wss:", "ftp:", "file:"];

/**
 * An origin as it is compared: case and default ports do not count (RFC 6454 section 6), and it has no path. Apps and
 * extensions have schemes of their own. `"null"` and `"file://"`, which files and sandboxed frames have, stand for
 * themselves.
 */
function originOf(text: string): string | undefined {
  if (text === "null") return text;
  if (/^file:\/\/\/?$/i.test(text)) return "file://";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url?.host || FOREIGN_SCHEMES.includes(url.protocol)) return undefined;
  const origin = `${url.protocol}//${url.host}`;
  return url.href === origin || url.href === `${origin}/` ? origin.toLowerCase() : undefined;
}
