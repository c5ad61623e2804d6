/** The verbs that a route can use. */
export type GGHttpMethod = "GET" | "POST" | "PUT" | "DELETE";

/** Where one contract method is served. */
export interface GGHttpRoute {
  readonly method: GGHttpMethod;
  /** Relative to the API's prefix. */
  readonly path: string;
}

const route =
  (method: GGHttpMethod) =>
  (path: string): GGHttpRoute =>
    Object.freeze({ method, path });

/** Makes routes. GET sends the input as query arguments, the others send it as a JSON body. */
export const GGRpc = { GET: route("GET"), POST: route("POST"), PUT: route("PUT"), DELETE: route("DELETE") };

/** `/prefix/path` with single slashes and no slash at the end. */
export function joinPath(...parts: string[]): string {
  const path = parts.flatMap((part) => part.split("/")).filter((segment) => segment !== "");
  return `/${path.join("/")}`;
}
