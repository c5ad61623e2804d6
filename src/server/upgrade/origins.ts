import type { IncomingMessage } from "node:http";

/** Whether a request comes from a page that may connect. */
export type OriginCheck = (request: IncomingMessage) => boolean;

/**
 * The check for a list of origins, or for those of the request's own host.
 *
 * @throws Error naming the API and the entry that is no origin
 */
export function originCheck(apiName: string, allowed: readonly string[] | "same-host" | undefined): OriginCheck {
  if (allowed === undefined) return () => true;
  if (allowed === "same-host") return ({ headers: { origin, host } }) => origin === undefined || isOn(origin, host);
  const origins = new Set(
    allowed.map((entry) => {
      const origin = normalised(entry);
      if (origin !== undefined) return origin;
      throw new Error(
        `${apiName}: allowedOrigins: ${JSON.stringify(entry)} is no origin such as "https://app.example"`,
      );
    }),
  );
  return ({ headers: { origin } }) => origin === undefined || origins.has(normalised(origin) ?? "");
}

/** Case and default ports do not count (RFC 6454 section 6); an origin has no path. `"null"` stands for itself. */
function normalised(text: string): string | undefined {
  if (text === "null") return text;
  const url = parse(text);
  return url && url.host !== "" && url.href === `${url.origin}/` ? url.origin : undefined;
}

function isOn(origin: string, host: string | undefined): boolean {
  const url = parse(origin);
  return url !== undefined && url.host !== "" && parse(`${url.protocol}//${host}`)?.host === url.host;
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
