import type { ValidationIssueJson } from "@grest-ts/schema";
import { asFailure } from "../api/failure.js";
import { type AnyError, invalidArguments, serverError } from "../connection/methods/outcome.js";
import { encodeQuery, type QueryArgs } from "../protocol/query.js";

/**
 * The URL to open: `base` with its scheme made `ws:` or `wss:`, its path in front of the path, and its query, in which
 * arguments of the same name are replaced.
 *
 * @throws SERVER_ERROR when `base` is not a `ws`, `wss`, `http` or `https` URL with a host
 * @throws VALIDATION_ERROR for an argument that a query cannot carry
 */
export function socketUrl(base: string | URL, path: string, args: object): string {
  const [, secure, host, prefix, query] =
    /^(?:ws|http)(s?):\/\/([^/?#\s]+)([^?#\s]*?)\/*(\?[^#\s]*)?(#|$)/i.exec(`${base}`) ?? [];
  if (!host) throw serverError(`"${hostOnly(base)}" is not a ws(s):// or http(s):// URL`, "invalid-input");
  const search = encodeQuery(readArgs(args), query);
  return `ws${secure && "s"}://${host}${prefix}${absolutePath(path)}${search && `?${search}`}`;
}

/**
 * Query arguments as text. Leaves out what is undefined.
 *
 * @throws VALIDATION_ERROR for one that a query cannot carry
 */
export function readArgs(args: object): QueryArgs {
  return Object.fromEntries(
    Object.entries(args).flatMap(([path, value]) => {
      if (value === undefined) return [];
      const values = [value].flat();
      // A list of none would arrive as nothing.
      if (!values.length || !values.every(hasText)) {
        const message = "Must be text, number, boolean or a list of these";
        throw invalidQuery([{ path, code: "invalid.query", message }]);
      }
      return [[path, Array.isArray(value) ? values.map(String) : `${value}`]];
    }),
  );
}

function hasText(value: unknown): boolean {
  return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

/** The error for a query that was not sent. */
export function invalidQuery(issues: ValidationIssueJson[]): AnyError {
  return asFailure(invalidArguments(issues), { reason: "invalid-input", wasSent: false });
}

/** A path with its leading slash. */
export function absolutePath(path: string): string {
  return path.replace(/^\/?/, "/");
}

/** What can be shown of a URL that is not valid, and may have its password anywhere. */
export function hostOnly(url: unknown): string {
  return `${url}`.replace(/^([a-z]+:\/+)?.*@|[?#].*/gis, "$1");
}

/** A text without the credentials, the queries and the fragments of the URLs in it, for errors and keys. */
export function withoutSecrets(text: unknown): string {
  return `${text}`.replace(/(\/\/|^)[^/?#\s]*@|[?#]\S+/g, "$1");
}
